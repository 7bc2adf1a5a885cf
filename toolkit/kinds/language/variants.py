"""Further systems of a trained language model: on transformed rows, and checkpoint ensembles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.kinds import checkpoint_ensemble
from toolkit.kinds.language.multi_adapter import MultiAdapterModel
from toolkit.models import adapters
from toolkit.task import Row

ENSEMBLE = "ensemble"


class VariantModel(MultiAdapterModel):
    """The part of :class:`toolkit.kinds.language.model.LanguageModel` that has further systems.

    A task's :meth:`~toolkit.task.Task.row_transforms` change a row before the adapter
    answers it. The ensemble is the mean of several checkpoints' updates of the weights, as one
    adapter (PEFT's ``add_weighted_adapter`` with ``cat``, which is exact).
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._row_transform: str | None = None
        self._members = 0

    def variants(self, *, adapter: bool) -> Mapping[str, str]:
        if not adapter:
            return {}
        found = {name: transform.note for name, transform in self.task.row_transforms().items()}
        if self._members:
            note = f"{self._members} checkpoints of one training, mean of their updates"
            found[ENSEMBLE] = note
        return found

    @contextlib.contextmanager
    def as_variant(self, name: str) -> Iterator[None]:
        before = getattr(self.model, "active_adapter", "default")
        if name == ENSEMBLE:
            self.select(ENSEMBLE)
        else:
            self._row_transform = name
        try:
            yield
        finally:
            self._row_transform = None
            self.select(before)

    def staged(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Rows as the active variant changes them."""
        if self._row_transform is None:
            return rows
        change = self.task.row_transforms()[self._row_transform].change
        return [{**row, **change(row)} for row in rows]

    def load_members(self, folder: Path) -> None:
        """Put the ensemble beside the adapter, where one was saved: a short training has none."""
        self._members = 0
        found = checkpoint_ensemble.kept(folder, 0)
        if not found:
            return
        names = [place.name for place in found]
        for place in found:
            adapters.checked_folder(place)
            self.model.load_adapter(str(place), adapter_name=place.name, is_trainable=False)
        self._members = len(names)
        try:
            self.model.add_weighted_adapter(
                names, [1 / len(names)] * len(names), ENSEMBLE, combination_type="cat"
            )
        except ValueError as error:  # such as adapters on the experts of a mixture
            self._members = 0
            self.on_note(f"there is no ensemble: {' '.join(str(error).split())}")
        for name in names:
            self.model.delete_adapter(name)
        self.select("default")
        self.model.eval()
