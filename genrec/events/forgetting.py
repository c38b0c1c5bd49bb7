"""What remains to be done after a user was forgotten, and how the store knows whom it forgot without keeping names."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Forgotten:
    """What forgetting a user did, and what must follow.

    Parameters
    ----------
    events
        Events that were erased.
    models
        Models that ``genrec update`` had made from events of this user.
    in_training_data
        Whether the data set of the served model has the user.

    Examples
    --------
    >>> Forgotten(3).retrain_after, Forgotten(3, models=("m2",)).retrain_after
    (False, True)
    """

    events: int
    models: tuple[str, ...] = ()
    in_training_data: bool = False

    @property
    def retrain_after(self) -> bool:
        """Whether weights in use were learnt from this user, so that only a training without them removes that."""
        return self.in_training_data or bool(self.models)

    @property
    def advice(self) -> str:
        """What to do now, in one or two sentences."""
        if not self.retrain_after:
            return "No model has learnt from this user; nothing needs to be trained again."
        learnt = [f"the models {', '.join(self.models)}"] if self.models else []
        learnt += ["the model's data set"] if self.in_training_data else []
        return (
            f"This user is in {' and in '.join(learnt)}: train from the base model again without them "
            "(genrec finetune; take the user out of the data set first). genrec update leaves the user out from now "
            "on, but does not take back what weights have learnt."
        )

    def to_dict(self) -> dict[str, object]:
        """The fields by name, with ``retrain_after`` and ``advice``, as JSON has them."""
        return {**asdict(self), "retrain_after": self.retrain_after, "advice": self.advice}


def name_hash(salt: bytes, user_id: str) -> bytes:
    """Recognises a forgotten user who is named again, and cannot be read back; 32 bytes."""
    return hashlib.blake2b(user_id.encode(), key=salt, digest_size=32).digest()
