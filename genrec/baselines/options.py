"""Options of scorers are checked when a scorer is made, not when it is fitted."""

from __future__ import annotations

from genrec.errors import ConfigError


def require(condition: bool, message: str) -> None:
    """Refuse an option.

    Parameters
    ----------
    condition
        What must hold.
    message
        Names the option, its value and what it must be.

    Raises
    ------
    ConfigError
        The condition does not hold.

    Examples
    --------
    >>> require(0 < 1, "neighbours=1 must be at least 1")
    """
    if not condition:
        raise ConfigError(message)
