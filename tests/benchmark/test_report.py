"""The report: what it states, the shapes it is written in, the answer in words."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from genrec.baselines import EASE, ItemKNN, Popularity
from genrec.benchmark.cost import Latency
from genrec.benchmark.entrants import named_entrants
from genrec.benchmark.probes import probe
from genrec.benchmark.report import schema
from genrec.benchmark.report.build import build_report
from genrec.benchmark.report.charts import CHARTS
from genrec.benchmark.report.compare import compare_runs
from genrec.benchmark.report.files import load_report, save_report
from genrec.benchmark.report.labels import _box, _overlap, name_points
from genrec.benchmark.report.markdown import as_markdown
from genrec.benchmark.report.page import as_html
from genrec.benchmark.report.rows import protocol_facts
from genrec.benchmark.report.schema import Comparison, Cost, Interval, ModelEntry, Report
from genrec.benchmark.report.style import LIGHT
from genrec.benchmark.report.summary import summarise
from genrec.benchmark.report.user_rows import seed_table
from genrec.benchmark.run import run_benchmark
from genrec.benchmark.runner import Finished, Settings, run_models
from genrec.data.folds import user_folds
from genrec.data.split import leave_last_out
from genrec.errors import DataError
from genrec.evaluation.beyond_accuracy import beyond_accuracy
from genrec.evaluation.bootstrap import bootstrap_interval
from genrec.evaluation.metrics import ndcg
from genrec.evaluation.protocol import evaluate, join_evaluations
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.evaluation.seeds import mean_over_seeds
from genrec.evaluation.slices import item_popularity_groups, slice_by_target
from genrec.testing import toy_dataset

DATASET = toy_dataset()
SPLIT = leave_last_out(DATASET)
EVIL = '<script src="http://x.example/a.js">|`x`'
VOID = {"meta", "br", "img", "use", "path", "hr", "input", "link"}


def cost(milliseconds):
    times = [Latency(batch_size=size, calls=9, p50_ms=milliseconds, p99_ms=2 * milliseconds) for size in (1, 32)]
    return Cost(
        fit_seconds=1,
        rank_seconds=1,
        base_bytes=1,
        fit_peak_bytes=2,
        serve_peak_bytes=2,
        model_bytes=4096,
        latency=times,
    )


@pytest.fixture(scope="module")
def report():
    scorers = [("popularity", "floor", Popularity()), ("ease", "cf", EASE()), (EVIL, "generative", ItemKNN())]
    finished = []
    for place, (name, family, scorer) in enumerate(scorers):
        scorer.name = name
        scorer.fit(SPLIT.train)
        evaluations = [evaluate(scorer, SPLIT.test, filter_seen=mode) for mode in (True, False)]
        entry = ModelEntry(
            name=name,
            family=family,
            status="done",
            validation_ndcg=place / 10,
            cost=cost(10.0**place),
            planned_trials=1,
        )
        probes, _ = probe(scorer, SPLIT.test, [True, False])
        finished.append(Finished(entry, evaluations, {}, probes=probes))
    broken = ModelEntry(name="broken", family="cf", status="failed", note=f"no luck {EVIL}")
    late = ModelEntry(name="late", family="sequential", status="not run", note="budget")
    finished += [Finished(broken, [], {}), Finished(late, [], {})]
    return build_report(finished, [SPLIT], DATASET, Settings(), command="genrec benchmark")


def test_a_report_survives_being_written(report, tmp_path):
    save_report(report, tmp_path / "r")
    assert load_report(tmp_path / "r") == report
    assert json.loads((tmp_path / "r" / "report.json").read_text())["schema_version"] == 1
    written = {path.name for path in (tmp_path / "r").iterdir()}
    assert written == {"report.json", "report.md", "report.html", *(f"{chart.name}.png" for chart in CHARTS)}


def test_intervals_and_tests_are_those_of_the_per_user_values(report):
    expected = evaluate(EASE().fit(SPLIT.train), SPLIT.test).per_user["ndcg@10"]
    found = report.result("ease", True).metrics["ndcg@10"]
    # All metrics are resampled in one product, whose last digit depends on the processor.
    assert found.model_dump() == pytest.approx(Interval.of(bootstrap_interval(expected)).model_dump(), rel=1e-12)
    assert report.baseline == "ease"
    assert {c.model for c in report.comparisons} == {"popularity", EVIL}
    assert {(c.metric, c.filter_seen) for c in report.comparisons} == {
        (metric, mode) for metric in ("ndcg@10", "recall@10") for mode in (True, False)
    }


def test_slices_add_up_to_the_whole(report):
    result = report.result("ease", True)
    for group in {piece.group for piece in result.slices}:
        pieces = [piece for piece in result.slices if piece.group == group and piece.users]
        assert sum(piece.users for piece in pieces) == result.users
        mean = sum(piece.users * piece.metrics["ndcg@10"].mean for piece in pieces) / result.users
        assert mean == pytest.approx(result.metrics["ndcg@10"].mean)


def fitted_twice(first, second):
    """A model of two fits, as a run keeps it."""
    runs = [evaluate(scorer.fit(SPLIT.train), SPLIT.test) for scorer in (first, second)]
    per_user = {name: mean_over_seeds([run.per_user[name] for run in runs]) for name in runs[0].per_user}
    metrics = {name: float(values.mean()) for name, values in per_user.items()}
    both = replace(runs[0], metrics=metrics, per_user=per_user, more_items=(runs[1].items,))
    seeds = {"filtered": {name: [run.metrics[name] for run in runs] for name in metrics}}
    return both, seeds, probe(first, SPLIT.test, [True])[0]


def test_all_figures_of_a_model_of_several_fits_are_of_all_fits():
    both, seeds, probes = fitted_twice(ItemKNN(neighbours=1), Popularity())
    entry = ModelEntry(name="twice", family="cf", status="done")
    [model] = build_report([Finished(entry, [both], seeds, probes=probes)], [SPLIT], DATASET, Settings()).models
    [result] = model.results
    pieces = [piece for piece in result.slices if piece.group == "item popularity" and piece.users]
    mean = sum(piece.users * piece.metrics["ndcg@10"].mean for piece in pieces) / result.users
    assert mean == pytest.approx(result.metrics["ndcg@10"].mean)
    alone = [beyond_accuracy(items, SPLIT.test.histories, SPLIT.train).metrics for items in both.rankings]
    assert result.beyond == pytest.approx({name: (alone[0][name] + alone[1][name]) / 2 for name in alone[0]})
    assert result.short_histories[-1].metrics["ndcg@10"].mean == pytest.approx(seeds["filtered"]["ndcg@10"][0])
    assert model.unmeasured == []
    lost = Finished(entry, [replace(both, more_items=())], seeds, probes=probes)
    [model] = build_report([lost], [SPLIT], DATASET, Settings()).models
    assert model.unmeasured == [
        "item popularity, and what lists look like, of all 2 seeds: those of the first were kept alone"
    ]


def test_what_is_popular_is_said_by_the_users_of_each_fold():
    splits = user_folds(DATASET, 3)
    parts = [evaluate(EASE().fit(split.train), split.test) for split in splits]
    entry = ModelEntry(name="ease", family="cf", status="done")
    [model] = build_report([Finished(entry, [join_evaluations(parts)], {})], splits, DATASET, Settings()).models
    [result] = model.results
    expected = {}
    for split, part in zip(splits, parts, strict=True):
        for piece in slice_by_target(part.items, split.test.targets, item_popularity_groups(split.train), ndcg):
            expected[piece.group] = expected.get(piece.group, 0) + piece.questions
    found = {piece.name: piece.users for piece in result.slices if piece.group == "item popularity"}
    assert found == expected
    lifts = [
        beyond_accuracy(part.items, split.test.histories, split.train).metrics["popularity_lift@10"]
        for split, part in zip(splits, parts, strict=True)
    ]
    sizes = [part.num_users for part in parts]
    assert result.beyond["popularity_lift@10"] == pytest.approx(np.average(lifts, weights=sizes))


def test_a_model_that_was_asked_few_questions_is_not_the_baseline_nor_the_answer():
    few = sample_rows(len(SPLIT.test), 10)

    def model(name, family, ndcg, scorer, rows=None):
        asked = SPLIT.test if rows is None else questions_at(SPLIT.test, rows)
        entry = ModelEntry(name=name, family=family, status="done", validation_ndcg=ndcg)
        return Finished(entry, [evaluate(scorer.fit(SPLIT.train), asked)], {}, rows=rows)

    models = [
        model("ease", "cf", 0.1, EASE()),
        model("easy", "cf", 0.9, ItemKNN(), few),
        model("gpt", "generative", 0.1, Popularity()),
        model("gpt, easy", "generative", 0.9, EASE(), few),
    ]
    found = build_report(models, [SPLIT], DATASET, Settings(modes=(True,)))
    assert found.baseline == "ease"
    assert any("gpt, the generative model that is best on validation" in said for said in found.verdict)


def test_the_audit_and_the_data_card_are_in_it(report):
    assert "target in history" in {finding.check for finding in report.audit}
    assert report.data_card["interactions"] == len(DATASET.interactions)
    assert report.protocol.counts["test_questions"] == len(SPLIT.test)


def test_rows_that_other_code_made_are_named(report):
    models = [model.model_copy(update={"commit": "f00"}) for model in report.models[:2]]
    mixed = report.model_copy(update={"commit": "c0de", "models": [*models, *report.models[2:]]})
    names = ", ".join(model.name for model in models)
    assert ("rows of another commit", f"f00: {names}") in protocol_facts(mixed)
    same = mixed.model_copy(update={"commit": "f00"})
    assert "rows of another commit" not in dict(protocol_facts(same))


def test_rows_of_another_machine_and_with_generators_of_other_code_are_named(report):
    assert not {name for name, _ in protocol_facts(report) if "another" in name or "other" in name}
    first, *rest = report.models
    of_laptop = {"machine": "laptop, 4 cores used, 8 GiB", "versions": "torch 1.0", "generator_commits": ["f00"]}
    mixed = report.model_copy(update={"models": [first.model_copy(update=of_laptop), *rest]})
    facts = dict(protocol_facts(mixed))
    assert facts["rows of another machine"] == f"laptop, 4 cores used, 8 GiB: {first.name}"
    assert facts["rows of other versions"] == f"torch 1.0: {first.name}"
    assert facts["generators of another commit"] == f"f00: {first.name}"


class Page(HTMLParser):
    """Reads a page as a browser does: open elements, ids, and everything it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.fetched, self.tags = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.fetched += [values[key] for key in ("src", "srcset", "data", "action", "poster") if key in values]
        self.fetched += [v for k, v in attrs if k in ("href", "xlink:href") and not v.startswith("#")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_nothing_of_the_network(report):
    text = as_html(report)
    page = Page(text)
    assert page.open == []
    assert page.fetched == []
    assert "script" not in page.tags
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("svg") == len(CHARTS)
    assert not re.search(r"@import|url\((?!#)", text)
    assert "default-src 'none'" in text


def test_every_picture_of_the_page_has_a_name_and_the_colours_of_the_page(report):
    text = as_html(report)
    used, defined = set(re.findall(r"var\((--[\w-]+)\)", text)), set(re.findall(r"(--[\w-]+):", text))
    assert used <= defined
    light, dark = text.split("prefers-color-scheme: dark", 1)
    assert set(re.findall(r"(--[\w-]+):", light)) == set(re.findall(r"(--[\w-]+):", dark))
    assert not re.findall(r"#0[123]0[123]0[123]", text)
    assert text.count('role="img" aria-label="') == len(CHARTS)


def test_names_make_no_markup(report):
    assert EVIL not in as_html(report)
    lines = [line for line in as_markdown(report).splitlines() if "x.example" in line and line.startswith("|")]
    assert lines
    assert all("<script" not in line for line in lines)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines if "generative" in line and "baseline" not in line}
    assert len(widths) == 1


def test_what_has_no_figures_is_told_everywhere(report):
    for text in (as_html(report), as_markdown(report), "\n".join(report.verdict)):
        assert "broken" in text
        assert "late" in text


def test_the_docs_name_every_field():
    text = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text(encoding="utf-8")
    models = [
        value for value in vars(schema).values() if isinstance(value, type) and issubclass(value, schema.BaseModel)
    ]
    for model in models:
        for field in model.model_fields:
            assert f"`{field}`" in text, f"{model.__name__}.{field}"


def test_every_field_has_a_docstring():
    source = Path(schema.__file__).read_text(encoding="utf-8")
    fields = re.findall(r"^    (\w+): .+\n(    \"\"\")?", source, flags=re.MULTILINE)
    assert [name for name, documented in fields if not documented] == []


def answered(
    difference, low, high, p, family="generative", ranks=(0.1, None), rival="cf", name="gpt", detectable=0.02, **changes
):
    """The verdict on one generative model that differs so much from the baseline."""
    models = [
        ModelEntry(name="ease", family=rival, status="done", validation_ndcg=0.1),
        ModelEntry(name=name, family=family, status="done", validation_ndcg=0.1, planned_trials=1, trials=[]),
    ]
    models[1].planned_trials = 0
    test = Comparison(
        metric="ndcg@10",
        filter_seen=True,
        model=name,
        baseline="ease",
        mean=0.1 + difference,
        baseline_mean=0.1,
        difference=Interval(mean=difference, low=low, high=high),
        better=1,
        worse=1,
        effect=0.1,
        rank_effect=ranks[0],
        p_randomisation=p,
        p_wilcoxon=p,
        p_holm=p,
        p_wilcoxon_holm=p if ranks[1] is None else ranks[1],
        detectable=detectable,
        compared=1,
    )
    base = run_benchmark(SPLIT, [Popularity()], DATASET, [True])
    update = {"models": models, "comparisons": [test], "baseline": "ease", "audit": [], **changes}
    return summarise(base.model_copy(update=update))


@pytest.mark.parametrize(
    ("figures", "answer"),
    [
        ((0.05, 0.02, 0.08, 0.001), "Generation beats collaborative filtering here."),
        ((-0.05, -0.08, -0.02, 0.001), "Generation does not beat collaborative filtering here: it is worse."),
        (
            (0.05, -0.01, 0.08, 0.3),
            "Not shown that generation beats collaborative filtering here, nor that it does not.",
        ),
        # the test alone, or the interval alone, is not enough
        ((0.05, -0.001, 0.08, 0.04), "Not shown that generation beats collaborative filtering here"),
        ((0.05, 0.001, 0.08, 0.06), "Not shown that generation beats collaborative filtering here"),
    ],
)
def test_the_answer_says_no_more_than_the_tests(figures, answer):
    sentences = answered(*figures)
    assert sentences[0].startswith(answer)
    assert ("found in 4 of 5" in sentences[1]) == answer.startswith("Not shown")


@pytest.mark.parametrize(
    ("ranks", "says"),
    [
        ((0.1, 0.001), None),
        ((0.1, 0.2), "gpt: Wilcoxon's test does not confirm it (p = 0.200; 1 users better off, 1 worse)"),
        ((-0.1, 0.001), "gpt: Wilcoxon's test points the other way (p = 0.001; 1 users better off, 1 worse)"),
    ],
)
def test_ranks_that_disagree_with_the_mean_are_said(ranks, says):
    sentences = answered(0.05, 0.02, 0.08, 0.001, ranks=ranks)
    doubts = [sentence for sentence in sentences if "Wilcoxon" in sentence]
    assert len(doubts) == (says is not None)
    assert all(says in sentence for sentence in doubts)
    assert not any("Wilcoxon" in sentence for sentence in answered(0.05, -0.01, 0.08, 0.3, ranks=ranks))


def test_a_helped_generator_without_its_help_beside_it_says_so():
    figures = (0.05, 0.02, 0.08, 0.001)
    for help_of, does in (("candidates", "choose what may be recommended by"), ("evidence", "guide")):
        said = answered(*figures, family="hybrid", name=f"gpt+{help_of}")[2]
        assert said.startswith(f"EASE and text {does} gpt+{help_of}, and have no figures by themselves here")
    alone = ModelEntry(name="ease+text", family="fusion", status="done", validation_ndcg=0.05)
    entries = [ModelEntry(name="ease", family="cf", status="done", validation_ndcg=0.1), alone]
    entries.append(ModelEntry(name="gpt+evidence", family="hybrid", status="done", validation_ndcg=0.1))
    for sentences in (answered(*figures, family="hybrid", name="gpt+evidence", models=entries), answered(*figures)):
        assert not any("by themselves" in sentence for sentence in sentences)


def test_of_models_that_answer_alike_nothing_could_have_been_found():
    assert "4 of 5" not in " ".join(answered(0.0, 0.0, 0.0, 1.0, detectable=0.0))
    assert "0.000" not in " ".join(answered(0.0, 0.0, 0.0, 1.0, detectable=0.0)[1:]).replace("+0.0000", "")


def test_a_fusion_without_a_generator_is_a_rival():
    sentences = answered(0.05, 0.02, 0.08, 0.001, rival="fusion")
    assert sentences[0] == "Generation beats the best fusion without a generator here."


def test_seeds_are_summarised():
    found = run_benchmark(SPLIT, [Popularity(), EASE()], DATASET, [True])
    assert seed_table(found).rows == []
    seeds = {"ndcg@10": [0.1, 0.12, 0.11], "recall@10": [0.2, 0.2, 0.2]}
    found.models[0].results[0].seeds.update(seeds)
    assert seed_table(found).rows == [["popularity", "3", "0.1100 ± 0.0100", "0.1000", "0.1200", "0.2000 ± 0.0000"]]


def test_without_a_generative_model_generation_is_not_mentioned():
    sentences = answered(0.05, 0.02, 0.08, 0.001, family="sequential")
    assert "eneration" not in " ".join(sentences)
    assert sentences[0] == "Better than ease: gpt (sequential, +0.0500). Worse: 0. Not told apart: 0."


def test_when_no_generative_model_came_to_an_end_the_question_is_open():
    cf, other = (ModelEntry(name=name, family="cf", status="done", validation_ndcg=0.1) for name in ("ease", "gpt"))
    late = ModelEntry(name="late", family="generative", status="not run", note="budget")
    sentences = answered(0.05, 0.02, 0.08, 0.001, models=[cf, other, late])
    assert sentences[0] == "Whether generation beats collaborative filtering is open: no generative model has figures."


def test_a_leak_takes_the_figures_back():
    finding = schema.Finding(check="target in history", severity="problem", sentence="", count=3)
    assert any("cannot be believed" in sentence for sentence in answered(0.05, 0.02, 0.08, 0.001, audit=[finding]))


def test_a_ceiling_is_compared_with_nobody():
    scorers = [Popularity(), EASE(), ItemKNN()]
    found = run_benchmark(SPLIT, scorers, DATASET, [True], {"item-knn": "ceiling"})
    assert all("item-knn" not in (c.model, c.baseline) for c in found.comparisons)
    assert "item-knn" not in [model.name for model, _ in found.ranked(True, ceiling=False)]
    assert "item-knn" in [model.name for model, _ in found.ranked(True)]


@pytest.mark.parametrize("number", [20, 80])
def test_names_of_points_do_not_lie_over_each_other(number):
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    rng = np.random.default_rng(0)
    points = [(float(10 ** rng.uniform(0, 3)), float(rng.uniform(0.05, 0.1)), f"model-{i}") for i in range(number)]
    figure = Figure(figsize=(8.2, 4.6))
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_xlim(0.5, 5000)
    axes.set_ylim(0, 0.11)
    always = ["model-0", "model-1", "model-2"]
    left_out = name_points(figure, axes, points, LIGHT, always)
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the line to its mark
    written = [text.get_text() for text in axes.texts]
    assert sorted(written + left_out) == sorted(name for *_, name in points)
    assert set(always) <= set(written)
    assert bool(left_out) == (number == 80), "where there is room, all are named"
    overlaps = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if _overlap(tuple(a.extents), tuple(b.extents))]
    assert overlaps == []


def test_two_boxes_side_by_side_do_not_overlap():
    assert not _overlap(_box(0, 0, 5, 0, "a"), _box(0, 30, 5, 0, "a"))
    assert _overlap(_box(0, 0, 5, 0, "a"), _box(1, 1, 5, 0, "a"))


def test_two_runs_of_the_same_questions_are_compared_user_by_user(tmp_path):
    grids = [{"item-knn": {"neighbours": [8]}}, {"item-knn": {"neighbours": [1]}}]
    settings = Settings(modes=(True,))
    for number, grid in enumerate(grids):
        entrants = named_entrants(["item-knn", "popularity"][: 2 - number], grid)
        finished = run_models([SPLIT], entrants, tmp_path / str(number), settings)
        save_report(build_report(finished, [SPLIT], DATASET, settings), tmp_path / str(number))
    found = compare_runs(tmp_path / "0", tmp_path / "1")
    assert found.paired
    assert found.only_first == ["popularity"]
    change = next(change for change in found.changes if change.metric == "ndcg@10")
    values = [evaluate(ItemKNN(neighbours=n).fit(SPLIT.train), SPLIT.test).per_user["ndcg@10"] for n in (8, 1)]
    expected = bootstrap_interval(values[1] - values[0])
    assert (change.difference, change.low, change.high) == pytest.approx((expected.mean, expected.low, expected.high))


def test_runs_of_other_questions_are_compared_without_a_test(tmp_path):
    for name, dataset in (("a", DATASET), ("b", toy_dataset(users=30))):
        save_report(run_benchmark(leave_last_out(dataset), [Popularity()], dataset), tmp_path / name)
    found = compare_runs(tmp_path / "a", tmp_path / "b")
    assert not found.paired
    assert all(change.p_holm is None for change in found.changes)
    assert "different questions (toy, leave-last-out, 60 questions; toy, leave-last-out, 30 questions)" in found.about


@pytest.mark.parametrize("text", [None, "{", '{"schema_version": 2}', '{"dataset": "toy"}'])
def test_what_is_no_report_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    with pytest.raises(DataError, match=r"report\.json"):
        load_report(tmp_path)


def test_a_report_has_the_version_it_is_read_by(report):
    assert Report.model_validate_json(report.model_dump_json()).schema_version == schema.SCHEMA_VERSION
