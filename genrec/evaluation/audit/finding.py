"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Severity = Literal["ok", "notable", "problem"]
ORDER: tuple[Severity, ...] = ("ok", "notable", "problem")


@dataclass(frozen=True)
class Finding:
    """One check of the audit.

    Parameters
    ----------
    check
        What was looked for: ``"target in history"``.
    severity
        ``"ok"``; ``"notable"``: to be known when reading the figures; ``"problem"``: they cannot be believed.
    sentence
        What was found, in words and numbers.
    count
        How many questions, interactions or items it concerns.
    """

    check: str
    severity: Severity
    sentence: str
    count: int = 0

    def as_dict(self) -> dict[str, str | int]:
        """Give the fields, ready for JSON."""
        return asdict(self)


def worst(findings: Sequence[Finding]) -> Severity:
    """The gravest of some findings; ok where there is none.

    Examples
    --------
    >>> worst([Finding("a", "ok", "fine"), Finding("b", "notable", "hm")])
    'notable'
    """
    return max((finding.severity for finding in findings), key=ORDER.index, default="ok")
