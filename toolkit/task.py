"""What a plugin author sees: a task, and the plain values it is described with.

A :class:`Task` is one class per kind of model (see :mod:`toolkit.kinds`); metrics, recipes and
panels are frozen dataclasses; metrics' and baselines' working parts are functions. Nothing here
imports torch or transformers, so that a plugin costs nothing to discover.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import DataError, PluginError
from toolkit.metrics.metric import Metric
from toolkit.panels import Panel, read_output
from toolkit.recipe import Recipe
from toolkit.system import version_1

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.row_mapping import OwnData
    from toolkit.data.source import Source
    from toolkit.metrics.target import Target

API_VERSION = 2
"""The version of this contract; a task says which one it is written for."""

OLDEST_API_VERSION = 1
"""The oldest version whose tasks still work here; see the page on the API version."""

Row = Mapping[str, Any]
"""One example: the task's columns plus ``row_id`` (the row's number in its source, from 1)."""

Predictor = Callable[["Dataset"], Sequence[Any]]
"""A fitted baseline: rows in, one prediction a row out (never ``None``)."""

Baseline = Callable[["Dataset"], Predictor]
"""A baseline: the training rows in, a fitted :data:`Predictor` out."""

Decoder = Callable[[Any, Row, Mapping[str, Any]], Any | None]
"""A decoder: a model's output, its row, and the values that :meth:`Task.tune` returned for the
system in; a prediction out, or ``None`` if the output cannot be read."""


def untuned(read: Callable[[Any, Row], Any | None]) -> Decoder:
    """A :data:`Decoder` from a function of output and row, such as a task's ``postprocess``."""
    return lambda output, row, tuned: read(output, row)


@dataclass(frozen=True)
class RowTransform:
    """A system that changes a row before the trained model answers it, such as by extracting.

    Args:
        change: a row in, the columns that become others out.
        note: what the report says beside the system's name.
    """

    change: Callable[[Row], Row]
    note: str


class Task(ABC):
    """One problem: its data, prompt, training set-ups, decoders, scorers and baselines.

    Subclass a kind (:class:`toolkit.CausalLMTask`), never this class. The core makes one instance
    per run, sets its :attr:`options` (the recipe's ``[task]`` section over the class's defaults)
    and its :attr:`state` (what :meth:`fit` returned, by :meth:`load_state`), and calls the methods
    in the order below.
    """

    api_version: ClassVar[int] = 1
    """The version of the contract that the task is written for; saying nothing means the first."""
    kind: ClassVar[str]
    """The kind of its model, as ``toolkit new --kind`` names it; set by the class subclassed."""
    name: ClassVar[str]
    """What ``toolkit run`` is given: kebab-case, and unlike the names of all other tasks."""
    summary: ClassVar[str]
    """What the task does, in a line."""
    columns: ClassVar[Mapping[str, str]]
    """Column name → one line on what it holds. ``load_rows`` returns exactly these."""
    answer: ClassVar[str | None] = None
    """The column to predict; with it :meth:`load_rows` works as it comes."""
    data: ClassVar[str | Path | None] = None
    """The task's own rows, a file beside its module; used where no other data are named."""
    synthetic: ClassVar[bool] = False
    """The task's own rows are made up: the report then says so beside its figures."""
    metrics: tuple[Metric, ...]
    """What answers are judged by; ready-made ones are in :mod:`toolkit.metrics.common`."""
    primary_metric: ClassVar[str]
    """The name of the metric that the verdict and all choices are about."""
    margin: ClassVar[float] = 0.0
    """Systems whose primary metric differs by less than this share count as equal (0.02: 2 %)."""
    recipes: ClassVar[tuple[Recipe, ...]]
    """The first is the default."""
    options: dict[str, Any] = {}
    """The task's own options: of a class their defaults, of an instance its values in the run.

    A recipe's ``[task]`` section and ``--set task.NAME=…`` name them; others are refused.
    """
    panel: ClassVar[Panel | None] = None
    """How the playground shows the task; its inputs are the columns that a prediction needs."""
    truncate: ClassVar[str | None] = None
    """The column whose end is left out of a prompt that is too long; ``None``: refuse such rows.

    The answer is never cut, and the same shortened prompt is used in training and prediction.
    """

    def __init__(self) -> None:
        self.options = dict(self.options)
        self.state: dict[str, Any] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        version_1.alias(cls)
        # The kinds name no version, so that their subclasses may; they are of today.
        if cls.api_version == 1 and not cls.__module__.startswith("toolkit."):
            version_1.adapt(cls)

    # -- data ------------------------------------------------------------------------------------
    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        """Rows with the task's columns; a ``DatasetDict`` where the source brings its own splits.

        Default, for a task that names its :attr:`answer`: the user's file or :attr:`data`, its
        columns found by name (``--text`` and ``--target`` name others), rows in the usual formats
        for fine-tuning recognised, see :mod:`toolkit.data.column_mapping`.

        Its splits are called ``train``, ``validation`` and ``test``. Rows that are hard on purpose
        (edge cases, perturbed text) can be a split ``challenge``: all systems answer them, and they
        count in :meth:`slices` alone.

        Rows that cannot be used are left out and told to ``source.leave_out(reason, row_ids)``;
        choices that were made for the user are told to ``source.note(sentence)``.
        """
        from toolkit.data.column_mapping import ColumnMapping

        if self.answer is None:
            raise PluginError(
                f"task {self.name!r} names no answer column, so it needs a load_rows of its own"
            )
        mapping = ColumnMapping(
            tuple(self.columns), self.answer, self.input_columns(), self.parse_answer
        )
        return mapping.load_rows(source, self.own_data)

    def own_data(self) -> OwnData:
        """The file that :attr:`data` names; raises :class:`DataError` where it names none."""
        from toolkit.data.row_mapping import OwnData

        if self.data is None:
            raise DataError(f"task {self.name!r} has no data of its own; name a file with --data")
        folder = Path(inspect.getfile(type(self))).parent
        return OwnData(folder / self.data, self.synthetic)

    def parse_answer(self, text: str) -> Any | None:
        """An answer as it stands in a file → as the task's rows hold it; ``None``: unusable."""
        return text or None

    def input_columns(self) -> list[str]:
        """The columns a prediction needs: the panel's inputs, else all but the answer's."""
        return [n for n in (self.panel.inputs if self.panel else self.columns) if n != self.answer]

    def load_inputs(self, source: Source) -> Dataset:
        """Rows to predict, with ``row_id`` and the input columns, whose answer is not known.

        ``source.chosen`` is what :meth:`load_rows` left there. Default: the file's columns of
        those names, or those that training took.
        """
        from toolkit.data.column_mapping import load_inputs

        return load_inputs(source, self.input_columns())

    def group(self, row: Row) -> str:
        """Rows of one group stay in one split. Default: the inputs' text, normalised.

        The inputs are the panel's, else all columns that hold text.
        """
        names = self.input_columns()
        text = " ".join(row[name] for name in names if isinstance(row.get(name), str))
        return " ".join(text.casefold().split())

    def fit(self, train: Dataset) -> dict[str, Any]:
        """Facts about the training split that later steps need (JSON values): a median, a unit.

        They are stored with the run and with the adapter, and handed to :meth:`load_state`.
        """
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over facts; a task may adapt itself to them, such as its metrics' unit."""
        self.state = dict(state)

    def augment(self, row: Row, random: Random) -> Row:
        """A training row said otherwise, with the same answer; another for each epoch.

        Held-out rows are never touched. Default: the row as it is.
        """
        return row

    # -- prompt and answer -------------------------------------------------------------------------
    @abstractmethod
    def format_example(self, row: Row) -> dict[str, Any]:
        """The kind's standard columns for a row, such as ``prompt`` and ``completion``.

        A row to be predicted holds only ``row_id`` and the input columns; its answer is then empty.
        """

    @abstractmethod
    def postprocess(self, output: Any, row: Row) -> Any | None:
        """The decoder: the kind's output dataclass in, a prediction out, ``None`` if unreadable."""

    def decoders(self) -> Mapping[str, Decoder]:
        """Named decoders; where there are several, one is chosen on the validation split."""
        return {"default": untuned(self.postprocess)}

    def tune(self, outputs: Sequence[Any], rows: Sequence[Row]) -> dict[str, Any]:
        """Values that the decoders need for one system, such as a threshold (JSON values).

        They are computed from the system's outputs on the validation rows alone, stored with the
        system as ``tuned``, and passed to each :data:`Decoder` of that system's outputs.
        """
        return {}

    def fallback(self) -> Any:
        """What an unreadable output is scored as. Nothing is dropped from any side."""
        name = type(self).__name__
        raise NotImplementedError(f"{name}.fallback: say what unreadable output counts as")

    @abstractmethod
    def reference(self, row: Row) -> Any:
        """What the metrics compare a prediction with; may hold several references."""

    def panel_data(self, output: Any, row: Row) -> Mapping[str, Any]:
        """What the panel's view draws of an output, as plain data (see :mod:`toolkit.panels`).

        Default: read from the kind's output. A task may add marks to a text, or name its labels.
        """
        return read_output(
            output,
            row,
            task=self.name,
            view=self.panel.view if self.panel else "text",
            answer=lambda: self.postprocess(output, row),
            labels=getattr(self, "labels", None),
            from_number=getattr(self, "from_number", float),
        )

    # -- judging -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        """Cheap ways to do the task, fitted on the training split."""
        return {}

    def row_transforms(self) -> Mapping[str, RowTransform]:
        """Further systems of a trained language model, which answers rows that were changed first.

        They stand in the ladder beside the adapter, each compared with it row by row.
        """
        return {}

    def controls(self) -> Mapping[str, Baseline]:
        """What shows how a figure is to be read, such as the gold answers or shuffled ones.

        They stand in the ladder, may look at the answers, and compete with nothing.
        """
        return {}

    def targets(self) -> Sequence[Target]:
        """What the task is wanted to reach; the report says of each whether it was met."""
        return ()

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        """Name → function that puts a row into a named part (``None``: into none).

        Test and challenge rows are put into parts; a column of the task says which are which.
        """
        return {}

    def residual(self, prediction: Any, reference: Any) -> float | None:
        """A non-negative misfit for split-conformal intervals; ``None``: the task has none."""
        return None

    def interval(self, prediction: Any, width: float) -> tuple[float, float]:
        """All values whose :meth:`residual` to the prediction is at most ``width``."""
        raise NotImplementedError(f"{type(self).__name__}.interval goes with residual")

    def categories(self) -> Sequence[Any] | None:
        """All values a prediction can have, in order, for a confusion matrix; ``None``: none."""
        return None

    def category(self, value: Any) -> Any | None:
        """Which of the :meth:`categories` a prediction or a reference stands for.

        ``None``: of none; a row whose reference is of none is left out of the matrix.
        """
        return value

    def metric(self, name: str | None = None) -> Metric:
        """A metric by name; the primary one without."""
        wanted = name or self.primary_metric
        return next(metric for metric in self.metrics if metric.name == wanted)


version_1.alias(Task)
