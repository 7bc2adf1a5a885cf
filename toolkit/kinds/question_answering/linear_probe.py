"""The linear probe for spans: starts and ends of answers, from the states of a frozen encoder.

It is two linear functions of each token's state, as in BERT's own head: the softmax of one over the
window gives the start, that of the other the end. The encoder is not trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.kinds.encoder.linear_probe import LinearProbe, safe_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

PENALTY = 1e-3
"""The penalty on squared weights of standardised states; 10 times more or less changes little."""


class SpanProbe(LinearProbe):
    """Two linear functions of states.

    Args:
        weight: shape (2, hidden).
        bias: shape (2,); it does not change a softmax, and is zero.
    """

    @classmethod
    def fit(cls, states: Sequence[np.ndarray], labels: np.ndarray) -> SpanProbe:
        """A probe fitted to the states of windows.

        Args:
            states: for each window an array of shape (tokens, hidden).
            labels: token of the start and of the end in each window, shape (windows, 2).
        """
        return cls(_fit(states, labels), np.zeros(2, dtype=np.float32))


def _fit(states: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Weights that minimise cross-entropy with a ridge penalty, shape (2, hidden)."""
    import torch

    flat = torch.from_numpy(np.concatenate(states))
    owner = torch.repeat_interleave(
        torch.arange(len(states)), torch.tensor([len(state) for state in states])
    )
    first = torch.cumsum(torch.tensor([0, *(len(state) for state in states)]), 0)[:-1]
    gold = first[:, None] + torch.from_numpy(labels)  # rows of flat
    wide = flat.float()
    scale = torch.from_numpy(safe_scale(wide.std(dim=0).numpy()))
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
