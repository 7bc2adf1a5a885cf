"""The embedded models: small, trained by this project from text that it generates itself.

``path()`` tells where the weights are; loading them is left to transformers. Nothing heavy is
imported here.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["NAMES", "path"]

NAMES = {"causal-lm": "causal_lm"}
"""The embedded models by name, and the folder of each."""


def path(name: str = "causal-lm") -> Path:
    """The folder of an embedded model, for ``from_pretrained``.

    Raises ``KeyError`` for a name that no embedded model has, and ``FileNotFoundError`` where the
    weights are missing: a checkout without them, which ``python -m toolkit.models.build`` mends.
    """
    if name not in NAMES:
        known = ", ".join(sorted(NAMES))
        raise KeyError(f"no embedded model is called {name!r}; there is: {known}")
    folder = Path(__file__).parent / NAMES[name]
    if not (folder / "model.safetensors").is_file():
        raise FileNotFoundError(
            f"{folder} has no weights; build them with `python -m toolkit.models.build {name}`"
        )
    return folder
