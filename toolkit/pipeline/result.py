"""A run as a value of a program: its verdict, its figures and predictions, and how to go on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import RunError, UsageError, did_you_mean
from toolkit.pipeline import called
from toolkit.plugins.recipes import Settings
from toolkit.runs.files import read_json
from toolkit.runs.run import Run, runs_folder

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.task import Task


@dataclass(frozen=True)
class RunResult:
    """A run of any command; a notebook shows it as a table with the verdict.

    Nothing is read before it is asked for, and then from the run directory.

    Args:
        path: the run directory, which every command takes.
    """

    path: Path

    @cached_property
    def _run(self) -> Run:
        return Run.open(self.path)

    @property
    def id(self) -> str:
        """The run's ID, which every command takes too."""
        return self._run.id

    @property
    def task(self) -> str:
        """The name of the task."""
        return str(self._run.info["task"])

    @property
    def finished(self) -> bool:
        """Whether all stages are done; a run that was stopped goes on with :meth:`resume`."""
        return Run.open(self.path).finished

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of ``metrics.json``: every figure, with its interval.

        Raises:
            RunError: the run is not that far.
        """
        place = self.path / "metrics.json"
        if not place.is_file():
            raise RunError(f"{self._state()}, and has no figures yet")
        return dict(read_json(place))

    @property
    def verdict(self) -> dict[str, Any]:
        """``worth_it``, ``sentence``, ``caveats`` and more."""
        return dict(self.metrics["verdict"])

    @property
    def worth_it(self) -> bool | None:
        """The answer; ``None``: the test rows cannot tell."""
        return None if self.verdict["worth_it"] is None else bool(self.verdict["worth_it"])

    @property
    def report(self) -> Path:
        """The page with everything."""
        return self.path / "report.html"

    @property
    def adapter(self) -> Path | None:
        """The folder of what was trained, as PEFT and transformers load it; ``None``: there is
        none, because nothing was trained yet or the weights were left where they are.
        """
        folder = self._run.adapter
        return folder if any(folder.glob("*.safetensors*")) else None

    @property
    def ladder(self) -> pd.DataFrame:
        """All systems on the test rows, best first by the primary metric.

        The index is the system's name; the columns are ``role`` and, for each metric, its figure
        by the metric's name and the ends of its 95 % interval with ``_low`` and ``_high``.
        """
        import pandas as pd

        from toolkit.reporting.context import in_order

        rows = {}
        for name in in_order(self.metrics):
            system = self.metrics["systems"][name]
            rows[name] = {"role": system["role"]}
            for metric, figure in system["metrics"].items():
                ends = {f"{metric}_{end}": figure.get(end) for end in ("low", "high")}
                rows[name] |= {metric: figure["value"], **ends}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("system")

    def predictions(self, system: str | None = None, *, split: str = "test") -> pd.DataFrame:
        """What systems have predicted, one row for each system and row of the split.

        Args:
            system: one of the ladder, such as ``adapter``; all of them by default.
            split: ``test``, ``validation``, ``calibration`` or ``challenge``.

        Returns:
            ``system``, ``split``, ``row_id``; the columns of the row, where the run stores them
            (one that has the name of another column gets ``row.`` before it); ``reference``,
            ``prediction``, ``raw``, ``parsed``, ``low``, ``high``; and a column for each metric.

        Raises:
            UsageError: there is no such system.
            RunError: the run has predicted nothing yet.
        """
        import pandas as pd

        from toolkit.pipeline.restore import heldout_rows
        from toolkit.runs import predictions

        if not (self.path / "predictions" / "systems.json").is_file():
            raise RunError(f"{self._state()}, and has no predictions yet")
        found = {each.name: each for each in predictions.load(self._run, being_made=True)}
        if system is not None and system not in found:
            hint = did_you_mean(system, found)
            raise UsageError(f"no system {system!r}{hint}; there are: {', '.join(found)}")
        stored = heldout_rows(self._run)
        names = found if system is None else [system]
        return pd.DataFrame(
            [
                _flat(name, line, stored.get((split, line["row_id"]), {}))
                for name in names
                for line in found[name].rows(split)
            ]
        )

    def resume(
        self,
        *,
        task: str | Path | type[Task] | None = None,
        data: str | Path | None = None,
        train: str | Path | None = None,
        validation: str | Path | None = None,
        test: str | Path | None = None,
        model: str | Path | None = None,
        settings: Settings = (),
        quiet: bool = False,
        trust_task_file: bool = False,
        trust_remote_code: bool = False,
    ) -> RunResult:
        """Go on with a run that was stopped, as ``toolkit resume`` does.

        Args:
            task: the task's class, where the run was started with a class; or where its file is
                now, if it was moved.
            data, train, validation, test, model: where they are now, if they were moved.
            settings: other settings of the optimizer; the training then begins anew.
            quiet: print nothing.
            trust_task_file: run the Python file that the run names as its task, though this user
                has not run it.
            trust_remote_code: run code that comes with the model.

        Raises:
            ToolkitError: the run cannot go on.
            KeyboardInterrupt: it was stopped, and can go on once more.
        """
        import contextlib

        from toolkit.pipeline import inputs, training_settings
        from toolkit.pipeline.run import execute
        from toolkit.system.console import Console

        places = {"data": data, "train": train, "validation": validation, "test": test,
                  "model": model, "task": None if isinstance(task, type) else task}  # fmt: skip
        moved = {name: None if place is None else str(place) for name, place in places.items()}
        with (
            called.call(quiet=quiet, task_file=trust_task_file, remote_code=trust_remote_code),
            called.task_class(task) if isinstance(task, type) else contextlib.nullcontext(),
        ):
            run = Run.open(self.path)
            inputs.rename(run, moved)
            training_settings.change(run, settings)
            console = Console()
            console.say(f"run {run.id} in {run.path}")
            with called.resumable(run):
                execute(run, console)
        return RunResult(self.path)

    def _state(self) -> str:
        """A clause: how far an unfinished run is."""
        run = Run.open(self.path)
        if now := run.running:
            return f"run {run.id} is running {now}"
        at = next((name for name in run.info["stages"] if not run.done(name)), "its beginning")
        return f"run {run.id} was stopped in {at} (go on with resume())"

    def __str__(self) -> str:
        if not (self.path / "metrics.json").is_file():
            return self._state()
        return str(self.verdict["sentence"])

    def _repr_html_(self) -> str:
        from toolkit.reporting import context
        from toolkit.reporting.render import render

        if not (self.path / "metrics.json").is_file():
            return render("notebook_unfinished.html.j2", {"state": self._state()})
        content = context.content(self.metrics, {})
        return render("notebook.html.j2", {**content, "doc": self.metrics, "report": self.report})


LINE = ("reference", "prediction", "raw", "parsed", "low", "high")
"""What a prediction line has that every system's table of predictions shows."""


def _flat(system: str, line: Any, row: Any) -> dict[str, Any]:
    """A row of :meth:`RunResult.predictions`."""
    first = {"system": system, "split": line["split"], "row_id": line["row_id"]}
    last = {**{name: line.get(name) for name in LINE}, **line["metrics"]}
    own = {
        f"row.{name}" if name in first or name in last else name: value
        for name, value in row.items()
        if name not in ("row_id", "row_group")
    }
    return {**first, **own, **last}


def load_run(
    run: str | Path | RunResult | None = None, *, runs: str | Path | None = None
) -> RunResult:
    """A run that is there: finished, stopped, or being worked at by another process.

    Args:
        run: its folder, its ID or the beginning of it; the newest one by default.
        runs: the folder of the runs; ``TOOLKIT_RUNS`` or ``runs`` by default.

    Raises:
        UsageError: there is no such run, or several.
        RunError: it cannot be read.
    """
    if isinstance(run, RunResult):
        return RunResult(Run.open(run.path).path)
    found = Run.find(None if run is None else str(run), runs_folder(Path(runs) if runs else None))
    return RunResult(found.path)
