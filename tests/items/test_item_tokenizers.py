"""What holds for every kind of item tokenizer: bijection, saving, loading."""

import json

import numpy as np
import pytest

from genrec.errors import DataError, ModelError
from genrec.items import AtomicTokenizer, ItemTokenizer, SemanticTokenizer, TitleTokenizer, load_item_tokenizer
from genrec.testing.text import word_tokenizer
from genrec.testing.tiny import FixedTokenizer

WORDS = word_tokenizer(["red", "blue", "tea", "pot", "(2)", "(3)", "green"])


def atomic() -> AtomicTokenizer:
    return AtomicTokenizer.fit(7)


def semantic() -> SemanticTokenizer:
    vectors = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    return SemanticTokenizer.fit(vectors, levels=2, codes_per_level=6)


def title() -> TitleTokenizer:
    return TitleTokenizer.fit(["red tea", "red tea", "blue tea pot", "red"], WORDS)


@pytest.mark.parametrize("make", [atomic, semantic, title])
def test_a_saved_tokenizer_loads_as_it_was(make, tmp_path):
    tokenizer = make()
    tokenizer.save(tmp_path / "new" / "folder")
    loaded = load_item_tokenizer(tmp_path / "new" / "folder")
    assert type(loaded) is type(tokenizer)
    assert loaded.codes.dtype == np.int32
    np.testing.assert_array_equal(loaded.codes, tokenizer.codes)
    assert loaded.num_codes == tokenizer.num_codes
    assert loaded.report() == tokenizer.report()
    if tokenizer.text_tokens is None:
        assert loaded.text_tokens is None
    else:
        np.testing.assert_array_equal(loaded.text_tokens, tokenizer.text_tokens)


def test_a_loaded_semantic_tokenizer_encodes_new_items_alike(tmp_path):
    tokenizer, new = semantic(), np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    tokenizer.save(tmp_path)
    np.testing.assert_array_equal(load_item_tokenizer(tmp_path).encode_new(new), tokenizer.encode_new(new))


def test_a_saved_folder_holds_json_and_safetensors_only(tmp_path):
    semantic().save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["item_tokenizer.json", "item_tokenizer.safetensors"]


@pytest.mark.parametrize("make", [atomic, semantic, title])
def test_codes_cannot_be_changed_in_place(make):
    with pytest.raises(ValueError, match="read-only"):
        make().codes[0] = 1


def test_loading_from_an_empty_folder_says_what_is_missing(tmp_path):
    with pytest.raises(ModelError, match=r"item_tokenizer\.json is missing"):
        load_item_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "message"), [("format_version", 2, "newer"), ("kind", "rq-vae", "unknown kind")]
)
def test_loading_what_this_version_does_not_know_is_refused(tmp_path, key, value, message):
    atomic().save(tmp_path)
    path = tmp_path / "item_tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(ModelError, match=message):
        load_item_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([[0, 1], [2, 0], [0, 1]], r"share their codes with another, first items \[0, 2\]"),
        ([[-1, -1], [0, 1]], "item 0 has no code"),
        ([[0, -1, 1], [0, 1, 2]], "item 0 has no code, or codes after its end"),
        ([[0], [-2]], r"must lie in 0 \.\. 0"),
    ],
)
def test_codes_that_are_no_bijection_are_refused(codes, message):
    with pytest.raises(DataError, match=message):
        FixedTokenizer(np.array(codes, dtype=np.int32))


def test_a_catalog_without_items_is_refused():
    with pytest.raises(DataError, match="at least one item"):
        AtomicTokenizer.fit(0)
    with pytest.raises(DataError, match="at least one item"):
        TitleTokenizer.fit([], WORDS)


def test_atomic_items_can_be_added():
    extended: ItemTokenizer = atomic().extend(2)
    assert extended.codes[:, 0].tolist() == list(range(9))
    assert extended.num_codes == 9


def test_a_report_is_what_the_codes_say():
    # Level 0 has codes 0..3 and uses 0 three times and 1 once; level 1 has codes 4..7 and uses three of them.
    codes = np.array([[0, 4], [0, 5], [0, 6], [1, 4]], dtype=np.int32)
    from genrec.items.report import TokenizerReport

    report = TokenizerReport.of_codes("semantic", codes, 8, [4, 4], collisions=1, num_bytes=codes.nbytes)
    assert report.utilisation == (2 / 4, 3 / 4)
    assert report.entropy[0] == pytest.approx(-(3 / 4) * np.log2(3 / 4) - (1 / 4) * np.log2(1 / 4))
    assert report.entropy[1] == pytest.approx(-(2 / 4) * np.log2(2 / 4) - 2 * (1 / 4) * np.log2(1 / 4))
    assert report.perplexity[1] == pytest.approx(2 ** report.entropy[1])
    assert json.loads(json.dumps(report.as_dict()))["utilisation"] == [0.5, 0.75]
    assert str(report).startswith("semantic: 4 items, 2 levels, 8 codes; used 50% 75%")
    assert "1 collisions resolved" in str(report)
