"""Decoding that stops when nobody waits for it any longer."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from genrec.errors import GenrecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_wanted: ContextVar[Callable[[], bool] | None] = ContextVar("_wanted", default=None)


class AbandonedError(GenrecError):
    """Nobody wants the result any longer."""


@contextmanager
def while_wanted(wanted: Callable[[], bool]) -> Iterator[None]:
    """Let decoding within give up before its next forward pass, once ``wanted`` says no.

    A forward pass is not interrupted. Other threads are not concerned.

    Parameters
    ----------
    wanted
        Whether somebody waits for the result; asked often, so it has to be quick.

    Raises
    ------
    AbandonedError
        From the decoder, once nobody does.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.decoding import beam_search
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> prompt = TokenSequence(np.array([0]), np.array([-1], dtype=np.int32))
    >>> with while_wanted(lambda: False):
    ...     beam_search(tiny_generator(num_items=6), [prompt])
    Traceback (most recent call last):
    ...
    genrec.decoding.abandon.AbandonedError: nobody waits for this any longer
    """
    before = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(before)


def check_wanted() -> None:
    """Give up if nobody wants the result.

    Raises
    ------
    AbandonedError
        If so.
    """
    wanted = _wanted.get()
    if wanted is not None and not wanted():
        raise AbandonedError("nobody waits for this any longer")
