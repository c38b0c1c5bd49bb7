from __future__ import annotations

import pytest

from genrec.cache import cache_folder


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@pytest.mark.parametrize("value", [None, ""])
def test_the_cache_lies_in_the_home_folder_if_the_environment_says_nothing(tmp_path, monkeypatch, value):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GENREC_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("GENREC_CACHE", value)
    assert cache_folder() == tmp_path / ".cache" / "genrec"
