"""From systems to ``metrics.json``: predictions, scores, slices, the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.evaluation import groups as groups
    from toolkit.evaluation import human_guesses as human_guesses
    from toolkit.evaluation import noninferiority as noninferiority
    from toolkit.evaluation import perplexity as perplexity
    from toolkit.evaluation import preference_sheet as preference_sheet

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["groups", "human_guesses", "noninferiority", "perplexity", "preference_sheet"],
)
