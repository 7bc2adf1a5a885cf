"""Training rows that are not there: whoever looks at them is told so."""

from __future__ import annotations

from typing import Any, NoReturn

from toolkit.errors import DataError

REASON = "training rows are needed, and none were given (--train FILE)"


class MissingRows(DataError):
    """Something cannot be fitted without training rows."""

    def __init__(self) -> None:
        super().__init__(REASON)


class NoRows:
    """Stands for a split without rows where something is fitted to it.

    A baseline that needs no training rows never looks at them; any other one raises
    :class:`MissingRows` as soon as it does, instead of fitting something to nothing.
    """

    def _refuse(self) -> NoReturn:
        raise MissingRows

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def __getitem__(self, key: Any) -> Any:
        self._refuse()

    def __iter__(self) -> Any:
        self._refuse()

    def __len__(self) -> int:
        self._refuse()
