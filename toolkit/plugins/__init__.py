"""How tasks are found (entry points, task files), and how ``toolkit new`` makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.plugins import discovery as discovery
    from toolkit.plugins import recipes as recipes

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["discovery", "recipes"],
)
