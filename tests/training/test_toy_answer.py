"""Toy data, in which the right next item is known, must be learned to the last user."""

import numpy as np
import pytest

from genrec.data.split import leave_last_out, next_basket
from genrec.errors import ConfigError
from genrec.evaluation.protocol import evaluate
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_basket_dataset, toy_dataset, toy_next_item
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

BASE = {"kind": "scratch", "layers": 2, "width": 64, "heads": 2, "dropout": 0}
KINDS = {
    "atomic": {"items": {"kind": "atomic"}, "training": {"epochs": 12}},
    "semantic with node residuals": {
        "items": {"kind": "semantic", "levels": 2, "codes_per_level": 6, "text_weight": 0},
        "head": {"node_residual": True},
        "training": {"epochs": 25},
    },
    "semantic with one position an item": {
        "items": {"kind": "semantic", "levels": 2, "codes_per_level": 6, "text_weight": 0},
        "head": {"node_residual": True, "one_position": True, "init": "vectors"},
        "training": {"epochs": 25},
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_gpt_of_two_layers_recommends_the_right_item_to_everyone(tmp_path, kind):
    # 6 items: no history that is asked about is longer than those trained on.
    config = FinetuneConfig.from_mapping(
        KINDS[kind]
        | {
            "base": {"kind": "scratch", "width": 64, "heads": 2, "dropout": 0},
            "prompt": {"max_items": 6, "max_tokens": 32},
        },
        ["training.tokens_per_batch=256", "training.learning_rate=3e-3", "training.validation_users=0"],
    )
    dataset = toy_dataset()
    finetune(config, dataset, tmp_path)
    recommender = Recommender.from_pretrained(tmp_path, data=dataset)
    test = leave_last_out(dataset).test
    for filter_seen in (True, False):
        assert evaluate(recommender.as_scorer(), test, ks=(1,), filter_seen=filter_seen).metrics["recall@1"] == 1.0
    answer = recommender.recommend(history=["i3", "i4", "i5", "i6", "i7"], k=3)
    assert answer.items[0].item_id == f"i{toy_next_item(7)}"
    assert np.exp(answer.items[0].logprob) > 0.5


@pytest.mark.parametrize("kind", ["atomic", "semantic with one position an item"])
def test_a_gpt_recommends_the_whole_next_basket_to_who_has_begun_one(tmp_path, kind):
    """The items of a basket come in any order, so what is next in a row is no answer."""
    config = FinetuneConfig.from_mapping(
        KINDS[kind] | {"base": BASE, "prompt": {"max_items": 16, "max_tokens": 32}, "split": "next-basket"},
        [
            *("training.tokens_per_batch=256", "training.learning_rate=3e-3", "training.validation_users=0"),
            *("training.epochs=40", "examples.half_life=100"),
        ],
    )
    dataset = toy_basket_dataset()
    finetune(config, dataset, tmp_path)
    recommender = Recommender.from_pretrained(tmp_path, data=dataset)
    assert evaluate(recommender.as_scorer(), next_basket(dataset).test, ks=(3,)).metrics["recall@3"] == 1.0
    begun = recommender.recommend(history=["i0", "i2", "i1", "i4"], k=3)
    assert {item.item_id for item in begun.items} == {"i6", "i7", "i8"}


def test_baskets_need_items_of_one_token(tmp_path, caplog):
    title = {"items": {"kind": "title"}, "base": BASE, "training": {"epochs": 1, "validation_users": 0}}
    config = FinetuneConfig.from_mapping(title | {"split": "next-basket"})
    finetune(config, toy_basket_dataset(), tmp_path / "auto")
    assert "items take several tokens, so positions are trained to predict next items" in caplog.text
    with pytest.raises(ConfigError, match=r"examples\.targets: next-basket cannot be where items take several tokens"):
        finetune(
            FinetuneConfig.from_mapping(title, ["examples.targets=next-basket"]),
            toy_basket_dataset(),
            tmp_path / "told",
        )


def test_data_that_look_like_orders_are_said_to(tmp_path, caplog):
    caplog.set_level("INFO")
    settings = {"items": {"kind": "atomic"}, "base": BASE, "training": {"epochs": 1, "validation_users": 0}}
    finetune(FinetuneConfig.from_mapping(settings), toy_basket_dataset(size=6), tmp_path / "orders")
    assert "83% of the interactions share their moment with the one before" in caplog.text
    caplog.clear()
    finetune(
        FinetuneConfig.from_mapping(settings | {"split": "next-basket"}), toy_basket_dataset(size=6), tmp_path / "b"
    )
    finetune(FinetuneConfig.from_mapping(settings), toy_dataset(), tmp_path / "sequences")
    assert "share their moment" not in caplog.text


@pytest.mark.parametrize("told", [False, True])
def test_next_baskets_are_learned_from_the_data_alone_unless_told_otherwise(tmp_path, caplog, told):
    caplog.set_level("INFO")
    settings = {"items": {"kind": "atomic"}, "base": BASE, "split": "next-basket"}
    training = {"epochs": 1, "teacher": {"scorers": ["item-knn"], "met": "leave-out", "baskets": told}}
    finetune(FinetuneConfig.from_mapping(settings | {"training": training}), toy_basket_dataset(), tmp_path)
    assert ("teacher: item-knn weighs" in caplog.text) == told
    assert ("no teacher for next baskets" in caplog.text) != told
