"""Configuration of an incremental update."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt


class UpdateConfig(BaseModel):
    """How a model is fine-tuned with new events, and when the result is promoted.

    Examples
    --------
    >>> UpdateConfig(epochs=1).replay
    1.0
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt = 3
    """Passes over the histories with new events and the replayed ones."""
    rate: PositiveFloat = 0.2
    """Peak learning rates, as a share of those the model was fine-tuned with."""
    replay: NonNegativeFloat = 1.0
    """Old histories that are trained on again, for each user with new events: without them, the rest is forgotten."""
    min_events: PositiveInt = 100
    """With fewer new events, not counting those that the last update asked for, nothing is done."""
    questions: PositiveInt = 500
    """Most questions of either kind that the old and the new model are compared by: what users with new events met
    last, and held-out items of others. These are not trained on."""
    share: float = Field(default=0.2, gt=0, le=1)
    """Share of the users with new events who are asked what they met last: the next update learns it. At least 50
    are, if that is no more than half."""
    beams: PositiveInt = 20
    """Beam width in that comparison."""
    max_drop: NonNegativeFloat = 0.0
    """Loss of NDCG@10 over all questions that is put up with."""
    max_slice_drop: NonNegativeFloat = 0.01
    """Loss of NDCG@10 over the questions of one kind that is put up with."""
    seed: NonNegativeInt = 0
    """Of everything random."""
