"""``genrec demo``: the main job on real data, end to end."""

from __future__ import annotations

import shlex
import shutil
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec.cli.console import print_table, printable, stdout

if TYPE_CHECKING:
    from genrec.baselines.base import Scorer
    from genrec.data.dataset import Dataset
    from genrec.recommend.recommender import Recommender

SHIPPED_MODEL = "finetune/models/smollm2-ml-100k"
BASELINES = ("popularity", "item-knn", "ease")
GPT_CONFIG = "finetune/configs/gpt-semantic.yaml"


@dataclass(frozen=True)
class Scenario:
    """What the demo does on a data set.

    Parameters
    ----------
    data
        Named data set.
    overrides
        ``--set`` values for the small GPT.
    language_model
        Whether the shipped SmolLM2 adapter was made for the data set.
    prompts
        Requests in plain words.
    histories
        Item ids, oldest first.
    """

    data: str
    overrides: tuple[str, ...]
    language_model: bool
    prompts: tuple[str, ...]
    histories: tuple[tuple[str, ...], ...]


FULL = Scenario(
    data="ml-100k",
    overrides=(),
    language_model=True,
    prompts=(
        "I loved Star Wars and The Empire Strikes Back, something like that from the eighties",
        "a romantic comedy from the nineties, but not a musical",
        "something dark like Seven and The Silence of the Lambs, no horror",
    ),
    histories=(("50", "172", "181", "174", "210"), ("1", "71", "588", "95", "99")),
)
QUICK = Scenario(
    data="toy",
    overrides=("items.text_weight=0", "training.epochs=6", "training.tokens_per_batch=512"),
    language_model=False,
    prompts=("something like Red River", "a comedy from the nineties", "drama, but no adventure"),
    histories=(("i0", "i1", "i2"), ("i7", "i8")),
)


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for what the demo makes.")] = Path("runs/demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Toy data and a tiny model: half a minute.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make everything anew.")] = False,
) -> None:
    """Fine-tune a small GPT, answer prompts and histories, and compare with collaborative filtering.

    A second run reuses what the first one made.
    """
    from genrec.benchmark.models import NAMED_MODELS
    from genrec.cli.finetune import quiet_libraries
    from genrec.data.dataset import Dataset
    from genrec.recommend.recommender import Recommender
    from genrec.shipped import shipped_path

    quiet_libraries()
    scenario = QUICK if quick else FULL
    out = out / "quick" if quick else out
    if fresh:
        remove_made(out)
    step = count(1)
    dataset = Dataset.load(scenario.data)
    _headline(f"{next(step)}. Data: {scenario.data}")
    stdout.print(
        f"{dataset.num_users:,} users, {dataset.num_items:,} items, {len(dataset.interactions):,} interactions"
    )

    _headline(f"{next(step)}. A small GPT from scratch, fine-tuned on the histories")
    gpt = Recommender.from_pretrained(_train_gpt(out / "gpt", scenario), dataset)
    recommender = gpt
    if scenario.language_model:
        about = "SmolLM2-135M with a LoRA adapter trained on the same histories, and on requests in words"
        _headline(f"{next(step)}. {about}")
        recommender = Recommender.from_pretrained(shipped_path(SHIPPED_MODEL), dataset)
        stdout.print(f"adapter: {shipped_path(SHIPPED_MODEL)}", soft_wrap=True)

    _headline(f"{next(step)}. Recommendations")
    _answer(recommender, scenario, out)

    _headline(f"{next(step)}. Generative against collaborative filtering")
    scorers = [NAMED_MODELS[name].build() for name in BASELINES]
    scorers.append(gpt.as_scorer("generative (small GPT)"))
    scorers.append(gpt.as_scorer("generative (small GPT), guided", evidence=True))
    if recommender is not gpt:
        scorers.append(recommender.as_scorer("generative (SmolLM2 LoRA), guided", beams=20, evidence=True))
    _compare(dataset, scorers, out)

    model = shlex.quote(str(shipped_path(SHIPPED_MODEL) if scenario.language_model else out / "gpt"))
    _headline("Where things are, and what to type next")
    stdout.print(f"model        {out / 'gpt'}", soft_wrap=True)
    stdout.print(f"answers      {out / 'answers.json'}", soft_wrap=True)
    stdout.print(f"comparison   {out / 'benchmark' / 'report.md'}", soft_wrap=True)
    stdout.print(f'genrec recommend {model} --prompt "{scenario.prompts[1]}" -k 5', soft_wrap=True)
    stdout.print("genrec data import interactions.csv --items items.csv --out data/mine", soft_wrap=True)
    stdout.print(f"genrec finetune --config {GPT_CONFIG} --data data/mine --out runs/mine", soft_wrap=True)


def remove_made(out: Path) -> None:
    """Remove what an earlier demo made, and nothing else that may lie in the folder."""
    for made in (out / "gpt", out / "benchmark"):
        shutil.rmtree(made, ignore_errors=True)
    (out / "answers.json").unlink(missing_ok=True)


def _train_gpt(folder: Path, scenario: Scenario) -> Path:
    """The small GPT's model folder, trained unless it is there; an interrupted training goes on."""
    from genrec.model.description import FILE
    from genrec.shipped import shipped_path
    from genrec.training.config import FinetuneConfig
    from genrec.training.estimate import duration
    from genrec.training.finetune import finetune

    if (folder / FILE).exists():
        stdout.print(f"reused: {folder} (--fresh makes it anew)", soft_wrap=True)
        return folder
    config = FinetuneConfig.from_yaml(shipped_path(GPT_CONFIG), scenario.overrides)
    result = finetune(
        config,
        scenario.data,
        folder,
        resume=True,
        on_estimate=lambda estimate, tokenizer: stdout.print(
            f"items: {tokenizer.report()}\nestimate: {estimate}", soft_wrap=True
        ),
    )
    best = "" if result.training.best is None else f", validation NDCG@10 {result.training.best:.4f}"
    stdout.print(f"trained in {duration(result.training.seconds)}{best}")
    return folder


def _answer(recommender: Recommender, scenario: Scenario, out: Path) -> None:
    """Answer the prompts and histories, and keep the answers."""
    import json

    from genrec.cli.recommend import as_json, print_answer

    kept = []
    for prompt in scenario.prompts:
        stdout.print(f'\nprompt: "{prompt}"', style="bold", soft_wrap=True)
        answer = recommender.recommend(prompt=prompt, k=5)
        print_answer(answer, 5)
        kept.append({"prompt": prompt, **as_json(answer)})
    for history in scenario.histories:
        titles = [recommender.catalog.titles[i] for i in recommender.catalog.ids.indices(history)]
        stdout.print(f"\nhistory: {printable(', '.join(titles))}", style="bold", soft_wrap=True)
        answer = recommender.recommend(history=history, k=5)
        print_answer(answer, 5)
        kept.append(as_json(answer))
    (out / "answers.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _compare(dataset: Dataset, scorers: list[Scorer], out: Path) -> None:
    """Print the table of the benchmark, made unless it is there."""
    from genrec.benchmark.report.files import load_report, save_report
    from genrec.benchmark.run import run_benchmark
    from genrec.data.split import leave_last_out
    from genrec.training.estimate import duration

    folder = out / "benchmark"
    if not (folder / "report.json").exists():
        began = time.monotonic()
        families = {scorer.name: "generative" for scorer in scorers if scorer.name not in BASELINES}
        report = run_benchmark(leave_last_out(dataset), scorers, dataset, (True,), families)
        save_report(report, folder)
        stdout.print(f"ranked in {duration(time.monotonic() - began)}")
    else:
        stdout.print(f"reused: {folder / 'report.json'} (--fresh makes it anew)", soft_wrap=True)
    report = load_report(folder)
    results = [(model.name, report.result(model.name, True)) for model in report.models]
    rows = [
        (name, result.metrics["recall@10"].mean, result.metrics["ndcg@10"].mean) for name, result in results if result
    ]
    users = report.protocol.counts["test_questions"]
    title = f"{report.dataset}: last item of {users} users, whole catalog, seen items filtered"
    print_table(("model", "Recall@10", "NDCG@10"), rows, title=title)


def _headline(text: str) -> None:
    stdout.print(f"\n{text}", style="bold cyan", soft_wrap=True)
