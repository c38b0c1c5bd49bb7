"""eval/cold_items.py: who is asked what, and that a recommender is measured as it is asked."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from eval.cold_items import PLACES, Served, before, main, with_held_out
from genrec.data.cold import draw_items, hold_out_items
from genrec.data.split import leave_last_out
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_dataset
from genrec.testing.untrained import untrained_model

DATASET = toy_dataset(users=60, items=36, length=8)


@pytest.mark.parametrize("items", [[0], [35], [3, 17, 18]])
def test_before_items_came_nothing_knows_them(items):
    items = np.array(items)
    fewer = before(DATASET, items)
    gone = {DATASET.catalog.ids.ids[item] for item in items}
    assert fewer.catalog.ids.ids == [item for item in DATASET.catalog.ids.ids if item not in gone]
    assert fewer.num_users == DATASET.num_users
    for user in range(DATASET.num_users):
        met = [DATASET.catalog.ids.ids[item] for item in DATASET.histories[user]]
        assert [fewer.catalog.ids.ids[item] for item in fewer.histories[user]] == [
            one for one in met if one not in gone
        ]


def test_held_out_items_that_were_met_by_then_count_as_seen():
    held_out = np.zeros(DATASET.num_items, dtype=bool)
    _, tested = draw_items(DATASET, 0.2)
    held_out[tested] = True
    train, _ = hold_out_items(DATASET, tested)
    asked = with_held_out(leave_last_out(train).test, DATASET, held_out)
    more = 0
    for user, history, target, seen in zip(asked.users, asked.histories, asked.targets, asked.seen, strict=True):
        full = DATASET.histories[user].tolist()
        by_then = full[: full.index(target[0])]
        assert set(seen.tolist()) == set(history.tolist()) | {item for item in by_then if held_out[item]}
        more += len(seen) > len(history)
    assert more


def test_a_recommender_is_measured_as_it_is_asked():
    recommender = Recommender(untrained_model(DATASET), DATASET)
    histories = [DATASET.histories[user][:4] for user in range(5)]
    hidden = [np.array([user], dtype=np.int32) for user in range(5)]
    found = Served(recommender, 2).recommend(histories, 6, exclude=hidden)
    ids = DATASET.catalog.ids.ids
    for row, (history, left_out) in enumerate(zip(histories, hidden, strict=True)):
        answer = recommender.recommend(
            history=[ids[item] for item in history], k=6, new_items=2, exclude=[ids[item] for item in left_out]
        )
        assert [ids[item] for item in found.items[row]] == [item.item_id for item in answer.items]
        np.testing.assert_allclose(found.scores[row], [item.score for item in answer.items], atol=1e-4)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_script_holds_items_out_trains_and_reports(tmp_path, part):
    app = typer.Typer()
    app.command()(main)
    DATASET.save(tmp_path / "data")
    arguments = ["--data", str(tmp_path / "data"), "--part", part, "--share", "0.1", "--out", str(tmp_path / "r.json")]
    small = ["training.epochs=1", "training.validation_users=20", "training.teacher.scorers=[ease]"]
    small += ["evidence.validation_users=20", "evidence.scorers=[ease]"]
    done = CliRunner().invoke(app, [*arguments, *(word for one in small for word in ("--set", one))])
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["part"], report["held_out_items"]) == (part, 4)
    assert report["new_items"] >= 4
    assert len(report["rows"]) == len(PLACES) + 2
    reference = report["rows"][0]
    for row in report["rows"]:
        assert row["warm loss"] == pytest.approx(1 - row["warm ndcg@10"] / reference["warm ndcg@10"])
        assert 0 <= row["new items of 10"] <= 10
