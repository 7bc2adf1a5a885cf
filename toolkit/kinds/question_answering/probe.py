"""The linear probe for spans: what a frozen encoder's states tell about starts and ends.

Two linear functions of each token's state, one whose softmax over the window is the start and
one for the end, as in BERT's own head; the encoder is not trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.kinds.encoder.probe import LinearProbe

if TYPE_CHECKING:
    from datasets import Dataset

    from toolkit.kinds.question_answering.kind import QuestionAnswering

TOKENS = 60_000
"""States that are held at once while fitting: 45 MB of half floats for 384 columns."""
PENALTY = 1e-3
"""On the squared weights of standardised states; a tenth or ten times as much changes little."""


class SpanProbe(LinearProbe):
    """Two linear functions of states.

    Args:
        weight: shape (2, hidden).
        bias: shape (2,); it moves no softmax, and is kept at zero.
    """

    def logits(self, states: np.ndarray) -> np.ndarray:
        """Of states of shape (windows, tokens, hidden); shape (windows, 2, tokens)."""
        logits: np.ndarray = states @ self.weight.T.astype(states.dtype) + self.bias
        return logits.transpose(0, 2, 1)

    @classmethod
    def fit(cls, kind: QuestionAnswering, train: Dataset) -> SpanProbe:
        """Fitted on windows of training rows that are drawn until their states fill the memory."""
        features, labels = _drawn(kind, train)
        states: list[Any] = [None] * len(features)
        for batch, out, _ in kind.forward(features, adapter=False, head=False):
            held = out.last_hidden_state.float().cpu().numpy()
            for i, state in zip(batch, held, strict=True):
                states[i] = state[: len(features[i]["input_ids"])].astype(np.float16)
        return cls(_fit(states, labels), np.zeros(2, dtype=np.float32))


def _drawn(kind: QuestionAnswering, train: Dataset) -> tuple[list[Any], np.ndarray]:
    """Windows of randomly drawn training rows, and their labels, shape (windows, 2)."""
    features: list[Any] = []
    labels: list[tuple[int, int]] = []
    tokens = 0
    for at in np.random.default_rng(0).permutation(len(train)).tolist():
        piece, target = kind.first_piece(train[at])
        features.append(piece.features)
        labels.append(target)
        tokens += len(piece.features["input_ids"])
        if tokens >= TOKENS:
            break
    return features, np.asarray(labels)


def _fit(states: list[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Weights of least cross-entropy with a ridge penalty; shape (2, hidden)."""
    import torch

    flat = torch.from_numpy(np.concatenate(states))
    owner = torch.repeat_interleave(
        torch.arange(len(states)), torch.tensor([len(state) for state in states])
    )
    first = torch.cumsum(torch.tensor([0, *(len(state) for state in states)]), 0)[:-1]
    gold = first[:, None] + torch.from_numpy(labels)  # rows of flat
    wide = flat.float()
    scale = wide.std(dim=0).clamp(min=1e-4)
    wide /= scale
    weight = torch.zeros(2, wide.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = wide @ weight.T
        top = logits.detach().max(dim=0).values
        sums = torch.zeros(len(states), 2).index_add(0, owner, (logits - top).exp())
        chosen = torch.stack([logits[gold[:, side], side] for side in (0, 1)], dim=1)
        total = (
            sums.clamp(min=1e-30).log() + top - chosen
        ).mean() + PENALTY * weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    fitted: np.ndarray = (weight.detach() / scale).numpy()
    return fitted
