import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.identifiers import IdMap
from genrec.errors import DataError, UnknownIdError

ids = st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True)


@given(ids)
def test_indices_and_ids_are_inverse(values):
    map = IdMap(values)
    assert map.indices(values).tolist() == list(range(len(values)))
    assert [map[index] for index in range(len(map))] == values == map.ids
    assert all(value in map for value in values)


def test_indices_are_int32_in_the_order_asked():
    indices = IdMap(pa.array(["a", "b", "c"])).indices(pa.chunked_array([["c"], ["a", "c"]]))
    assert indices.dtype == np.int32
    assert indices.tolist() == [2, 0, 2]


def test_no_ids_give_no_indices():
    assert IdMap(["a"]).indices([]).shape == (0,)


def test_unknown_id_is_named_with_its_likes():
    with pytest.raises(UnknownIdError, match="'Heat_1996'") as caught:
        IdMap(["Heat_1995", "Alien"]).indices(["Alien", "Heat_1996"])
    assert caught.value.hint == "did you mean 'Heat_1995'?"


def test_unknown_id_unlike_all_others():
    with pytest.raises(UnknownIdError) as caught:
        IdMap(["aaaa"]).indices(["zz"])
    assert caught.value.hint == "1 ids are known, none like it"


@pytest.mark.parametrize(("asked", "known"), [("1", "00001"), ("007", "7"), ("0", "000")])
def test_an_id_with_other_leading_zeros_is_told_so(asked, known):
    with pytest.raises(UnknownIdError) as caught:
        IdMap(["11", known, "10000"], "user").indices([asked])
    assert caught.value.message == f"unknown user id {asked!r}"
    assert caught.value.hint == f"did you mean {known!r}? Leading zeros are part of an id"


def test_other_types_are_not_members():
    assert 1 not in IdMap(["1"])


@pytest.mark.parametrize(("values", "message"), [(["a", "b", "a"], "'a'"), (["a", None], "null")])
def test_ids_must_be_there_and_distinct(values, message):
    with pytest.raises(DataError, match=message):
        IdMap(pa.array(values, pa.string()))
