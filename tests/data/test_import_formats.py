"""RecBole, MovieLens and Amazon files, in the layout their makers publish."""

import json

import pytest

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import DataError


def write(folder, files, encoding="utf-8"):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))
    return folder


def load(source, out, **options):
    report = import_dataset(source, out, **options)
    return report, Dataset.load(out)


ML_100K = {
    "u.data": "196\t242\t3\t881250949\n186\t242\t5\t881250900\n",
    "u.item": "242|Kolya (1996)|24-Jan-1997||http://x|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "267|unknown||||1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
    "543|Misérables, Les (1995)|01-Jan-1995||http://y|0|0|0|0|1|0|0|0|1|0|0|0|1|0|0|0|0|0|0\n",
    "u.user": "196|49|M|writer|55105\n186|39|F|executive|00000\n",
}
ML_1M = {
    "ratings.dat": "1::1193::5::978300760\n1::661::3::978302109\n",
    "movies.dat": "661::James and the Giant Peach (1996)::Animation|Children's|Musical\n"
    "1193::Café Flesh (1982)::Drama\n",
    "users.dat": "1::F::1::10::48067\n",
}
LATEST = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,3,4.5,964981247\n",
    "movies.csv": "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n"
    '3,"Movie, The (2001)",(no genres listed)\n9,Nameless,Drama\n',
}


def test_movielens_100k(tmp_path):
    report, dataset = load(write(tmp_path / "ml", ML_100K, "latin-1"), tmp_path / "out")
    assert report.format == "movielens"
    assert dataset.catalog.titles == ["Kolya (1996)", "unknown", "Misérables, Les (1995)"]
    assert dataset.catalog.categories == [["Comedy"], [], ["Children's", "Drama", "Musical"]]
    assert dataset.catalog.column("year").to_pylist() == [1996, None, 1995]
    assert dataset.user_attributes.to_pylist()[1] == {
        "user_id": "186", "age": 39, "gender": "F", "occupation": "executive", "zip_code": "00000",
    }  # fmt: skip
    assert dataset.interactions.table["rating"].to_pylist() == [3, 5]


def test_movielens_1m(tmp_path):
    _, dataset = load(write(tmp_path / "ml", ML_1M, "latin-1"), tmp_path / "out")
    assert dataset.catalog.titles == ["James and the Giant Peach (1996)", "Café Flesh (1982)"]
    assert dataset.catalog.categories[0] == ["Animation", "Children's", "Musical"]
    assert dataset.catalog.column("year").to_pylist() == [1996, 1982]
    assert dataset.histories[0].tolist() == [1, 0]
    assert dataset.user_attributes["gender"].to_pylist() == ["F"]


def test_movielens_latest(tmp_path):
    folder = write(tmp_path / "ml", LATEST)
    report, dataset = load(folder, tmp_path / "out")
    assert dataset.catalog.titles == ["Toy Story (1995)", "Movie, The (2001)", "Nameless"]
    assert dataset.catalog.categories == [["Adventure", "Animation"], [], ["Drama"]]
    assert dataset.catalog.column("year").to_pylist() == [1995, 2001, None]
    assert dataset.histories[0].tolist() == [1, 0]
    by_file, same = load(folder / "ratings.csv", tmp_path / "out2", items=folder / "movies.csv")
    assert by_file.format == report.format == "movielens"
    assert same.catalog.table.equals(dataset.catalog.table)


def test_a_file_stands_for_itself_alone(tmp_path):
    _, dataset = load(write(tmp_path / "ml", ML_1M, "latin-1") / "ratings.dat", tmp_path / "out")
    assert dataset.catalog.titles == ["1193", "661"]


def test_bad_rows_of_movielens_are_named(tmp_path):
    files = {**ML_1M, "ratings.dat": "1::1193::5::978300760\n1::661::3\n1::661::five::978302109\n"}
    report, _ = load(write(tmp_path / "ml", files, "latin-1"), tmp_path / "out", on_bad_rows="skip")
    assert report.bad_rows == (
        "ratings.dat, line 2: '1::661::3' has 3 fields, not 4",
        "ratings.dat, line 3, column 'rating': 'five' is not a number",
    )


def test_movielens_names_are_needed(tmp_path):
    (tmp_path / "log.csv").write_text("userId,movieId,rating,timestamp\n1,1,4.0,964982703\n")
    with pytest.raises(DataError, match="not the name of a MovieLens file"):
        import_dataset(tmp_path / "log.csv", tmp_path / "out", format="movielens")


RECBOLE = {
    "shop.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\nu1\ti1\t4\t100.0\nu1\ti2\t5\t50\n",
    "shop.item": "item_id:token\tname:token_seq\tclass:token_seq\tprice:float\tvector:float_seq\n"
    'i1\tThe "Best" Tea\tHot Drinks\t2\t0.1 0.2\ni2\tPot\t\t10.5\t0.3 0.4\n',
    "shop.user": "user_id:token\tage:token\nu1\t33\n",
}


def test_recbole_folder(tmp_path):
    folder = write(tmp_path / "shop", RECBOLE)
    mapping = {"title": "name", "categories": "class"}
    report, dataset = load(folder, tmp_path / "out", map_item=mapping)
    assert report.format == "recbole"
    assert dataset.catalog.titles == ['The "Best" Tea', "Pot"]
    assert dataset.catalog.categories == [["Hot", "Drinks"], []]
    assert dataset.catalog.column("price").to_pylist() == [2.0, 10.5]
    assert dataset.catalog.column("vector").to_pylist() == [["0.1", "0.2"], ["0.3", "0.4"]]
    assert dataset.user_attributes["age"].to_pylist() == [33]
    assert dataset.histories[0].tolist() == [1, 0]
    with pytest.raises(DataError, match="its columns are item_id, name, class, price, vector") as caught:
        import_dataset(folder, tmp_path / "out")
    assert caught.value.hint == "say which column it is: --map-item title=name"


def test_recbole_headers_need_types(tmp_path):
    (tmp_path / "x.inter").write_text("user_id:token\titem_id\nu\ti\n")
    with pytest.raises(DataError, match="'item_id' has no RecBole type"):
        import_dataset(tmp_path / "x.inter", tmp_path / "out")


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_amazon_2014(tmp_path):
    review = {"reviewerID": "A1", "asin": "B00", "overall": 5.0, "unixReviewTime": 1400000000, "reviewText": "long"}
    reviews = jsonl(tmp_path / "reviews.json", [review, {**review, "asin": "B01", "unixReviewTime": 1300000000}])
    product = {"asin": "B00", "title": "Cream", "categories": [["Beauty", "Skin"], ["Beauty"]], "price": 3.5}
    meta = jsonl(tmp_path / "meta.json", [product])
    report, dataset = load(reviews, tmp_path / "out", items=meta)
    assert report.format == "amazon"
    assert [dataset.catalog.titles[item] for item in dataset.histories[0]] == ["B01", "Cream"]
    assert dataset.catalog.categories == [["Beauty", "Skin"], []]
    assert dataset.catalog.column("price").to_pylist() == [3.5, None]
    assert dataset.interactions.table["rating"].to_pylist() == [5, 5]


def test_amazon_2023(tmp_path):
    review = {"user_id": "A1", "parent_asin": "P0", "asin": "V0", "rating": 4.0, "timestamp": 1588687728923}
    reviews = jsonl(tmp_path / "reviews.jsonl", [review])
    product = {"parent_asin": "P0", "title": "Cream", "categories": ["Beauty"], "description": ["Soft.", "Light."]}
    report, dataset = load(reviews, tmp_path / "out", items=jsonl(tmp_path / "meta.jsonl", [product]))
    assert report.format == "amazon"
    assert dataset.interactions.table["timestamp"].to_pylist() == [1588687728]
    assert dataset.catalog.text_of() == ["Cream. Beauty. Soft. Light."]


def test_not_amazon(tmp_path):
    with pytest.raises(DataError, match="its first line has a") as caught:
        import_dataset(jsonl(tmp_path / "x.jsonl", [{"a": 1}]), tmp_path / "out", format="amazon")
    assert "reviewerID and asin" in caught.value.hint
