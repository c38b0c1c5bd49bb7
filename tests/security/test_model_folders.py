"""Model folders that are broken or meant to harm: what is not as it was written is named, and nothing is run."""

import ast
import json
import pickle
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from safetensors import SafetensorError

import genrec
from genrec.errors import GenrecError, ModelError
from genrec.files import sha256
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_dataset
from genrec.testing.serving import train_toy_model

SOURCES = sorted(Path(genrec.__file__).parent.rglob("*.py"))


@pytest.fixture
def folder(model_folder, tmp_path):
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def files(folder):
    return sorted(json.loads((folder / "genrec.json").read_text())["files"])


def load(folder, data=None):
    return Recommender.from_pretrained(folder, data or toy_dataset())


def sign(folder):
    """Give the files the hashes that they have now, as whoever made them on purpose would."""
    about = json.loads((folder / "genrec.json").read_text())
    about["files"] = {name: sha256(folder / name) for name in about["files"]}
    (folder / "genrec.json").write_text(json.dumps(about))


def flip(path, other):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


def truncate(path, other):
    path.write_bytes(path.read_bytes()[:-1])


def swap(path, other):
    path.write_bytes((other / path.name).read_bytes() if (other / path.name).is_file() else b"{}")


def remove(path, other):
    path.unlink()


@pytest.mark.parametrize("harm", [flip, truncate, swap, remove])
def test_a_file_that_is_not_the_one_that_was_written_is_named(folder, tmp_path_factory, harm):
    other = train_toy_model(tmp_path_factory.mktemp("other") / "model", items="atomic", epochs=1)
    for name in files(folder):
        whole = (folder / name).read_bytes()
        harm(folder / name, other)
        if not (folder / name).exists() or (folder / name).read_bytes() != whole:
            with pytest.raises(ModelError, match=name):
                load(folder)
        (folder / name).write_bytes(whole)
    assert len(load(folder).recommend(history=["i1"], k=3).items) == 3


def test_a_catalog_that_lacks_items_of_the_model_is_named(folder):
    with pytest.raises(ModelError, match="data set"):
        load(folder, toy_dataset(items=12))


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_never_read(folder, tmp_path):
    touched = tmp_path / "touched"
    bomb = pickle.dumps(Bomb(touched))
    pickle.loads(bomb)
    assert touched.exists()  # it would
    touched.unlink()
    for name in ("pytorch_model.bin", "model.pt", "adapter_model.bin", "training_args.bin"):
        (folder / name).write_bytes(bomb)
    load(folder)  # files that nobody asks for are not looked at
    for name in files(folder):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(bomb)
        sign(folder)
        with suppress(GenrecError, OSError, ValueError, SafetensorError):  # it may be one that is not needed
            load(folder)
        (folder / name).write_bytes(whole)
    sign(folder)
    (folder / "model.safetensors").unlink()
    about = json.loads((folder / "genrec.json").read_text())
    del about["files"]["model.safetensors"]
    (folder / "genrec.json").write_text(json.dumps(about))
    with pytest.raises((GenrecError, OSError)):
        load(folder)  # and the pickle beside it is no substitute
    assert not touched.exists()


def test_nothing_in_the_package_could_run_what_a_file_says():
    assert len(SOURCES) > 100
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    assert not {"pickle", "marshal", "shelve", "dill"} & {one.name for one in names}, path
                case ast.ImportFrom(module=module):
                    assert module not in {"pickle", "marshal", "shelve", "dill"}, path
                case ast.Attribute(value=ast.Name(id="torch"), attr=attribute):
                    assert attribute != "load", path
                case ast.keyword(arg="trust_remote_code" | "allow_pickle", value=value):
                    assert isinstance(value, ast.Constant), path
                    assert value.value is False, path
