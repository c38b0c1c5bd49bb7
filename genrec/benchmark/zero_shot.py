"""What a language model recommends that has been trained on nothing of the data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from genrec.benchmark.generators import GeneratorScorer
from genrec.items.plain_text import PlainText
from genrec.items.title import TitleTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.config import CodeHeadConfig, PretrainedConfig
from genrec.prompt.sequence import TokenSequence
from genrec.recommend.scorer import GenerativeScorer
from genrec.trie import CatalogTrie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from genrec.baselines.base import Scorer
    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet


class TitleList:
    """Writes prompts that list titles as text, one a line, and end where the next would stand.

    Parameters
    ----------
    titles
        Of the N items.
    text_tokenizer
        Of the language model.
    heading
        First line.

    Examples
    --------
    >>> from genrec.testing.text import word_tokenizer
    >>> tokenizer = word_tokenizer(["Seen", "Heat", "Alien"])
    >>> prompt = TitleList(["Heat", "Alien"], tokenizer, "Seen").build(np.array([1, 0], dtype=np.int32))
    >>> tokenizer.decode(prompt.tokens)
    'Seen Alien Heat'
    """

    def __init__(self, titles: Sequence[str], text_tokenizer: PreTrainedTokenizerBase, heading: str) -> None:
        self._text = PlainText(text_tokenizer)
        self._titles = titles
        self._heading = heading

    def build(self, history: NDArray[np.int32]) -> TokenSequence:
        """Tokens of the prompt for item indices int32 (T,), oldest first."""
        lines = [self._heading, *(self._titles[item] for item in history), ""]
        tokens = np.concatenate([np.array(self._text.start, dtype=np.int64), self._text.tokens("\n".join(lines))])
        return TokenSequence(tokens, np.full(len(tokens), -1, dtype=np.int32))


class ZeroShotGenerator(GeneratorScorer):
    """A language model that writes titles and has been trained on nothing of the data set: what it knows already.

    The prompt lists the titles of the history as text, one a line; the trie keeps what follows to titles of the
    catalog. A user takes seconds on a CPU: measure it on a sample.

    Parameters
    ----------
    base
        Hub name or folder of a causal language model. Default SmolLM2-135M-Instruct.
    max_items
        Latest items of the history that are listed. Default 10.
    heading
        First line of the prompt.
    beams
        Beam width. Default 10.
    name
        Name in reports. Default ``"zero-shot"``.
    evidence, alpha, retriever, num_candidates
        As in :class:`~genrec.benchmark.generators.GeneratorScorer`.

    References
    ----------
    .. [1] Hou et al., "Large language models are zero-shot rankers for recommender systems", ECIR 2024, which has
       the model rank candidates that the prompt lists; here it writes titles, of the whole catalog or of a
       retriever's candidates.
    """

    def __init__(
        self,
        *,
        base: str = "HuggingFaceTB/SmolLM2-135M-Instruct",
        max_items: int = 10,
        heading: str = "Favourites of one person, in the order they were found:",
        beams: int = 10,
        name: str = "zero-shot",
        evidence: Scorer | None = None,
        alpha: float | None = None,
        retriever: Scorer | None = None,
        num_candidates: int = 200,
    ) -> None:
        super().__init__(name, evidence=evidence, alpha=alpha, retriever=retriever, num_candidates=num_candidates)
        self.base = PretrainedConfig(name=base)
        self.max_items = max_items
        self.heading = heading
        self.beams = beams

    def make(self, dataset: Dataset, validation: EvalSet | None) -> GenerativeScorer:
        """Load the language model and lay the trie of titles over it.

        Parameters
        ----------
        dataset
            Its titles are read, its interactions are not.
        validation
            Not read.
        """
        base = load_base(self.base)
        assert base.text_tokenizer is not None  # a pre-trained model has one
        titles = dataset.catalog.titles
        tokenizer = TitleTokenizer.fit(titles, base.text_tokenizer)
        vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), base.text_size)
        generator = build_generator(base, vocabulary, self.base, CodeHeadConfig())
        generator.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        return GenerativeScorer(
            generator,
            TitleList(titles, base.text_tokenizer, self.heading),
            self.max_items,
            beams=self.beams,
            name=self.name,
            batch_size=8,
        )
