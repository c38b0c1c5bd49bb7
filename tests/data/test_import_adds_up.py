"""Whatever a file holds, every one of its rows is kept, bad, or left out on purpose."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import DataError

good = st.tuples(
    st.sampled_from(["ann", "bob", "eve"]),
    st.sampled_from(["tea", "milk", "pot", "jam"]),
    st.integers(0, 5).map(str),
    st.integers(1, 5).map(str),
)
bad = st.sampled_from(
    [
        ("", "tea", "1", "1"),
        ("ann", "", "1", "1"),
        ("ann", "tea", "soon", "1"),
        ("ann", "tea", "1", "five"),
        ("ann", "tea", "1", "nan"),
        ("ann", "tea", "1"),
        ("ann", "tea", "1", "1", "1"),
        ("ann",),
    ]
)
rows = st.lists(st.one_of(good.map(lambda row: (row, True)), bad.map(lambda row: (row, False))), max_size=30)
options = st.fixed_dictionaries(
    {"min_rating": st.sampled_from([None, 3.0]), "dedup": st.booleans(), "k_core": st.sampled_from([None, 2])}
)


@given(rows, options, st.sampled_from(["skip", "quarantine"]))
def test_read_equals_kept_plus_bad_plus_dropped(tmp_path_factory, rows, options, on_bad_rows):
    folder = tmp_path_factory.mktemp("import")
    with (folder / "log.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("user_id", "item_id", "timestamp", "rating"), *(row for row, _ in rows)])
    wrong = [line for line, (_, is_good) in enumerate(rows, 2) if not is_good]
    try:
        report = import_dataset(folder / "log.csv", folder / "out", on_bad_rows=on_bad_rows, **options)
    except DataError:
        with pytest.raises(DataError, match=f"no interactions left of {len(rows)} read"):
            import_dataset(folder / "log.csv", folder / "out", on_bad_rows=on_bad_rows, **options)
        return
    assert report.interactions.adds_up
    assert report.interactions.read == len(rows)
    assert report.interactions.bad == len(wrong)
    assert report.interactions.kept == len(Dataset.load(folder / "out").interactions)
    quarantined = folder / "out/quarantine.jsonl"
    assert quarantined.exists() == (on_bad_rows == "quarantine" and bool(wrong))
    if quarantined.exists():
        assert len(quarantined.read_text().splitlines()) == len(wrong)
    if wrong:
        with pytest.raises(DataError, match=f"log.csv, line {wrong[0]}"):
            import_dataset(folder / "log.csv", folder / "raised", **options)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_data_set_or_a_data_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    for name, header in (
        ("log.csv", b"user_id,item_id,timestamp\n"),
        ("log.jsonl", b""),
        ("x.inter", b"user_id:token\t"),
    ):
        (folder / name).write_bytes(header + content)
        try:
            report = import_dataset(folder / name, folder / "out", on_bad_rows="skip")
        except DataError:
            continue
        assert report.interactions.adds_up
