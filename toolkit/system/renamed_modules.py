"""Public modules under the names that they had in version 1 of the contract.

Tasks of the version before go on working for a release (see the page on the API version), so an
import of an old name is answered with the module's present content and a ``DeprecationWarning``.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

RENAMED = {
    "toolkit.columns": "toolkit.data.columns",
    "toolkit.decode": "toolkit.decoding",
    "toolkit.hookspecs": "toolkit.plugins.hookspecs",
    "toolkit.precision": "toolkit.system.precision",
    "toolkit.reading": "toolkit.data.readers.read",
    "toolkit.source": "toolkit.data.source",
    "toolkit.tables": "toolkit.data.tables",
    "toolkit.wording": "toolkit.formatting",
}
"""Name in version 1 → name now."""

FURTHER = {
    "toolkit.reading": "toolkit.data.load",
    "toolkit.source": "toolkit.data.row_mapping",
}
"""Name in version 1 → a further module, which has some of its functions now."""


class _Finder:
    """Finds and loads the old names; it stands behind all other finders, so nothing else waits.

    ``importlib.abc`` has base classes for this, which take longer to import than all of the rest.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        loader: Any = self
        return ModuleSpec(fullname, loader) if fullname in RENAMED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        now = RENAMED[module.__name__]
        warnings.warn(
            f"{module.__name__} is {now} since version 2 of the contract",
            DeprecationWarning,
            stacklevel=2,
        )
        for name in filter(None, (FURTHER.get(module.__name__), now)):
            content = vars(importlib.import_module(name))
            vars(module).update({n: v for n, v in content.items() if not n.startswith("__")})


def install() -> None:
    """Answer imports of the old names from now on."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
