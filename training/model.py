"""The reader as torch sees it: the MiniLM encoder with three numbers for each token.

They are the logits that an answer starts here, that it ends here, and that the sentence this
token belongs to answers. Start and end at `[CLS]` mean "not here" (Devlin et al., 2019; the null
answer of Rajpurkar et al., 2018). The logit of a sentence is the mean over its tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from transformers import BertModel

__all__ = ["Batch", "Reader", "loss"]

EVIDENCE = 2.0  # weight of the sentences' loss beside the span's
IMPOSSIBLE = -1e4


class Batch(NamedTuple):
    """Windows with their targets; B windows of at most L tokens, S sentences in all.

    Attributes:
        ids, mask, types: int64 (B, L).
        starts, ends: bool (B, L): where answers start and end; at 0 if not here.
        allowed: bool (B, L): the text of the passage, and `[CLS]`.
        sentence: int64 (B, L): number of the token's sentence in the batch, S if in none.
        evidence: float (S,): 1 where the sentence answers.
        share: float (S,): 1 / number of sentences of its window.
    """

    ids: Tensor
    mask: Tensor
    types: Tensor
    starts: Tensor
    ends: Tensor
    allowed: Tensor
    sentence: Tensor
    evidence: Tensor
    share: Tensor


class Reader(nn.Module):
    """Encoder and head; `forward` returns logits of shape (B, L, 3): start, end, evidence."""

    def __init__(self, folder: Path) -> None:
        """Load the encoder from `folder`, with a new head.

        The embeddings of words stay as they are: few words of the training are met often
        enough to move them well, and not moving them saves time.
        """
        from transformers import BertModel

        super().__init__()
        self.encoder: BertModel = BertModel.from_pretrained(
            str(folder), add_pooling_layer=False, attn_implementation="sdpa"
        )
        self.head = nn.Linear(self.encoder.config.hidden_size, 3)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.encoder.embeddings.word_embeddings.weight.requires_grad = False
        for module in self.encoder.modules():
            # On processors drawing random numbers takes as long as it helps.
            if isinstance(module, nn.Dropout):
                module.p = 0.0

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Return logits (B, L, 3) for int64 (B, L); what stands at padding means nothing."""
        states = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types)
        logits: Tensor = self.head(states.last_hidden_state)
        return logits


def loss(logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the losses of spans and of sentences, each a mean over the windows.

    The first is the mean of the cross-entropies of start and end, over the text and `[CLS]`.
    Where several spans answer, their probabilities are added (marginal likelihood: Clark and
    Gardner, 2018). The second is the binary cross-entropy of a window's sentences, all of the
    same weight, times `EVIDENCE`.

    Args:
        logits: (B, L, 3), as `Reader` returns them.
        batch: The windows they are for.
    """
    logits = logits.float()
    spans = (
        _marginal(logits[:, :, 0], batch.starts, batch.allowed)
        + _marginal(logits[:, :, 1], batch.ends, batch.allowed)
    ) / 2
    count = batch.evidence.shape[0]
    # One place more, for the tokens in no sentence.
    sums = torch.zeros(count + 1).index_add(0, batch.sentence.flatten(), logits[:, :, 2].flatten())
    sizes = torch.bincount(batch.sentence.flatten(), minlength=count + 1).clamp(min=1)
    each = functional.binary_cross_entropy_with_logits(
        (sums / sizes)[:count], batch.evidence, reduction="none"
    )
    return spans, EVIDENCE * (each * batch.share).sum() / batch.ids.shape[0]


def _marginal(logits: Tensor, gold: Tensor, allowed: Tensor) -> Tensor:
    every = logits.masked_fill(~allowed, IMPOSSIBLE).logsumexp(1)
    right = logits.masked_fill(~gold, IMPOSSIBLE).logsumexp(1)
    return (every - right).mean()
