"""What guides weigh: a generator is asked once, because a language model takes seconds for an answer."""

import numpy as np
import pytest

from genrec.baselines import EASE, MarkovChain
from genrec.baselines.sequential.returning import fit_return_log_odds
from genrec.data.split import leave_last_out
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.recommend import guides as module
from genrec.recommend.fusion import Fusion, on_one_scale
from genrec.recommend.guides import choose_guides
from genrec.testing import toy_dataset

SPLIT = leave_last_out(toy_dataset(users=90, items=24))


class Asked(MarkovChain):
    """Counts the questions put to it."""

    asked = 0

    def score(self, histories):
        self.asked += len(histories)
        return super().score(histories)


@pytest.mark.parametrize("users", [20, 70, 1000])
def test_a_generator_is_asked_once_and_the_odds_are_those_of_asking_again(monkeypatch, users):
    monkeypatch.setattr(module, "RETURN_USERS", 40)
    generator = Asked().fit(SPLIT.train)
    guides = Fusion([EASE().fit(SPLIT.train)], [1.0])
    weights, odds = choose_guides(generator, guides, SPLIT.validation, users)
    assert generator.asked == min(users, len(SPLIT.validation))
    some = questions_at(SPLIT.validation, sample_rows(len(SPLIT.validation), min(users, 40)))
    scores = generator.score(some.histories) + np.float32(weights[0]) * guides.part(0, some.histories)
    assert odds == fit_return_log_odds(on_one_scale(scores, "log-probability"), some)
