"""What people say to steer a conversation, as patterns. English only."""

from __future__ import annotations

import re

from genrec.chat.shown import BY_PLACE, ITEMS


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern for cleaned text, in which no two spaces follow each other: so a match takes little time."""
    return re.compile(pattern.replace(r"\s+", " ").replace(r"\s*", " ?"), re.I)


def _any(*patterns: str) -> re.Pattern[str]:
    return _compiled("|".join(patterns))


_START = r"(?:^|(?<=[.,;!?]))\s*(?:(?:and|but|no|ok|okay|please|well)\b[ ,]{0,2}){0,3}"
_END = r"\s*(?:\bplease\b\s*)?(?=$|[.,;!?])"
_NOT = r"(?:don['\u2019]?t|do\s+not|didn['\u2019]?t|did\s+not)"
_IS = r"(?:['\u2019](?:s|re)|\s+(?:is|are|was|were|looks?|sounds?))\s+"
_LIKE = r"(?:like|love|enjoy|want|need)"

START_OVER = _any(
    r"\b(?:start|begin)\s+(?:over|again|anew|afresh)\b",
    rf"{_START}(?:reset|restart|new\s+search|clear(?:\s+(?:all|everything))?){_END}",
    r"\bforget\s+(?:about\s+)?(?:everything|all(?:\s+of\s+(?:it|that|this))?|it\s+all)\b(?!\s+\w)",
)
UNDO = _any(
    r"\bundo(?:\s+(?:that|this|it|the\s+last(?:\s+one)?))?\b",
    r"\b(?:take|took)\s+(?:that|it|this)\s+back\b",
    r"\bscratch\s+that\b",
    r"\bforget\s+(?:about\s+)?the\s+last\s+(?:thing|wish|bit|turn)(?:\s+i\s+(?:just\s+)?said)?",
    rf"{_START}(?:(?:go\s+)?back|never\s*mind|forget\s+(?:about\s+)?(?:that|it|this|what\s+i\s+(?:just\s+)?said)){_END}",
)
FORGET = _any(
    r"\b(?:forget|never\s*mind|ignore|drop|remove|cancel|lift|take\s+back)\s+(?:about\s+)?(?P<forget>[^.,;!?]+)",
    rf"\b{_NOT}\s+care\s+(?:about|for)\s+(?P<careless>[^.,;!?]+)",
    r"\bchang(?:e|ed|ing)\s+my\s+mind\s+about\s+(?P<mind>[^.,;!?]+)",
    r"\b(?:does\s*n['\u2019]?t|does\s+not)\s+(?:have|need)\s+to\s+be\s+(?P<need_not>[^.,;!?]+)",
    r"(?P<no_matter>[^.,;!?]+?)\s+(?:does\s*n['\u2019]?t|does\s+not|do\s*n['\u2019]?t|do\s+not|no\s+longer)\s+matters?\b(?:\s+any\s*more)?",
    rf"{_START}(?:any|whatever(?:\s+the)?)\s+(?P<any>[^.,;!?]+?)(?:\s+(?:is|are|will\s+be)\s+(?:fine|ok|okay|good)|\s+will\s+do)?{_END}",
)
WHY = _any(rf"\bwhy\b(?:\s+(?:is|are|was|were|did\s+you\s+\w+|do\s+you\s+\w+))?(?:\s+(?P<items>{ITEMS}))?")
SEEN = _any(
    rf"\bi\s*(?:['\u2019]ve|have)?\s*(?:already\s+)?(?:seen|saw|watched|read|have|own|bought|know)\s+(?P<items>{ITEMS})"
)
DISLIKE = _any(
    rf"\b{_NOT}\s+(?:really\s+)?{_LIKE}\s+(?P<items>{ITEMS})",
    rf"\b(?:hate|hated|dislike|disliked|hide|skip|drop|remove)\s+(?P<hide>{ITEMS})",
    rf"\bless\s+like\s+(?P<less>{ITEMS})",
    rf"\b(?:not|no|none\s+of|neither\s+of|without|except|nothing\s+like)\s+(?P<none>{ITEMS})",
    rf"(?P<bad>{ITEMS}){_IS}(?:too\s+|so\s+|really\s+)?"
    r"(?:bad|boring|awful|terrible|horrible|not\s+(?:for\s+me|good|it|right|great))\b",
)
LIKE = _any(
    rf"\b(?:more|something|anything|others?|similar|ones?|items?|movies?|films?|books?|products?)\s+(?:like|to)\s+(?P<items>{ITEMS})",
    rf"\bi\s+(?:also\s+|really\s+|do\s+)*(?:like|liked|love|loved|enjoy|enjoyed|want|take|pick|choose)\s+(?P<mine>{ITEMS})",
    rf"{_START}like\s+(?P<like>{ITEMS})",
    rf"\b(?:more\s+|something\s+|anything\s+)?like\s+(?P<digit>\d{{1,2}}){_END}",
    rf"{_START}(?P<bare>{BY_PLACE}){_END}",
    rf"(?P<good>{ITEMS}){_IS}(?:very\s+|really\s+|pretty\s+)?"
    r"(?:good|great|nice|perfect|fine|interesting|awesome|cool|promising)\b",
)
COMPARE = _compiled(
    r"(?P<before>^|make\s+(?:it|them)|[.,;!?]|\b(?:something|anything|an?|but|and|bit|little|much|even|show|make|me|want|need|prefer|it|them|any))"
    r"\s*\b(?P<word>cheaper|less\s+expensive|more\s+affordable|pricier|more\s+expensive|newer|more\s+recent|more\s+modern"
    r"|older|earlier)"
    r"(?:\s+(?:ones?|items?|movies?|films?|books?|products?|things?|stuff))?"
    rf"(?:\s+than\s+(?P<items>{ITEMS}))?(?=\s*(?:$|[.,;!?]|\b(?:please|and|but|though)\b))"
)
DOWN, UP = ("cheaper", "less", "affordable", "older", "earlier"), ("pricier", "expensive", "newer", "recent", "modern")
OF_PRICE = ("cheaper", "expensive", "affordable", "pricier")
MORE = _any(
    rf"{_START}(?:(?:show|give|tell)\s+(?:me\s+)?)?(?:some\s+|any\s+)?"
    r"(?:more|others?|other\s+ones|next|different\s+ones|something\s+else|something\s+different|anything\s+else|what\s+else)"
    rf"(?:\s+(?:items|movies|films|books|products|results|suggestions|recommendations|ideas))?{_END}",
)
