from __future__ import annotations

import json
from itertools import islice

import pytest
import torch

from eval.training_speed import RECIPE, Base, Rows, Sequences, load, main, sides, stream
from genrec.shipped import shipped_path
from genrec.training.batches import collate
from genrec.training.config import FinetuneConfig
from genrec.training.data import load_training_data

CONFIG = FinetuneConfig.from_yaml(shipped_path(RECIPE))


@pytest.mark.parametrize("rows", Rows)
def test_both_sides_see_the_same_tokens_and_start_from_the_same_loss(tmp_path, capsys, rows):
    out = tmp_path / "speed.json"
    main(base=Base.tiny, data="toy", rows=rows, steps=2, rounds=2, out=out, as_json=True)
    report = json.loads(out.read_text())
    assert json.loads(capsys.readouterr().out) == report
    assert set(report["results"]) == set(Sequences)
    for result in report["results"].values():
        genrec, transformers = result["sides"]["genrec"], result["sides"]["transformers"]
        assert genrec["real_tokens"] == transformers["real_tokens"] > 0
        assert transformers["steps"] == 2 * 2
        assert genrec["real_tokens_per_second"] > 0
        assert transformers["real_tokens_per_second"] > 0
        loss = result["initial_loss"]
        assert loss["genrec"] == pytest.approx(loss["transformers_over_items"], abs=1e-3)
        # transformers also gives the text tokens a share of the softmax, genrec does not
        assert loss["transformers"] > loss["transformers_over_items"]


@pytest.mark.parametrize("rows", Rows)
def test_both_sides_train_the_item_rows_of_one_tied_matrix(rows):
    parts = load_training_data(CONFIG, "toy")
    titles = parts.train.catalog.titles
    one, other = sides(Base.tiny, CONFIG, titles, rows)
    base = load(Base.tiny, CONFIG, titles)
    examples = list(islice(stream(one.generator, base.text_tokenizer, CONFIG, parts, Sequences.recipe), 32))
    matrix = base.lm.get_input_embeddings().weight
    initial = one.generator.head.code_vectors.detach().clone()
    first = other.losses(examples)[1]

    assert one.train(examples).tokens == other.train(examples).tokens == sum(map(len, examples))
    assert one.loss(collate(examples)) < first
    assert other.losses(examples)[1] < first

    merged = other.model.merge_and_unload()
    trained = merged.get_input_embeddings().weight
    torch.testing.assert_close(merged.get_output_embeddings().weight, trained)
    assert trained.shape == (len(matrix) + len(titles), matrix.shape[1])
    assert (trained[base.text_size :] != initial).any(1).all()
    if rows is Rows.trainable_token_indices:
        torch.testing.assert_close(trained[: base.text_size], matrix)
