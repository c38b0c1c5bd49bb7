"""Moods and subjects in free words, for the attribute values they suggest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genrec.prompt.words import Word, normal, split_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genrec.prompt.attributes import ItemAttributes

MAX_WORDS = 4
# Names of a value, and words and phrases that suggest it. A name counts only where the catalog has it. Words are
# compared by their stems.
MOODS: dict[str, str] = {
    "comedy, humor, humour": """
        laugh, laughing, laughter, giggle, chuckle, joke, humorous, comical, goofy, silly, witty, wacky, slapstick,
        hilarity, amusing, lighthearted, light hearted, cheerful, cheer up, cheer me up, feel good, satire, parody,
        spoof, grin, smile, crack me up""",
    "horror": """
        scare, scared, frighten, frightening, fright, terrify, terrifying, terror, ghost, haunted, haunting, zombie,
        vampire, werewolf, demon, monster, nightmare, gore, gory, blood curdling, bloodcurdling, slasher, chilling,
        eerie, creep, afraid, fear, possessed, supernatural evil""",
    "romance, romantic": """
        in love, true love, sweetheart, date night, first date, kiss, kissing, wedding, marriage, passion,
        passionate, soulmate, soul mate, valentine, valentines, crush, couple, girlfriend, boyfriend, head over
        heels, heartthrob, flirting, engaged""",
    "thriller, suspense": """
        tense, tension, suspenseful, gripping, edge of my seat, edge of your seat, nail biting, nail biter, nerve
        racking, nerve wracking, twist, thrilling, heart pounding, conspiracy, spy, spies, hostage, cat and mouse,
        unpredictable, paranoia, kidnapped, breathless""",
    "sci fi, science fiction": """
        space, outer space, spaceship, spacecraft, starship, alien, robot, android, cyborg, future, futuristic,
        planet, galaxy, time travel, time machine, interstellar, astronaut, laser, dystopia, dystopian,
        extraterrestrial, ufo, cyberpunk, artificial intelligence, mars, clone""",
    "war, military": """
        soldier, battle, battlefield, trench, combat, army, troop, platoon, vietnam, wwii, world war, tank,
        invasion, regiment, front line, marines, veteran, d day""",
    "western, westerns": """
        cowboy, gunslinger, outlaw, sheriff, saloon, frontier, prairie, ranch, wild west, old west, gunfight, high
        noon, revolver, stagecoach, cattle""",
    "childrens, children, kids, family": """
        kid, child, daughter, son, toddler, kindergarten, preschool, family, year old, bedtime, youngster,
        grandchild, grandchildren, niece, nephew, all ages, my little, schoolchild""",
    "animation, animated": """
        cartoon, hand drawn, pixar, claymation, anime, stop motion, drawing, computer animated""",
    "crime": """
        gangster, mafia, mob, mobster, heist, robber, robbery, cop, crook, underworld, drug dealer, prison, thief,
        thieves, burglar, bank job, criminal, godfather, con man, swindler, police""",
    "mystery, detective": """
        sleuth, whodunit, murder, clue, puzzle, riddle, enigma, secret, investigation, investigate, unsolved,
        private eye, killer, hidden truth""",
    "adventure": """
        treasure, jungle, quest, journey, expedition, pirate, explorer, explore, voyage, daring, danger,
        swashbuckling, desert island, lost city, survival""",
    "fantasy": """
        wizard, dragon, magic, magical, spell, fairy, elf, elves, sorcerer, sorcery, enchanted, unicorn, kingdom,
        witch, mythical, dwarf, dwarves, fairy tale, princess, hobbit""",
    "musical, music": """
        song, singing, sing, dance, dancing, tune, melody, broadway, tap dance, choir, show tunes, ballad, karaoke,
        sing along""",
    "documentary, documentaries, nonfiction": """
        fact, factual, real life, real event, true event, educational, learn, non fiction, what really happened,
        archive footage, informative, nature and wildlife""",
    "action": """
        explosion, explode, blow up, chase, car chase, fight, fist fight, brawl, adrenaline, shootout, shoot out,
        stunt, kick ass, martial arts, kung fu, fast paced, gun, high octane, muscle""",
    "drama": """
        cry, weep, sob, tear, tearjerker, tear jerker, sad, moving, touching, emotional, serious, tragic, tragedy,
        heart wrenching, heartbreaking, heart breaking, poignant, melancholy, grief, bittersweet, thought provoking,
        deep""",
    "film noir": """
        hard boiled, femme fatale, shadowy, black and white""",
    "fragrance, fragrances, perfume": """
        smell, scent, aroma, cologne, eau de toilette, odour, odor""",
    "skin care, skincare": """
        skin, face, facial, wrinkle, moisturizer, moisturiser, pimple, acne, blemish""",
    "hair care, haircare": """
        hair, curl, shampoo, conditioner, split ends, dandruff, frizz, lock""",
    "makeup, make up": """
        lipstick, mascara, eyeliner, foundation, blush, eyeshadow""",
}


class MoodIndex:
    """The values of a catalog by what people feel or look for.

    Parameters
    ----------
    attributes
        The values.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.prompt.attributes import ItemAttributes
    >>> from genrec.testing import toy_catalog
    >>> attributes = ItemAttributes.of_catalog(toy_catalog(24))
    >>> words = split_words("a story with spaceships that makes me laugh")
    >>> found = MoodIndex(attributes).find(words, np.zeros(len(words), dtype=bool))
    >>> [(words[first].key, attributes.values[values[0]]) for first, _, values in found]
    [('spaceships', 'Sci-Fi'), ('laugh', 'Comedy')]
    """

    def __init__(self, attributes: ItemAttributes) -> None:
        self._values: dict[str, list[int]] = {}
        for values, words in zip(values_by_mood(attributes), MOODS.values(), strict=True):
            if values:
                self._values.update({_stems(split_words(phrase)): values for phrase in words.split(",")})

    def find(self, words: Sequence[Word], taken: NDArray[np.bool_]) -> Iterator[tuple[int, int, list[int]]]:
        """Yield first word, end and values of each match, longer ones first, none overlapping another or ``taken``."""
        taken = taken.copy()
        for length in range(MAX_WORDS, 0, -1):
            for first in range(len(words) - length + 1):
                if not taken[first : first + length].any():
                    values = self._values.get(_stems(words[first : first + length]))
                    if values:
                        taken[first : first + length] = True
                        yield first, first + length, values


def values_by_mood(attributes: ItemAttributes) -> list[list[int]]:
    """Indices of the values that go by the names of each mood."""
    named: dict[str, list[int]] = {}
    for value, text in enumerate(attributes.values):
        named.setdefault(normal(text), []).append(value)
    return [[value for name in names.split(",") for value in named.get(name.strip(), [])] for names in MOODS]


def _stems(words: Sequence[Word]) -> str:
    return " ".join([word.stem for word in words])
