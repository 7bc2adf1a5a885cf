"""What people choose a run by: its task, model, verdict, figure, and the settings that were set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import formatting
from toolkit.reporting import context
from toolkit.runs import Run, read_json
from toolkit_playground.state.library import Library
from toolkit_playground.state.settings import changed

VERDICTS = {True: "worth it", False: "not worth it", None: "cannot tell"}
UNFINISHED, UNSCORED = "training unfinished", "not scored"


@dataclass(frozen=True)
class Choice:
    """A run in the list to choose from.

    Args:
        run: its ID.
        when: when it was begun, to the minute.
        task, model: what was trained for what; of a model in a folder the folder's name.
        place: the model as the run names it.
        verdict: in two words.
        figure: the trained system's primary metric with its unit; empty: there is none yet.
        metric: that metric's label.
        settings: what was set, as ``section.field=value``.
    """

    run: str
    when: str
    task: str
    model: str
    place: str
    verdict: str
    figure: str = ""
    metric: str = ""
    settings: tuple[str, ...] = ()


class RunList:
    """The runs of a library, of which each is read once for as long as its files stay the same.

    Args:
        library: the runs.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._known: dict[tuple[str, float, float], Choice] = {}

    def choices(self) -> list[Choice]:
        """The runs that can be chosen: those that were named first, then the newest."""
        found = {}
        for run in self.library.playable():
            key = (str(run.path), _age(run.path / "run.json"), _age(run.path / "metrics.json"))
            found[key] = self._known.get(key) or choice(run)
        self._known = found
        return list(found.values())


def choice(run: Run) -> Choice:
    """A run as it is listed."""
    model = str(run.info["recipe"].get("model", ""))
    name = model if len(Path(model).parts) < 3 else Path(model).name
    verdict, figure, metric = judged(run)
    when = str(run.info["created"])[:16].replace("T", " ")
    return Choice(
        run.id, when, str(run.info["task"]), name, model, verdict, figure, metric,
        tuple(changed(run)),
    )  # fmt: skip


def judged(run: Run) -> tuple[str, str, str]:
    """A run's verdict, its figure and the figure's metric, in words; no file says none."""
    place = run.path / "metrics.json"
    if not place.is_file():
        return UNSCORED, "", ""
    try:
        found: Mapping[str, Any] = read_json(place)
        verdict = UNFINISHED if found["verdict"].get("unfinished") else None
        verdict = verdict or VERDICTS[found["verdict"]["worth_it"]]
        name, metric = context.trained(found), context.described(found)
        if name is None:
            return verdict, "", ""
        value = found["systems"][name]["metrics"][metric["name"]]["value"]
        figure = formatting.figure(value, metric["format"], metric["unit"])
        return verdict, figure, str(metric["label"])
    except Exception:  # somebody's run: the list goes on without its figures
        return UNSCORED, "", ""


def _age(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0
