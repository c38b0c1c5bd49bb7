"""The teacher's targets against the scorers they come from, and the loss against sums over items."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from genrec.baselines import ItemKNN
from genrec.baselines.sequential.sasrec import SASRec
from genrec.baselines.trained import fit_named
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.testing import tiny_generator, toy_dataset
from genrec.training.batches import collate
from genrec.training.config import TeacherConfig
from genrec.training.examples import TrainingExample
from genrec.training.finetune import finetune
from genrec.training.loss import CodeLoss
from genrec.training.pooling import pool_weights
from genrec.training.teacher import TeacherTargets, make_targets, teach

UNEVEN = np.array([[0, 3, 5], [0, 3, 6], [0, 4, -1], [1, 3, 5], [1, 5, -1], [2, -1, -1]], dtype=np.int32)


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset(users=24, items=12, length=8))


@pytest.mark.parametrize("keep_met", [True, False])
def test_targets_are_the_softmax_of_pooled_scores_at_every_position(split, keep_met):
    """Items met before have the pool's probability, by the log-odds, or the one that SASRec's network gives them."""
    histories = split.train.histories
    sasrec, knn = SASRec(width=8, epochs=2).fit(split.train), ItemKNN().fit(split.train)
    scorers, weights = [sasrec, knn], [0.5, 2.0]
    targets = teach(scorers, np.array(weights), split.train, top=5, return_log_odds=-1.5, keep_met=keep_met)
    for user in (0, 7, 23):
        for position, row in enumerate(range(histories.indptr[user], histories.indptr[user + 1])):
            before = [histories[user][:position]]
            pooled = sum(w * s.score(before)[0] for w, s in zip(weights, scorers, strict=True)).astype(np.float64)
            odds, met = np.exp(pooled), np.isin(np.arange(12), before[0])
            if keep_met:
                own = np.exp(sasrec.score(before)[0].astype(np.float64))
                probabilities = np.where(met, own, odds / odds[~met].sum() * (1 - own[met].sum()))
            else:
                odds[met] *= np.exp(-1.5)
                probabilities = odds / odds.sum()
            expected = torch.from_numpy(probabilities).topk(5)
            assert targets.probabilities[row] == pytest.approx(expected.values.numpy(), abs=2e-3)
            clear = np.diff(expected.values.numpy(), prepend=2, append=0) < -2e-3
            sure = clear[:-1] & clear[1:]
            assert (targets.items[row] == expected.indices.numpy())[sure].all()


def test_what_is_met_is_kept_as_a_network_has_it_without_its_log_odds(split):
    sasrec = SASRec(width=8, epochs=2).fit(split.train)
    before = sasrec.position_scores([split.train.histories[0]])[1]
    sasrec._network.return_log_odds.fill_(-9.0)
    np.testing.assert_array_equal(sasrec.position_scores([split.train.histories[0]], returns=False)[1], before)
    kept, left_out = (teach([sasrec], np.ones(1), split.train, top=12, keep_met=keep) for keep in (True, False))
    row = split.train.histories.indptr[1] - 1  # the last of the first user
    met = np.isin(kept.items[row], split.train.histories[0][:-1])
    expected = np.exp(before[-1][kept.items[row]])
    assert kept.probabilities[row] == pytest.approx(expected, abs=2e-3)
    assert left_out.probabilities[row][np.isin(left_out.items[row], kept.items[row][met])].sum() < 1e-3


def test_who_keeps_what_is_met_needs_a_network(split):
    with pytest.raises(ValueError, match="sasrec is none"):
        teach([ItemKNN().fit(split.train)], np.ones(1), split.train, keep_met=True)


@pytest.mark.parametrize(
    ("met", "longer", "keeps"),
    [("auto", 0.3, False), ("auto", 0.7, True), ("leave-out", 0.7, False), ("keep", 0.3, True)],
)
def test_items_met_are_kept_where_most_interactions_are_of_users_who_are_read_in_part(met, longer, keeps, tmp_path):
    """Users with 9 training interactions, of which 8 are read, have about so many of all; the others have 6 each."""
    days, users = np.divmod(np.arange(30 * 11), 30)
    rows = (days < 8) | (users < round(30 * longer))
    split = leave_last_out(toy_dataset(users=30, items=12, length=11).with_interactions(rows))
    targets = make_targets(
        TeacherConfig(scorers=["sasrec"], met=met, top=12), split.train, split.validation, 0, tmp_path, max_items=8
    )
    sasrec = fit_named("sasrec", split.train, split.validation, 0, tmp_path)
    row, before = split.train.histories.indptr[1] - 1, split.train.histories[0]
    own = np.exp(sasrec.position_scores([before], returns=False)[1][-1])
    is_met = np.isin(targets.items[row], before[:-1])
    as_network = np.allclose(targets.probabilities[row][is_met], own[targets.items[row][is_met]], atol=2e-3)
    assert as_network == keeps


def test_a_teacher_without_a_network_says_so_where_items_met_would_be_kept(split, tmp_path):
    config = TeacherConfig(scorers=["item-knn"])
    with pytest.raises(ConfigError, match="sasrec is none of its scorers"):
        make_targets(config, split.train, split.validation, 0, tmp_path, max_items=5)
    assert make_targets(config, split.train, split.validation, 0, tmp_path, max_items=6).items.shape[1] == 12


def test_scorers_that_the_data_do_not_allow_are_left_out_of_a_teacher(tmp_path, caplog):
    split = leave_last_out(replace(toy_dataset(users=24, items=12, length=8), time="order"))  # no timestamps
    config = TeacherConfig(scorers=["popularity-recent", "item-knn"], met="leave-out")
    make_targets(config, split.train, split.validation, 0, tmp_path)
    assert list(json.loads((tmp_path / "weights.json").read_text())) == ["item-knn"]
    assert "popularity-recent is left out" in caplog.text
    alone = config.model_copy(update={"scorers": ["popularity-recent"]})
    with pytest.raises(ConfigError, match="allow none of the teacher's scorers"):
        make_targets(alone, split.train, split.validation, 0, tmp_path)


def test_a_scorer_that_says_nothing_weighs_nothing():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 8)).astype(np.float32)
    probabilities = torch.softmax(torch.from_numpy(2 * logits), 1).numpy().astype(np.float64)
    probabilities /= probabilities.sum(1, keepdims=True)
    answers = [np.array([rng.choice(8, p=p)]) for p in probabilities]
    noise = rng.normal(size=logits.shape).astype(np.float32)
    assert pool_weights([logits, noise], answers) == pytest.approx([2.0, 0.0], abs=0.12)


@pytest.mark.parametrize("seed", range(12))
def test_no_weight_of_the_pool_can_be_moved_to_make_the_targets_likelier(seed):
    """The optimality conditions, also where the way to the optimum leads past zero and back."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(400, 12))
    scales = 10.0 ** rng.uniform(-2, 2, size=3)
    scores = [np.float32(scale * (truth + rng.normal(size=truth.shape) * s)) for s, scale in enumerate(scales)]
    answers = [np.array([rng.choice(12, p=np.exp(2 * t) / np.exp(2 * t).sum())]) for t in truth]
    weights = pool_weights(scores, answers) * scales

    def loss(scaled):
        pooled = sum(w / scale * part for w, scale, part in zip(scaled, scales, scores, strict=True))
        logprobs = torch.log_softmax(torch.from_numpy(pooled), 1).numpy()
        return -np.mean([row[answer[0]] for row, answer in zip(logprobs, answers, strict=True)])

    least = loss(weights)
    for which in range(3):
        for step in (-0.1, 0.1):
            moved = weights.copy()
            moved[which] = max(0.0, moved[which] + step)
            assert loss(moved) >= least - 1e-6


def logprobs_of_children(generator, items, position):
    """By node on the way to an item: the children and their log-probabilities, from a plain forward."""
    vocabulary, head = generator.vocabulary, generator.head
    real = vocabulary.tokens[items] >= 0
    tokens = torch.tensor([0, *vocabulary.tokens[items][real]])[None]
    nodes = torch.tensor([-1, *vocabulary.nodes[items][real].tolist()])[None]
    hidden = generator.hidden(
        generator.embed(tokens, nodes), torch.ones_like(tokens), torch.arange(tokens.shape[1])[None]
    )[0]
    before = int((vocabulary.tokens[items[:position]] >= 0).sum())
    path = [0, *vocabulary.nodes[items[position]][vocabulary.nodes[items[position]] >= 0].tolist()]
    for level, (parent, child) in enumerate(pairwise(path)):
        children = vocabulary.trie.children(parent).tolist()
        vectors = torch.stack([head.code_vectors[vocabulary.trie.code[node]] for node in children])
        yield children, child, torch.log_softmax(vectors @ hidden[before + level], 0)


@torch.no_grad()
def test_the_loss_sums_the_teacher_over_the_children_of_every_node(sequence):
    """Against definitions: at each node, -(1 - w) log p(child) - w sum over the teacher's items below it."""
    generator, rng, weight = tiny_generator(codes=UNEVEN), np.random.default_rng(0), 0.7
    items = [4, 0, 2, 1]
    top = np.array([rng.permutation(6)[:3] for _ in items], dtype=np.int32)
    share = rng.dirichlet(np.ones(4), size=len(items))[:, :3].astype(np.float16)
    expected = 0.0
    for position in range(len(items)):
        for children, child, logprobs in logprobs_of_children(generator, items, position):
            mass = np.zeros(len(children))
            for item, probability in zip(top[position], share[position], strict=True):
                for place, node in enumerate(children):
                    mass[place] += float(probability) * (node in generator.vocabulary.nodes[item])
            true = -float(logprobs[children.index(child)])
            taught = -(mass * logprobs.numpy()).sum() / mass.sum() if mass.sum() else true
            expected += (1 - weight) * true + weight * taught
    loss = CodeLoss(generator, teacher=TeacherTargets(top, share))
    loss.teacher_weight = weight
    example = sequence(generator, items)
    lengths = generator.vocabulary.lengths[items]
    interactions = np.append(-1, np.repeat(np.arange(len(items)), lengths))
    batch = collate([TrainingExample(example.tokens, example.nodes, example.supervised, None, interactions)])
    assert loss(batch).item() == pytest.approx(expected, rel=1e-4)
    unknown = collate([example])
    assert loss(unknown).item() == pytest.approx(CodeLoss(generator)(unknown).item(), rel=1e-6)


def test_a_run_with_a_teacher_leaves_no_targets_behind(toy_config, tmp_path):
    teacher = "training.teacher={scorers: [item-knn, bert-knn], weight: 0.9, final_weight: 0.1, top: 4}"
    config = toy_config(teacher, "training.validation_users=10", "items.kind=atomic")
    result = finetune(config, toy_dataset(users=24, length=8), tmp_path / "model")
    assert result.training.best is not None
    assert not (tmp_path / "model" / "checkpoints").exists()


def test_targets_of_other_interactions_are_refused(split, tmp_path):
    TeacherTargets(np.zeros((3, 2), np.int32), np.zeros((3, 2), np.float16)).save(tmp_path)
    with pytest.raises(ConfigError, match="targets of 3 interactions"):
        make_targets(TeacherConfig(targets=tmp_path), split.train, None, 0, tmp_path)
    with pytest.raises(ConfigError, match="needs validation users"):
        make_targets(TeacherConfig(), split.train, None, 0, tmp_path)
    with pytest.raises(ConfigError, match="no targets"):
        TeacherTargets.load(tmp_path / "nowhere")
