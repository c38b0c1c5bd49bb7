"""Checkpoints that survive a kill at any moment: written aside, fsynced, renamed; tensors as safetensors."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from genrec.files import fsync

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

KEEP = 2
"""Checkpoints left in the folder: one could be damaged by the disk, not by us."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Parameters
    ----------
    step
        Optimizer steps done.
    epoch, group
        Current epoch, and groups of batches done in it.
    examples, tokens
        Examples and real tokens trained on so far.
    best
        Best validation NDCG@10 so far, -1 before the first.
    best_epoch
        Epoch (counted from 1) that gave it, 0 before the first.
    seconds
        Time spent training, over all runs.
    records
        Lines of ``metrics.jsonl`` written.
    loss_sum, targets
        Of the current epoch: sum of the losses, and targets they are of.
    real, computed
        Of the current epoch: real tokens, and tokens with padding.
    """

    step: int = 0
    epoch: int = 0
    group: int = 0
    examples: int = 0
    tokens: int = 0
    best: float = -1.0
    best_epoch: int = 0
    seconds: float = 0.0
    records: int = 0
    loss_sum: float = 0.0
    targets: int = 0
    real: int = 0
    computed: int = 0

    @property
    def loss(self) -> float:
        """Mean loss of the epoch's targets, nats a token."""
        return self.loss_sum / max(self.targets, 1)

    @property
    def padding(self) -> float:
        """Share of padding among the tokens computed in the epoch."""
        return 1 - self.real / max(self.computed, 1)


def save_checkpoint(
    folder: Path, progress: Progress, weights: dict[str, Tensor], optimizer: Optimizer, best: dict[str, Tensor] | None
) -> Path:
    """Write ``folder/step-N`` so that it is either whole or not there.

    Parameters
    ----------
    folder
        Folder of all checkpoints of a run.
    progress
        Where the run stands.
    weights
        Trainable tensors by name.
    optimizer
        Its state is saved.
    best
        Weights of the best validation so far.

    Returns
    -------
    Path
        The checkpoint.
    """
    final = folder / f"step-{progress.step:08d}"
    aside = folder / f".writing-{progress.step:08d}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    save_file(_contiguous(weights), aside / "weights.safetensors")
    save_file(_flatten(optimizer), aside / "optimizer.safetensors")
    if best is not None:
        save_file(_contiguous(best), aside / "best.safetensors")
    (aside / "progress.json").write_text(json.dumps(asdict(progress), indent=2) + "\n", encoding="utf-8")
    for file in aside.iterdir():
        fsync(file)
    before = _renamed(final) if final.exists() else None  # of the same step, from before its validation
    aside.rename(final)
    fsync(folder)
    if before is not None:
        shutil.rmtree(before)
    for old in list_checkpoints(folder)[:-KEEP]:
        shutil.rmtree(_renamed(old))
    return final


def remove_checkpoints(folder: Path) -> None:
    """Remove a folder of checkpoints with all that is in it; killed meanwhile, it leaves no half checkpoint.

    Parameters
    ----------
    folder
        It need not be there.
    """
    for checkpoint in list_checkpoints(folder):
        shutil.rmtree(_renamed(checkpoint))
    shutil.rmtree(folder, ignore_errors=True)


def _renamed(checkpoint: Path) -> Path:
    """What is to be removed, under another name: a checkpoint is whole as long as it has its own."""
    going = checkpoint.with_name(f".removing-{checkpoint.name}")
    shutil.rmtree(going, ignore_errors=True)
    return checkpoint.rename(going)


def list_checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first. What was being written when a run was killed is not among them."""
    return sorted(folder.glob("step-*"))


def last_progress(folder: Path) -> Progress:
    """Where the run of these checkpoints stands; at its start if there are none.

    Parameters
    ----------
    folder
        Folder of all checkpoints of a run; it need not be there.

    Examples
    --------
    >>> last_progress(Path("no-such-folder")).step
    0
    """
    checkpoints = list_checkpoints(folder)
    return _progress(checkpoints[-1]) if checkpoints else Progress()


def load_checkpoint(
    checkpoint: Path, weights: dict[str, Tensor], optimizer: Optimizer
) -> tuple[Progress, dict[str, Tensor] | None]:
    """Restore weights and optimizer state in place.

    Returns
    -------
    progress
        Where the run stood.
    best
        Weights of the best validation by then.
    """
    progress = _progress(checkpoint)
    saved = load_file(checkpoint / "weights.safetensors")
    with torch.no_grad():
        for name, tensor in weights.items():
            tensor.copy_(saved[name])
    state = load_file(checkpoint / "optimizer.safetensors")
    _unflatten(optimizer, state)
    best = checkpoint / "best.safetensors"
    return progress, load_file(best) if best.exists() else None


def _progress(checkpoint: Path) -> Progress:
    return Progress(**json.loads((checkpoint / "progress.json").read_text(encoding="utf-8")))


def _flatten(optimizer: Optimizer) -> dict[str, Tensor]:
    """``<parameter number>.<state name>`` -> tensor."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value).detach().contiguous().cpu()
        for number, values in state.items()
        for name, value in values.items()
    }


def _unflatten(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
