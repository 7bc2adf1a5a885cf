"""The contract between the toolkit and its plugins: a task, and the values that describe it.

A :class:`Task` is subclassed once for each kind of task (see :mod:`toolkit.kinds`); metrics,
recipes and panels are frozen dataclasses; what metrics and baselines compute is given as functions.
Nothing here imports torch or transformers, so that plugins are discovered quickly.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.data.grouping import ROW_GROUP
from toolkit.data.normalization import normalized
from toolkit.errors import DataError, PluginError
from toolkit.metrics.metric import Metric
from toolkit.panels import Panel, read_output
from toolkit.recipe import Recipe
from toolkit.system import version_1

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.profiles import Profile
    from toolkit.data.row_mapping import OwnData
    from toolkit.data.source import Source
    from toolkit.metrics.target import Target

API_VERSION = 2
"""The version of this contract; a task names the one that it is written for."""

OLDEST_API_VERSION = 1
"""The oldest version whose tasks still work; see the page on the API version."""

Row = Mapping[str, Any]
"""One example: the task's columns plus ``row_id`` (the row's number in its source, from 1)."""

Predictor = Callable[["Dataset"], Sequence[Any]]
"""A fitted baseline: rows in, one prediction a row out (never ``None``)."""

Baseline = Callable[["Dataset"], Predictor]
"""A baseline: the training rows in, a fitted :data:`Predictor` out."""

Decoder = Callable[[Any, Row, Mapping[str, Any]], Any | None]
"""A decoder: a model's output, its row, and the values that :meth:`Task.tune` returned for the
system in; a prediction out, or ``None`` if the output cannot be read."""


def group_of(task: Task, row: Row) -> str:
    """What a row's group shares: the column that decides for this file, else :meth:`Task.group`.

    Splits, intervals and tests all take a row's group from here.
    """
    return row.get(ROW_GROUP) or task.group(row)


def classes_of(task: Task, row: Row) -> tuple[Any, ...]:
    """The classes of a row: none, the one of :meth:`Task.stratum`, or those of the list it gave."""
    found = task.stratum(row)
    if isinstance(found, list):
        return tuple(found)
    return () if found is None else (found,)


def untuned(read: Callable[[Any, Row], Any | None]) -> Decoder:
    """A :data:`Decoder` from a function of output and row, such as a task's ``postprocess``."""
    return lambda output, row, tuned: read(output, row)


@dataclass(frozen=True)
class RowTransform:
    """A system that changes a row before the trained model answers it, such as by shortening it.

    Args:
        change: a row → the columns that change, with their new values.
        note: the text beside the system's name in the report.
    """

    change: Callable[[Row], Row]
    note: str


class Task(ABC):
    """One problem: its data, prompt, recipes, decoders, metrics and baselines.

    Subclass a kind (:class:`toolkit.CausalLMTask`), never this class. The core makes one instance
    per run, sets its :attr:`options` (the recipe's ``[task]`` section over the class's defaults)
    and its :attr:`state` (what :meth:`fit` returned, by :meth:`load_state`), and calls the methods
    in the order below.
    """

    api_version: ClassVar[int] = 1
    """The version of the contract that the task is written for; a task that names none: 1."""
    kind: ClassVar[str]
    """The kind of task, such as ``causal-lm``; set by the class of a kind that is subclassed."""
    name: ClassVar[str]
    """The name for ``toolkit run``: kebab-case, and unique among all tasks."""
    summary: ClassVar[str]
    """What the task does, in a line; by default the first line of the class's docstring."""
    columns: ClassVar[Mapping[str, str]]
    """Column name → one line on what it holds. ``load_rows`` returns exactly these."""
    answer: ClassVar[str | None] = None
    """The column to predict; a task that names it can use the default :meth:`load_rows`."""
    data: ClassVar[str | Path | None] = None
    """The task's own rows, a file beside its module; used where the user names no data."""
    source_options: ClassVar[Mapping[str, Any]] = {}
    """Data options that a task file sets; what the command line says goes before them."""
    synthetic: ClassVar[bool] = False
    """Whether the task's own rows are generated; the report then states so beside its figures."""
    metrics: tuple[Metric, ...]
    """What predictions are scored with; ready-made ones are in :mod:`toolkit.metrics.common`."""
    primary_metric: ClassVar[str]
    """The name of the metric that decides the verdict and all choices; by default the first."""
    on_unreadable: ClassVar[str] = "fallback"
    """What becomes of outputs that no decoder can read: ``fallback``, they are scored as
    :meth:`fallback`; ``leave-out``, the row counts for no system, and the report says how many do
    not; ``stop``, the run ends."""
    margin: ClassVar[float] = 0.0
    """Systems whose primary metric differs by less than this share count as equal (0.02: 2 %)."""
    recipes: ClassVar[tuple[Recipe, ...]]
    """The first is the default."""
    options: dict[str, Any] = {}
    """The task's own options: on the class their defaults, on an instance the values of the run.

    A recipe's ``[task]`` section and ``--set task.NAME=…`` set them; unknown options are refused.
    """
    searched: ClassVar[Mapping[str, Sequence[Any]]] = {}
    """Options → the values that a search (``toolkit sweep``) tries, such as several prompts."""
    panel: ClassVar[Panel | None] = None
    """How the playground shows the task; its inputs are the columns that a prediction needs."""
    truncate: ClassVar[str | None] = None
    """The column that loses its end where a prompt is too long; ``None``: such rows are refused.

    The answer is never cut, and the same shortened prompt is used in training and prediction.
    """

    def __init__(self) -> None:
        self.options = dict(self.options)
        self.state: dict[str, Any] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        version_1.alias(cls)
        # The kinds' own classes name no version, so that subclasses can; theirs is the present one.
        if cls.__module__.startswith("toolkit."):
            return
        if cls.api_version == 1:
            version_1.adapt(cls)
        if not hasattr(cls, "summary") and cls.__doc__:
            cls.summary = inspect.cleandoc(cls.__doc__).partition("\n")[0].rstrip(".")
        if not hasattr(cls, "primary_metric") and (metrics := getattr(cls, "metrics", None)):
            cls.primary_metric = metrics[0].name

    # -- data ------------------------------------------------------------------------------------
    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        """Rows with the task's columns; a ``DatasetDict`` where the source brings its own splits.

        Default, for a task that names its :attr:`answer`: the rows of the user's file or of
        :attr:`data`. Columns are found by name (``--text`` and ``--target`` name others), and the
        usual formats for fine-tuning are recognised, see :mod:`toolkit.data.column_mapping`.

        The splits of a ``DatasetDict`` are called ``train``, ``validation`` and ``test``. Rows that
        are hard on purpose (edge cases, perturbed text) can be a split ``challenge``: all systems
        predict them, and they count in :meth:`slices` only.

        Rows that cannot be used are left out and recorded with ``source.leave_out(reason,
        row_ids)``, choices that were made for the user with ``source.note(sentence)``.
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

    @classmethod
    def recognises(cls, found: Mapping[str, Profile]) -> float:
        """How surely rows with such columns are this task's: from 0 (they are not) to 1.

        ``toolkit init`` asks all tasks, and lets those that answer try to load the file, the surest
        first. Default: 0, so that the task is never proposed.

        Args:
            found: what the file's columns hold, see :func:`toolkit.data.profiles.profiles`.
        """
        return 0.0

    def own_data(self) -> OwnData:
        """The file that :attr:`data` names; raises :class:`DataError` where it names none."""
        from toolkit.data.row_mapping import OwnData

        if self.data is None:
            raise DataError(f"task {self.name!r} has no data of its own; name a file with --data")
        folder = Path(inspect.getfile(type(self))).parent
        return OwnData(folder / self.data, self.synthetic)

    def parse_answer(self, text: str) -> Any | None:
        """The answer's text in a file → its value in the task's rows; ``None``: unusable."""
        return text or None

    def input_columns(self) -> list[str]:
        """The columns that a prediction needs: the panel's inputs, else all but the answer."""
        return [n for n in (self.panel.inputs if self.panel else self.columns) if n != self.answer]

    def _read(self, row: Row) -> str:
        """What a ready-made baseline reads of a row."""
        return "\n".join(str(row[name]) for name in self.input_columns())

    def load_inputs(self, source: Source) -> Dataset:
        """Rows to predict, with ``row_id`` and the input columns, whose answer is not known.

        ``source.chosen`` is what :meth:`load_rows` stored there. Default: the columns that were
        read for training, or, where the file lacks them, those with the inputs' names.
        """
        from toolkit.data.column_mapping import load_inputs

        return load_inputs(source, self.input_columns())

    def group(self, row: Row) -> str:
        """The row's group; rows of one group stay in one split. Default: the inputs, normalised.

        The inputs are the panel's, else all columns that hold text. Where a column of the file
        decides (``--group``, or a column ``row_group`` that :meth:`load_rows` adds), it goes
        before.
        """
        names = self.input_columns()
        text = " ".join(row[name] for name in names if isinstance(row.get(name), str))
        return normalized(text)

    def stratum(self, row: Row) -> Any | None:
        """The row's class, which every split should have; ``None``: the row has none.

        A list means several classes, as the labels of a row with any number of them.
        It is asked before :meth:`fit`. Where splits are drawn, a class is in none of them missing
        that has groups enough; and the checks before training compare the classes of the splits.
        Default: of the :meth:`categories` that the reference belongs to.
        """
        try:
            known = self.categories()
        except KeyError:  # they are part of the state, which is fitted to the training split
            return None
        return None if known is None else self.category(self.reference(row))

    def groupings(self) -> Mapping[str, Callable[[Row], str]]:
        """Name → a way to group rows, for a task that has several; the coarsest comes first.

        When data are prepared, the coarsest one that leaves 20 groups in the test split is taken.
        Its name is in :attr:`state` as ``group_by`` from then on, and :meth:`group` must follow it.
        """
        return {}

    def fit(self, train: Dataset) -> dict[str, Any]:
        """Values from the training split that later steps need, such as a median (JSON values).

        They are stored as the task's state with the run and the adapter, and passed to
        :meth:`load_state`.
        """
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Set :attr:`state`; a task may adapt itself to it, such as the unit of its metrics."""
        self.state = dict(state)

    def augment(self, row: Row, random: Random) -> Row:
        """A variant of a training row with the same answer, such as its text reworded.

        The first epoch has the rows as they are, each further one another variant. Held-out rows
        are never changed. Default: the row as it is.
        """
        return row

    # -- prompt and answer -------------------------------------------------------------------------
    @abstractmethod
    def format_example(self, row: Row) -> dict[str, Any]:
        """A row in the standard columns of the task's kind, such as ``prompt`` and ``completion``.

        A row to be predicted has only ``row_id`` and the input columns; the answer is then empty.
        """

    @abstractmethod
    def postprocess(self, output: Any, row: Row) -> Any | None:
        """The decoder: the kind's output in, a prediction out; ``None`` if it cannot be read."""

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
        """The prediction that an unreadable output counts as; no row of any system is dropped."""
        name = type(self).__name__
        raise NotImplementedError(f"{name}.fallback: define what an unreadable output counts as")

    def reference(self, row: Row) -> Any:
        """What the metrics compare a prediction with; it may hold several references.

        Default, for a task that names its :attr:`answer`: that column.
        """
        if self.answer is None:
            raise NotImplementedError(f"{type(self).__name__}.reference: there is no answer column")
        return row[self.answer]

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

    # -- scoring -----------------------------------------------------------------------------------
    def baselines(self) -> Mapping[str, Baseline]:
        """Name → cheap way to do the task, fitted on the training split."""
        return {}

    def row_transforms(self) -> Mapping[str, RowTransform]:
        """Name → further system: the trained language model on rows that are changed first.

        They are rows of the ladder beside the adapter, each compared with it row by row.
        """
        return {}

    def controls(self) -> Mapping[str, Baseline]:
        """Name → system that shows how to read a figure, such as the right or shuffled answers.

        Controls are rows of the ladder with the role ``control``. They may look at the answers, and
        no other system is compared with them.
        """
        return {}

    def targets(self) -> Sequence[Target]:
        """The figures that the task should reach; the report tells for each whether it was met."""
        return ()

    def slices(self) -> Mapping[str, Callable[[Row], str | None]]:
        """Name → function that puts a row into a named part (``None``: into none).

        Test and challenge rows are put into parts; a column of the task can tell them apart.
        """
        return {}

    def residual(self, prediction: Any, reference: Any) -> float | None:
        """A non-negative error, for split-conformal intervals; ``None``: the task has none."""
        return None

    def interval(self, prediction: Any, width: float) -> tuple[float, float]:
        """All values whose :meth:`residual` to the prediction is at most ``width``."""
        name = type(self).__name__
        raise NotImplementedError(f"{name}.interval: a task with a residual has to define it")

    def categories(self) -> Sequence[Any] | None:
        """All classes in order, for a confusion matrix; ``None``: predictions are not classes."""
        return None

    def category(self, value: Any) -> Any | None:
        """Which of the :meth:`categories` a prediction or a reference belongs to.

        ``None``: to none; a row whose reference belongs to none is left out of the matrix.
        """
        return value

    def metric(self, name: str | None = None) -> Metric:
        """A metric by its name; ``None``: the primary one."""
        wanted = name or self.primary_metric
        return next(metric for metric in self.metrics if metric.name == wanted)


version_1.alias(Task)
