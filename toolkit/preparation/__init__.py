"""Before anything is trained: splits, leakage, lengths, preflight and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.preparation import prepare as prepare
    from toolkit.preparation.prepare import Prepared as Prepared

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["prepare"],
    submod_attrs={
        "prepare": ["Prepared"],
    },
)
