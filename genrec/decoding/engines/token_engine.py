"""What engines have in common that are asked in token ids and answer with log-probabilities of some of them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genrec.decoding.engines.base import Engine
from genrec.errors import ConfigError, EngineError
from genrec.model.code_head import Children
from genrec.model.ragged import Expansion, expand, ragged_log_softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.items.vocabulary import ItemVocabulary
    from genrec.prompt.sequence import TokenSequence
    from genrec.trie import CatalogTrie

MAX_WANTED = 128
"""Token ids whose log-probabilities vLLM reports in one request (``logprob_token_ids``)."""


@dataclass(frozen=True)
class TokenQuestion:
    """How likely are some tokens after some text?

    Parameters
    ----------
    tokens
        Token ids that are read.
    wanted
        At most ``MAX_WANTED`` token ids, each a possible next one.
    """

    tokens: list[int]
    wanted: list[int]


class TokenEngine(Engine):
    """Asks a language model in token ids, level by level, for log-probabilities of the codes that may follow.

    All beams of all users of a level go in one call. The model's softmax runs over its whole vocabulary, ours over
    the children of a node; they differ by one number a beam, which dividing by the children's sum takes out. Nodes
    with more children than a request reports are asked for in parts. That each beam is sent with its prompt in front
    costs little as long as the engine caches prefixes.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie; the model has a row for each of these tokens (a merged export has).
    max_length
        Longest text the model reads, in tokens, the one it writes included.
    """

    def __init__(self, vocabulary: ItemVocabulary, max_length: int) -> None:
        super().__init__(vocabulary)
        self.max_length = max_length
        self.indptr = torch.from_numpy(vocabulary.trie.indptr.astype(np.int64))
        """int64 (num_nodes + 1,): that of the trie."""
        self.is_decided = torch.from_numpy(vocabulary.trie.is_decided)
        """bool (num_nodes,): that of the trie."""

    @abstractmethod
    def log_weights(self, questions: Sequence[TokenQuestion]) -> list[list[float]]:
        """Log-probabilities of the wanted tokens of each question, up to one constant for all those of one text."""

    def read(self, prompts: Sequence[TokenSequence]) -> TokenReader:
        """Take prompts; nothing is computed yet."""
        if min((len(prompt) for prompt in prompts), default=0) == 0:
            raise ConfigError("nothing to decode: no prompts, or one without a token")
        needed = max(len(prompt) for prompt in prompts) + self.vocabulary.trie.num_levels
        if needed > self.max_length:
            raise ConfigError(
                f"the longest prompt and an item need {needed} positions, the engine has {self.max_length}",
                hint="build prompts with a smaller max_tokens, or raise the engine's max_model_len",
            )
        return TokenReader(self, [prompt.tokens.tolist() for prompt in prompts])


class TokenReader:
    """Reads with a :class:`TokenEngine`; see :class:`~genrec.decoding.reader.CodeReader`."""

    def __init__(self, engine: TokenEngine, prompts: list[list[int]]) -> None:
        self.trie = engine.vocabulary.trie
        self.indptr = engine.indptr
        self.is_decided = engine.is_decided
        self.num_prompts = len(prompts)
        self._engine = engine
        self._prompts = prompts

    def first(self) -> Tensor:
        """Log-probabilities of the root's children after each prompt, float32 (B, K0)."""
        user = torch.arange(self.num_prompts)
        return self.grow(user, torch.zeros_like(user), user).logprob.view(self.num_prompts, -1)

    def grow(self, user: Tensor, node: Tensor, origin: Tensor) -> Children:
        """Log-probabilities of the children of beams; their nodes say all about how they grew."""
        begin = self.indptr[node]
        edges = expand(begin, self.indptr[node + 1] - begin)
        codes = _codes_to(self.trie, node.numpy())
        tokens = self._engine.vocabulary.code_tokens
        texts = [
            self._prompts[row] + tokens[path[path >= 0]].tolist()
            for row, path in zip(user.tolist(), codes, strict=True)
        ]
        logits = torch.from_numpy(self._ask(texts, edges, tokens[self.trie.code[edges.node.numpy()]]))
        return Children(edges.row, edges.node, ragged_log_softmax(logits, edges.row, len(node)), edges.first)

    def _ask(self, texts: list[list[int]], edges: Expansion, wanted: NDArray[np.int64]) -> NDArray[np.float32]:
        """Log-weights of the wanted tokens (E,), asked for text by text, in parts where there are many."""
        bounds = [*edges.first.tolist(), len(wanted)]
        questions = [
            TokenQuestion(text, wanted[start : min(start + MAX_WANTED, end)].tolist())
            for text, first, end in zip(texts, bounds[:-1], bounds[1:], strict=True)
            for start in range(first, end, MAX_WANTED)
        ]
        answers = np.array([value for row in self._engine.log_weights(questions) for value in row], dtype=np.float32)
        if len(answers) != len(wanted) or not np.isfinite(answers).all():
            raise EngineError(
                "the engine gives some item codes no finite probability",
                hint="load the model in float32 or bfloat16 (float16 overflows)",
            )
        return answers


def _codes_to(trie: CatalogTrie, nodes: NDArray[np.int64]) -> NDArray[np.int32]:
    """Codes on the way to nodes of one depth, (n, depth)."""
    codes = []
    while len(nodes) and nodes[0] > 0:
        codes.append(trie.code[nodes])
        nodes = trie.parent[nodes].astype(np.int64)
    return np.stack(codes[::-1], axis=1) if codes else np.empty((len(nodes), 0), dtype=np.int32)
