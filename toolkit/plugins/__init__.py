"""How tasks are found (entry points, task files), and how ``toolkit new`` makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.plugins import discovery as discovery
    from toolkit.plugins import lookup as lookup
    from toolkit.plugins import recipes as recipes
    from toolkit.plugins.contract.fake_outputs import Probe as Probe
    from toolkit.plugins.contract.rule import Broken as Broken
    from toolkit.plugins.toml_kinds import FileKind as FileKind

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["discovery", "lookup", "recipes"],
    submod_attrs={
        "contract.fake_outputs": ["Probe"],
        "contract.rule": ["Broken"],
        "toml_kinds": ["FileKind"],
    },
)
