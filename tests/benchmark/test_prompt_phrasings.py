"""Phrasings of the prompt suites: new to what models are trained on, and to each other."""

import pytest

from genrec.benchmark.prompts.development import DEVELOPMENT
from genrec.benchmark.prompts.final import FINAL
from genrec.benchmark.prompts.phrasings import KINDS, SLOTS, Phrasings, Theme, shared, skeleton, slots
from genrec.prompt.templates import PHRASINGS, Templates


@pytest.fixture(scope="module")
def training() -> list[str]:
    return [line for line in Templates.load().sources[PHRASINGS].splitlines() if "{{" in line]


@pytest.mark.parametrize("suite", [FINAL, DEVELOPMENT], ids=lambda suite: suite.name)
def test_no_phrasing_holds_a_sentence_of_training(suite, training):
    assert len(training) > 30
    assert {sentence: shared(sentence, training) for sentence in suite.all()} == {s: [] for s in suite.all()}
    assert suite.without(training) == suite


def test_final_phrasings_are_none_of_those_that_the_product_was_developed_with():
    developed = {skeleton(sentence) for sentence in DEVELOPMENT.all()}
    assert not [sentence for sentence in FINAL.all() if skeleton(sentence) in developed]


@pytest.mark.parametrize("suite", [FINAL, DEVELOPMENT], ids=lambda suite: suite.name)
def test_every_kind_has_ten_ways_to_say_it_and_no_unknown_slot(suite):
    assert set(suite.sentences) == set(KINDS)
    assert all(len(sentences) >= 10 for kind, sentences in suite.sentences.items() if kind != "mood")
    assert sum(len(theme.phrases) for theme in suite.themes) >= 30
    assert {slot for sentence in suite.all() for slot in slots(sentence)} <= SLOTS
    assert len(set(suite.all())) == len(suite.all())


def test_what_a_model_was_trained_to_read_is_left_out():
    mine = Phrasings("mine", {"genre": ("Only {wanted}, thanks", "well, something {wanted} then")}, ())
    themed = Phrasings("mine", {"genre": ("Only {wanted}, thanks",)}, (Theme(("comedy",), ("a good laugh",)),))
    assert mine.without(["something {{ wanted }}", "{{ wanted }}"]).all() == ["Only {wanted}, thanks"]
    assert themed.without(["A good laugh!"]).all() == ["Only {wanted}, thanks"]
