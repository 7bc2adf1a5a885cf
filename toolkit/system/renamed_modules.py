"""Public modules under the names that they had in version 1 of the contract.

Tasks of the version before go on working for a release (see the page on the API version), so an
import of an old name is answered with the module's present content and a ``DeprecationWarning``.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

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


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the old names; it stands behind all other finders, so nothing else pays for it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in RENAMED:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        now = RENAMED[module.__name__]
        warnings.warn(
            f"{module.__name__} is {now} since version 2 of the contract",
            DeprecationWarning,
            stacklevel=2,
        )
        content = vars(importlib.import_module(now))
        vars(module).update({n: v for n, v in content.items() if not n.startswith("__")})


def install() -> None:
    """Answer imports of the old names from now on."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
