"""The generator: a causal-LM backbone with a code head beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from genrec.model.lean_gpt2 import LeanGPT2
from genrec.model.lean_llama import LeanLlama

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import DynamicCache, PreTrainedModel

    from genrec.items.vocabulary import ItemVocabulary
    from genrec.model.code_head import CodeHead


class Generator(nn.Module):
    """A transformers causal LM whose vocabulary is extended by item codes.

    The backbone reads vectors and returns hidden states; its own output layer over the text vocabulary is
    never evaluated. What an item token looks like and how likely the next one is are the code head's.

    Parameters
    ----------
    backbone
        Any transformers causal LM, with or without a peft adapter around it.
    head
        The code head.
    vocabulary
        Item tokens and the catalog trie.

    Examples
    --------
    >>> from genrec.testing import tiny_generator
    >>> generator = tiny_generator(num_items=6)
    >>> tokens = torch.tensor([[0, 0]])
    >>> vectors = generator.embed(tokens, torch.full_like(tokens, -1))
    >>> generator.hidden(vectors, torch.ones(1, 2), torch.tensor([[0, 1]])).shape[:2]
    torch.Size([1, 2])
    """

    def __init__(self, backbone: PreTrainedModel | PeftModel, head: CodeHead, vocabulary: ItemVocabulary) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.vocabulary = vocabulary

    @property
    def lm(self) -> PreTrainedModel:
        """The transformers causal LM, without the peft wrapper around it."""
        from transformers import PreTrainedModel  # importing peft takes seconds, which models without it need not wait

        backbone = self.backbone
        return backbone if isinstance(backbone, PreTrainedModel) else cast("PreTrainedModel", backbone.get_base_model())

    @property
    def device(self) -> torch.device:
        """Where the code head, and so the model's inputs, live."""
        return self.head.code_vectors.device

    @property
    def max_positions(self) -> int:
        """Longest sequence the backbone can read, in tokens."""
        return int(self.lm.config.max_position_embeddings)

    def embed(self, tokens: Tensor, nodes: Tensor) -> Tensor:
        """Input vectors of a mixed sequence of text and item tokens.

        Parameters
        ----------
        tokens
            int64 (B, T) token ids.
        nodes
            int64 (B, T): the trie node after each item token, -1 for text.

        Returns
        -------
        Tensor
            (B, T, D) in the backbone's dtype.
        """
        table = self.lm.get_input_embeddings()
        text_size = self.vocabulary.text_size
        vectors: Tensor = table(tokens.clamp(max=text_size - 1))
        new = tokens >= text_size
        if new.any():
            rows = self.head.input_vectors(tokens[new], nodes[new]).to(vectors.dtype)
            return vectors.masked_scatter(new.unsqueeze(-1), rows)
        if self.head.item_vectors is not None:
            item = nodes >= 0
            moved = vectors[item] + self.head.item_residual(nodes[item])  # float32, whatever the backbone is
            vectors = vectors.index_put((item,), moved.to(vectors.dtype))
        return vectors

    def hidden(
        self,
        embeddings: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        cache: DynamicCache | None = None,
        only: Tensor | None = None,
    ) -> Tensor:
        """Hidden states of the backbone's last layer.

        Parameters
        ----------
        embeddings
            (B, T, D) input vectors.
        attention_mask
            (B, S) with 1 for real ones of the S cached and new tokens, padding behind the new ones; or an additive
            float mask (B, 1, T, S).
        position_ids
            int64 (B, T).
        cache
            Keys and values of what came before; grows by T. None: nothing came before, nothing is kept.
        only
            int64 (B,): the one of the T positions of each row whose state is wanted. Default: all are.

        Returns
        -------
        Tensor
            (B, T, D), or (B, 1, D) of one position each.
        """
        base = self.lm.base_model
        is_lean = isinstance(base, LeanGPT2 | LeanLlama)
        output = base(
            inputs_embeds=embeddings,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=cache is not None,
            **({"only": only} if is_lean else {}),
        )
        hidden: Tensor = output.last_hidden_state
        if only is None or is_lean:
            return hidden
        return hidden[torch.arange(len(only), device=only.device), only][:, None]

    def trainable(self) -> dict[str, nn.Parameter]:
        """Parameters that training changes, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}
