"""The charts: whose numbers of questions are told, and what is drawn of a model that was asked few."""

from collections import Counter

import pytest

from genrec.baselines import ItemKNN, MarkovChain, Popularity
from genrec.benchmark.probes import probe
from genrec.benchmark.report.build import build_report
from genrec.benchmark.report.charts import FEWEST_IN_A_SLICE, cold_users, slices
from genrec.benchmark.report.rows import slice_tables
from genrec.benchmark.report.schema import ModelEntry
from genrec.benchmark.report.style import LIGHT
from genrec.benchmark.runner import Finished, Settings
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.evaluation.slices import item_popularity_groups
from genrec.testing import toy_dataset

DATASET = toy_dataset(users=300, items=40, length=8)
SPLIT = leave_last_out(DATASET)
GROUP = "item popularity"


def reported(models):
    """A report on models of a name, a family, a scorer and a limit of users each."""
    finished = []
    for name, family, scorer, most in models:
        rows = None if most is None else sample_rows(len(SPLIT.test), most)
        asked = SPLIT.test if rows is None else questions_at(SPLIT.test, rows)
        entry = ModelEntry(name=name, family=family, status="done", validation_ndcg=0.1)
        found = evaluate(scorer.fit(SPLIT.train), asked, filter_seen=True)
        probes, _ = probe(scorer, SPLIT.test, [True], among=rows)
        finished.append(Finished(entry, [found], {}, rows, probes))
    return build_report(finished, [SPLIT], DATASET, Settings(modes=(True,)))


def parts(most=None):
    """Questions by how popular their target is, counted one by one."""
    groups = item_popularity_groups(SPLIT.train)
    rows = sample_rows(len(SPLIT.test), most)
    return Counter(groups.names[groups.labels[SPLIT.test.targets[row][0]]] for row in rows)


def panel(figure):
    """Names and numbers under the axis, and the marks of each model: place and value."""
    figure.draw_without_rendering()
    [axes] = [axes for axes in figure.axes if f"by {GROUP}," in axes.get_title(loc="left")]
    under = dict(tick.get_text().split("\n") for tick in axes.get_xticklabels())
    drawn = [list(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in axes.lines]
    return under, [[(list(under)[round(x)], y) for x, y in marks] for marks in drawn]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


LIMIT = 24


@pytest.mark.parametrize("limited", [MarkovChain(), Popularity()], ids=["the best", "the last"])
def test_slices_tell_the_questions_of_who_was_asked_all(limited):
    report = reported([("gpt", "generative", limited, LIMIT), ("item-knn", "cf", ItemKNN(), None)])
    few, every = parts(LIMIT), {name: users for name, users in parts().items() if users >= FEWEST_IN_A_SLICE}
    kept = {name for name, users in few.items() if users >= FEWEST_IN_A_SLICE}
    assert set() < kept < set(every), "the limited model has enough questions in some parts only"
    figure = slices(report, LIGHT)
    under, marks = panel(figure)
    assert under == {name: str(users) for name, users in every.items()}
    best = [model.name for model, _ in report.ranked(True)]
    assert best.index("gpt") == (0 if isinstance(limited, MarkovChain) else 1)
    assert legend(figure) == [report.label(name) for name in best]
    for name, drawn in zip(best, marks, strict=True):
        pieces = {piece.name: piece for piece in report.result(name, True).slices if piece.group == GROUP}
        asked = kept if name == "gpt" else set(every)
        assert dict(drawn) == {part: pieces[part].metrics["ndcg@10"].mean for part in asked}


@pytest.mark.parametrize("limited", [MarkovChain(), Popularity()], ids=["the best", "the last"])
def test_a_model_without_questions_in_a_part_leaves_the_chart_to_the_others(limited):
    report = reported([("item-knn", "cf", ItemKNN(), None), ("gpt", "generative", limited, 3)])
    assert len(parts(3)) < len(parts()), "in some part, the limited model was asked nothing"
    figure = slices(report, LIGHT)
    assert legend(figure) == ["item-knn"]
    assert all(len(axes.lines) == 1 for axes in figure.axes)


def test_where_a_model_was_asked_fewer_that_is_said():
    report = reported([("item-knn", "cf", ItemKNN(), None), ("gpt", "generative", Popularity(), LIMIT)])
    assert legend(cold_users(report, LIGHT)) == ["item-knn", f"gpt ({LIMIT} users)"]
    alike = reported([("item-knn", "cf", ItemKNN(), None), ("gpt", "generative", Popularity(), None)])
    assert legend(cold_users(alike, LIGHT)) == legend(slices(alike, LIGHT)) == ["item-knn", "gpt"]
    assert ["fewer" in table.note for one in (report, alike) for table in slice_tables(one)] == [True] * 2 + [False] * 2
