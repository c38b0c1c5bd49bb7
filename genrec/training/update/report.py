"""What an update did, and what it was judged by."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class SliceScores:
    """NDCG@10 of the old and the new model on questions of one kind.

    Parameters
    ----------
    questions
        How many.
    before, after
        NDCG@10 of either model, seen items filtered.
    """

    questions: int
    before: float
    after: float


@dataclass(frozen=True)
class UpdateReport:
    """What an update did.

    Parameters
    ----------
    promoted
        Whether the new model was written.
    reason
        Why, or why not.
    last_event
        Number of the latest event that was looked at.
    new_events
        Events since the last update, and earlier ones about items that the model did not know then.
    learnt_events
        Events that were learnt: the new ones without those asked for, and those that the last update asked for.
    unknown_items
        Events left out because the model and the data set do not know their items: learnt once the data set does.
    users, replayed, forgotten
        Users with new events, others whose histories were replayed, and those of the data set who were left out because
        they were forgotten.
    new_items
        Items of the data set that the model did not know.
    new, old, all
        Scores on what users with new events met last, on held-out items of others, and on both. None: not measured.
    loss
        Mean loss of the last epoch, nats a token. None: not trained.
    seconds
        Time it took.

    Examples
    --------
    >>> report = UpdateReport(False, "3 new events, fewer than 100", last_event=3, new_events=3)
    >>> report.failed, report.lines()[0]
    (False, 'nothing done: 3 new events, fewer than 100')
    """

    promoted: bool
    reason: str
    last_event: int
    new_events: int
    learnt_events: int = 0
    unknown_items: int = 0
    users: int = 0
    replayed: int = 0
    forgotten: int = 0
    new_items: int = 0
    new: SliceScores | None = None
    old: SliceScores | None = None
    all: SliceScores | None = None
    loss: float | None = None
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether a new model was made and is worse."""
        return not self.promoted and self.all is not None

    def to_dict(self) -> dict[str, object]:
        """The fields by name, as JSON has them."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report in words, a line a fact."""
        verdict = "promoted" if self.promoted else "not promoted" if self.failed else "nothing done"
        lines = [f"{verdict}: {self.reason}"]
        if self.unknown_items:
            lines.append(f"{self.unknown_items:,} events wait for the data set to have their items")
        if self.forgotten:
            lines.append(f"{self.forgotten:,} users left out: they were forgotten")
        if self.loss is not None:
            lines.append(
                f"learnt {self.learnt_events:,} events of {self.users:,} users, {self.replayed:,} histories replayed, "
                f"{self.new_items:,} new items, loss {self.loss:.4f}"
            )
        for name, scores in (("new events", self.new), ("old histories", self.old), ("all", self.all)):
            if scores is not None:
                change = f"{scores.before:.4f} -> {scores.after:.4f} on {scores.questions:,} questions"
                lines.append(f"NDCG@10, {name}: {change}")
        return lines
