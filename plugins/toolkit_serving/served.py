"""The runs that are served: their tasks and adapters, language models on one base in memory."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import Row, Source, Task
from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.kinds import BASE, TaskModel, TextModel
from toolkit.pipeline import base_of, load_task, make_kind, open_run
from toolkit.runs import Run, read_json

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
BASE_NAME = "base"
"""The name of the untouched model among those that are served."""


@dataclass(frozen=True)
class Served:
    """One run behind its name.

    Args:
        name: how requests call it.
        run: the run.
        task: its task, with its options and state.
        kind: its model; of several language models all are on one base.
        adapter: PEFT's name of its adapter on that base.
    """

    name: str
    run: Run
    task: Task
    kind: TaskModel
    adapter: str = "default"

    @property
    def writes(self) -> bool:
        """Whether its model writes text."""
        return isinstance(self.kind, TextModel)

    @property
    def columns(self) -> list[str]:
        """The columns of the task's inputs."""
        return list(self.task.input_columns())

    def system(self, *, base: bool) -> str:
        """The system of the run whose decoder and intervals count."""
        return "base" if base else self.kind.role

    def decoder(self, *, base: bool) -> str:
        """The name of the decoder that reads the outputs."""
        entry = self.entry(base=base)
        return str(entry.get("decoder") or next(iter(self.task.decoders())))

    def entry(self, *, base: bool) -> Mapping[str, Any]:
        """The system's entry in ``predictions/systems.json``; empty where there is none."""
        entries = read_json(self.run.predictions / "systems.json")
        name = self.system(base=base)
        found: Mapping[str, Any] = next((one for one in entries if one["name"] == name), {})
        return found

    def rows(self, given: Sequence[str | Mapping[str, Any]]) -> list[Row]:
        """The task's rows of what a request holds, read as ``toolkit predict`` reads them.

        Args:
            given: texts, for a task with one input; or rows with the columns of a file.

        Raises:
            ToolkitError: they are no inputs of the task.
        """
        texts = [one for one in given if isinstance(one, str)]
        if not texts:
            return self._of_file([one for one in given if not isinstance(one, str)])
        if len(texts) < len(given):
            raise UsageError("rows are either all texts or all objects")
        if len(self.columns) != 1:
            raise UsageError(
                f"{self.task.name} takes {', '.join(self.columns)}: give objects with these fields"
            )
        return [{"row_id": number, self.columns[0]: text} for number, text in enumerate(texts, 1)]

    def _of_file(self, given: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Rows as a task reads them from a file: the same columns, and the same clean-up."""
        with tempfile.TemporaryDirectory(prefix="toolkit-serving-") as folder:
            place = Path(folder) / "rows.jsonl"
            lines = (json.dumps(one, ensure_ascii=True) for one in given)
            place.write_text("\n".join(lines) + "\n", encoding="utf-8")
            source = Source(data=str(place))
            source.chosen = dict(self.run.info["data"].get("chosen") or {})
            try:
                return [dict(row) for row in self.task.load_inputs(source)]
            except ToolkitError as error:
                sentence = str(error).replace(f"{place}: ", "").replace(str(place), "the rows")
                raise DataError(sentence) from error


@dataclass(frozen=True)
class Fleet:
    """All that one process serves.

    Args:
        members: the runs by their names.
    """

    members: Mapping[str, Served]

    @property
    def first(self) -> Served | None:
        """The first run whose model writes text: the others are on its base."""
        return next((one for one in self.members.values() if one.writes), None)

    @property
    def writers(self) -> dict[str, Served]:
        """What ``/v1/models`` lists by name, the base among it; empty where none writes text."""
        if self.first is None:
            return {}
        found = {name: one for name, one in self.members.items() if one.writes}
        return {BASE_NAME: self.first, **found}

    def side(self, name: str) -> str:
        """PEFT's name of the adapter that a served model writes with."""
        return BASE if name == BASE_NAME else self.members[name].adapter


def named(given: Sequence[str], folder: Path) -> list[tuple[str, Run]]:
    """The runs of the command line with their names: ``RUN`` or ``NAME=RUN``.

    Without a name a run is called as its task is.

    Raises:
        UsageError: a name is taken twice, or cannot stand in an address.
    """
    found: list[tuple[str, Run]] = []
    for one in given:
        name, run = _split(one)
        opened = Run.find(run, folder)
        found.append((name or str(opened.info["task"]), opened))
    for name, _ in found:
        if not NAME.fullmatch(name) or name == BASE_NAME:
            raise UsageError(
                f"{name!r} cannot name a run: take small letters, digits, dots and hyphens, and "
                f"not {BASE_NAME!r}, which is the model without an adapter"
            )
        same = [str(other.id) for its, other in found if its == name]
        if len(same) > 1:
            raise UsageError(
                f"two runs are called {name!r}: name them, as in first={same[0]} second={same[1]}"
            )
    return found


def _split(one: str) -> tuple[str, str]:
    """``NAME=RUN`` as a name and a run; a path that is there is taken whole."""
    name, equals, run = one.partition("=")
    if not equals or "/" in name or Path(one).exists():
        return "", one
    return name, run


def load(runs: Sequence[tuple[str, Run]]) -> Fleet:
    """Load the models of runs: one base for all that write text, an encoder each for the others.

    Raises:
        UsageError: two runs that write text have different bases.
        ToolkitError: a run cannot be loaded.
    """
    members: dict[str, Served] = {}
    first: Served | None = None
    for number, (name, run) in enumerate(runs):
        if first is None or not isinstance(kind := _kind_of(run), TextModel):
            task, loaded = open_run(run)
            members[name] = Served(name, run, task, loaded)
            if members[name].writes:
                first = members[name]
            continue
        if base_of(run) != base_of(first.run):
            raise UsageError(
                f"one process serves one base: {name} is for {run.info['recipe']['model']}, and "
                f"{first.name} for {first.run.info['recipe']['model']}; serve it by itself, at "
                "another --port"
            )
        assert isinstance(first.kind, TextModel)
        adapter = f"run-{number}"
        kind.share_base(first.kind, run.adapter, adapter)
        members[name] = Served(name, run, kind.task, kind, adapter)
    return Fleet(members)


def _kind_of(run: Run) -> TaskModel:
    """A run's model with its tokenizer, whose weights are not loaded."""
    if not run.done("train"):
        raise UsageError(f"run {run.id} has no adapter yet; go on with: toolkit resume {run.path}")
    return make_kind(run, load_task(run))
