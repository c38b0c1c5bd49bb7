"""Items that a model was not trained with: their codes, and a place in the model, without training."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from genrec.data.catalog_rows import with_rows
from genrec.decoding.engines import Engine, TorchEngine
from genrec.errors import ConfigError, UnsupportedError
from genrec.items.atomic import AtomicTokenizer
from genrec.items.encoder import load_encoder
from genrec.items.semantic import SemanticTokenizer
from genrec.items.title import TitleTokenizer
from genrec.model.base import title_cutter
from genrec.model.folder import LoadedModel
from genrec.model.grow import grown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog
    from genrec.data.dataset import Dataset
    from genrec.items.base import ItemTokenizer
    from genrec.model.folder import ModelInterface

MOST_ALIKE = 10
"""Known items whose codes a new item with a code of its own starts from."""

_encoder = lru_cache(maxsize=1)(load_encoder)  # loading one takes seconds, and items come a few at a time


def with_rows_of_items(
    model: LoadedModel | ModelInterface,
    dataset: Dataset,
    engine: Engine,
    rows: pa.Table,
    vectors: NDArray[np.float32] | None = None,
) -> tuple[LoadedModel | ModelInterface, Dataset, Engine]:
    """Model, data set and engine of a recommender, with new and changed items; see ``Recommender.with_items``."""
    update = with_rows(dataset.catalog, rows)
    dataset = dataset.with_catalog(update.catalog)
    known = set(model.item_ids)
    new = [item_id for item_id in update.ids if item_id not in known]
    if not new:
        return model, dataset, engine
    if not isinstance(model, LoadedModel) or not isinstance(engine, TorchEngine):
        hint = "use engine=torch, or `genrec update` with the new items in the data set, and load the model it makes"
        raise UnsupportedError("only the torch engine takes new items without training", hint=hint)
    model = with_new_items(model, update.catalog, new, vectors)
    return model, dataset, TorchEngine(model.generator)


def with_new_items(
    model: LoadedModel, catalog: Catalog, new: Sequence[str], vectors: NDArray[np.float32] | None = None
) -> LoadedModel:
    """Make a model that can write further items of a catalog, and shares its weights with the one it is made from.

    Parameters
    ----------
    model
        A loaded model folder; left as it is.
    catalog
        Has all items of the model and the new ones.
    new
        Ids of M items that the model does not know.
    vectors
        float32 (M, D), made as those that semantic IDs were fitted on. Default: the new items' text in its part, zeros
        elsewhere.

    Raises
    ------
    UnsupportedError
        The items' codes are made of what is not known of new items.
    ConfigError
        No codes are left for them, or ``vectors`` are of another number.
    DataError
        ``vectors`` are of another width.
    """
    if vectors is not None and len(vectors) != len(new):
        raise ConfigError(f"{len(new)} items are new to the model, but there are vectors of {len(vectors)}")
    texts = catalog.text_of()
    rows = catalog.ids.indices(new)
    new_texts = [texts[row] for row in rows]
    tokenizer, alike = model.vocabulary.tokenizer, None
    extended: ItemTokenizer
    match tokenizer:
        case AtomicTokenizer():
            extended = tokenizer.extend(len(new))
            alike = _most_alike([texts[row] for row in catalog.ids.indices(model.item_ids)], new_texts)
        case TitleTokenizer():
            cutter = model.text_tokenizer or title_cutter()
            extended = tokenizer.extend([catalog.titles[row] for row in rows], cutter)
        case SemanticTokenizer():
            extended = tokenizer.extend(_vectors(model, tokenizer, new_texts) if vectors is None else vectors)
        case _:
            raise UnsupportedError(f"item tokenizers of kind {tokenizer.kind} take no new items")
    about = model.description
    described = about.model_copy(update={"dataset": about.dataset.model_copy(update={"num_items": extended.num_items})})
    return replace(
        model,
        generator=grown(model.generator, extended, alike),
        item_ids=[*model.item_ids, *new],
        description=described,
    )


def _vectors(model: LoadedModel, tokenizer: SemanticTokenizer, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of new items, float32 (M, D): text first, then what is not known of them."""
    config = model.description.items
    if config is None:
        hint = "copy the items section of its finetune.json into its genrec.json, or give vectors"
        raise UnsupportedError("the model does not say what its semantic IDs were made of", hint=hint)
    if not config.text_weight:
        hint = "give vectors of the new items, or fine-tune with items.text_weight above 0"
        raise UnsupportedError("this model's semantic IDs are made of what new items have not got", hint=hint)
    made: NDArray[np.float32] = _encoder(config.encoder).encode(
        list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
    )
    width = tokenizer.quantizer.codebooks.shape[2]
    return np.pad(made * np.float32(config.text_weight), ((0, 0), (0, width - made.shape[1])))


def _most_alike(known: Sequence[str], new: Sequence[str]) -> list[NDArray[np.int32]]:
    """Items whose words are most like those of each new one; fewer, or none, where words are not shared."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # a second, which only new items need

    vectorizer = TfidfVectorizer(token_pattern=r"\w+")
    try:
        items = vectorizer.fit_transform(known)
    except ValueError:  # not a word in the catalog
        return [np.empty(0, dtype=np.int32)] * len(new)
    similar = (vectorizer.transform(new) @ items.T).tocsr()
    found = []
    for first, end in zip(similar.indptr[:-1], similar.indptr[1:], strict=True):
        best = np.argsort(-similar.data[first:end], kind="stable")[:MOST_ALIKE]
        found.append(similar.indices[first:end][best].astype(np.int32))
    return found
