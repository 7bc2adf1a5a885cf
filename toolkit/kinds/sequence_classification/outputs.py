"""The output of a sequence classifier. Importing this loads no heavy library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Classified:
    """A sequence classifier's output for one row.

    Args:
        logits: the head's output, shape (labels,); of regression shape (numbers,).
        labels: the classes in the order of the logits; empty for regression.
        seconds: the row's share of its batch's time.
        tokens: always ``None``: nothing is generated.
        hit_limit: always false, for the same reason.
    """

    logits: np.ndarray
    labels: tuple[Any, ...] = ()
    seconds: float = 0.0
    tokens: int | None = None
    hit_limit: bool = False

    @property
    def readable(self) -> bool:
        """Whether all logits are finite numbers."""
        import numpy as np

        return bool(np.isfinite(self.logits).all())

    @property
    def probabilities(self) -> np.ndarray:
        """The softmax of the logits, shape (labels,)."""
        import numpy as np

        exponentials = np.exp(self.logits - self.logits.max())
        shares: np.ndarray = exponentials / exponentials.sum()
        return shares

    @property
    def text(self) -> str:
        """The output in words: the likeliest classes with their probabilities, or the numbers."""
        if not self.labels:
            return ", ".join(f"{number:.4g}" for number in self.logits.tolist())
        ranked = sorted(
            zip(self.labels, self.probabilities.tolist(), strict=True), key=lambda pair: -pair[1]
        )
        return ", ".join(f"{label} {share:.2f}" for label, share in ranked[:3])


@dataclass(frozen=True)
class Labelled(Classified):
    """The output of a classifier of several labels a row; arguments as of :class:`Classified`."""

    @property
    def probabilities(self) -> np.ndarray:
        """The sigmoid of each logit, shape (labels,): labels do not exclude each other."""
        from scipy.special import expit

        shares: np.ndarray = expit(self.logits)
        return shares

    @property
    def detail(self) -> dict[str, float]:
        """The probability of each label, kept with the row's prediction."""
        pairs = zip(self.labels, self.probabilities.tolist(), strict=True)
        return {str(label): round(share, 4) for label, share in pairs}
