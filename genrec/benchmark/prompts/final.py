"""The phrasings that figures are reported with. To improve the product, use those of ``development``."""

from __future__ import annotations

from genrec.benchmark.prompts.phrasings import Phrasings, Theme

FINAL = Phrasings(
    "prompts",
    {
        "liked": (
            "Just finished {liked} and it blew me away. What now?",
            "{liked} is right up my alley, got anything along those lines?",
            "Big fan of {liked} here",
            "My all-time favourites are {liked}",
            "If {liked} made my week, which one do I pick up next?",
            "Can you find me the spiritual successor to {liked}?",
            "Been hooked on {liked} lately and need another fix",
            "Recommendations for a {liked} addict, please",
            "Similar vibe to {liked}",
            "I can't stop thinking about {liked} - what comes close?",
            "in the vein of {liked}",
            "People who adore {liked} usually go for what else?",
            "{liked}: absolutely wonderful. Surprise me with another gem",
            "What would you hand to somebody whose favorite is {liked}?",
        ),
        "genre": (
            "I'm in the mood for {wanted} tonight",
            "Could you point me to a decent {wanted} one?",
            "What's the best {wanted} you have got?",
            "{wanted} is what I feel like",
            "Only {wanted}, thanks",
            "Let's go with {wanted} this time",
            "Hit me with your finest {wanted}",
            "Which {wanted} should I not miss?",
            "it has to be {wanted}",
            "a bit of {wanted} would be lovely",
            "Please pick out {wanted} for the weekend",
            "It should be {wanted} and also {also}",
            "I'd love a thing that is {wanted} as well as {also}",
            "both {wanted} and {also} at once, if there is such a thing",
            "Got a mix of {wanted} with {also}?",
        ),
        "year": (
            "Take me back to the {decade}",
            "What did the {decade} have to offer?",
            "I feel nostalgic for the {decade}",
            "strictly {decade} stuff",
            "A classic of the early {early}, maybe?",
            "Which ones came out in the mid-{mid}?",
            "the late {late} were great, give me one of those",
            "Which came out in {year}?",
            "It must have been released in {year}",
            "released in {since} or later, please",
            "I only care for what appeared after {after}",
            "no older than {since}",
            "It has to predate {before}",
            "Made some time between {low} and {high}",
            "from {low} to {high}, whichever you think is best",
            "not newer than {until}",
        ),
        "negation": (
            "Whatever you like, just keep {unwanted} away from me",
            "I can't stand {unwanted}, so leave it out",
            "Anything goes as long as it isn't {unwanted}",
            "Please skip the {unwanted}",
            "I'm tired of {unwanted}; what else is there?",
            "Suggestions free of {unwanted}, please",
            "{unwanted} is not my thing. What would suit me?",
            "Spare me {unwanted} and {unwanted_too}",
            "neither {unwanted} nor {unwanted_too}",
            "{wanted}, minus the {unwanted}",
            "{wanted} would be fine. Just don't bring me {unwanted}",
            "I'd go for {wanted} provided there's zero {unwanted} in it",
            "Fresh ideas, only not from the {other_decade}",
            "Enough of the {other_decade}, show me another era",
            "Any {wanted} that steers clear of {unwanted}?",
        ),
        "mood": (
            "It should have to do with {topic}",
            "all about {topic}, if you can",
            "do you have one where {topic} matters?",
        ),
        "mixed": (
            "Loved {liked}; got a {wanted} one from the {decade} too?",
            "{liked} made my day, so I'm up for more {wanted}, though please without any {unwanted}",
            "{liked}, what a treat. This time make it {wanted}, made in the {decade}",
            "My favourite is {liked}. Looking for {wanted}, nothing before {since}",
            "Big {liked} fan, in need of {wanted} that isn't {unwanted}",
            "We had a blast with {liked}. Next up: {wanted} of the {decade}, preferably without {unwanted}",
            "Same feel as {liked}, {decade} era, skip {unwanted}",
            "{wanted} that a {liked} lover would appreciate, released after {after}",
            "kind of {liked} meets {wanted}, and not older than {since}",
            "Hand me {wanted} from between {low} and {high}; I adore {liked}",
            "Given how much I enjoyed {liked}: what {wanted} do you suggest? Not a fan of {unwanted}",
            "{decade}, {wanted}, in the style of {liked}",
        ),
    },
    (
        Theme(
            ("comedy", "humor", "humour"),
            (
                "I need a good laugh",
                "cheer me up, I had a rotten day",
                "I want to giggle the whole evening",
                "light and silly, please",
            ),
        ),
        Theme(
            ("horror", "thriller"),
            (
                "scare the living daylights out of me",
                "I want to be afraid to switch the lights off afterwards",
                "a proper nightmare",
            ),
        ),
        Theme(
            ("romance", "romantic"),
            (
                "for a cosy date night with my sweetheart",
                "two people falling head over heels for each other",
                "I'm feeling lovey-dovey",
            ),
        ),
        Theme(
            ("thriller", "suspense", "mystery", "crime", "horror"),
            ("keep me on the edge of my seat", "so tense that I forget to breathe", "twists I won't see coming"),
        ),
        Theme(
            ("sci fi", "science fiction"),
            (
                "spaceships and distant planets",
                "what the world may look like in a thousand years",
                "robots taking over",
            ),
        ),
        Theme(
            ("war", "military"),
            ("soldiers in the trenches", "life on the battlefield", "brothers in arms under fire"),
        ),
        Theme(
            ("western", "westerns"),
            ("cowboys and gunslingers", "a duel at high noon", "saloons and dusty frontier towns"),
        ),
        Theme(
            ("childrens", "children", "kids", "family", "animation"),
            (
                "suitable for my six-year-old",
                "to enjoy together with the little ones",
                "harmless enough for kindergarten",
            ),
        ),
        Theme(
            ("crime", "film noir", "mystery", "thriller"),
            ("gangsters and heists", "the mob and its godfathers", "cops chasing crooks"),
        ),
        Theme(
            ("mystery", "detective", "crime", "film noir", "thriller"),
            ("who did it? let me guess along with the sleuth", "a puzzle with a murder at its heart"),
        ),
        Theme(
            ("adventure", "action"),
            ("treasure hunts in faraway jungles", "a daring journey into the unknown"),
        ),
        Theme(("fantasy",), ("wizards, dragons and magic spells", "an enchanted kingdom")),
        Theme(("musical", "music"), ("people bursting into song", "catchy tunes and dancing on stage")),
        Theme(
            ("documentary", "documentaries", "nonfiction", "non fiction"),
            ("real events, told by those who were there", "I'd like to learn how things really are"),
        ),
        Theme(
            ("action", "adventure", "thriller"),
            ("car chases and explosions", "adrenaline from start to finish", "lots of fist fights"),
        ),
        Theme(
            ("drama", "romance"),
            ("bring me to tears", "deep and moving, it may well be sad", "serious stuff about family troubles"),
        ),
        Theme(
            ("fragrance", "fragrances", "perfume", "perfumes"),
            ("I want to smell wonderful", "a scent that people remember"),
        ),
        Theme(("skin care", "skincare"), ("for a dry and flaky face", "smooth cheeks without a wrinkle")),
        Theme(("hair care", "haircare"), ("my curls are a mess", "against split ends")),
    ),
)
"""The suite ``prompts``."""
