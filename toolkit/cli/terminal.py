"""Prints results on the terminal: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import formatting
from toolkit.errors import UsageError
from toolkit.kinds.registry import kind_name
from toolkit.pipeline.compare import compare
from toolkit.reporting import comparison
from toolkit.reporting.examples import as_text
from toolkit.runs.files import read_json, write_jsonl, write_text
from toolkit.runs.predictions import TRAINED
from toolkit.runs.run import Run
from toolkit.system.console import emit
from toolkit.task import Task

if TYPE_CHECKING:
    from rich.table import Table

    from toolkit.plugins.discovery import Plugins
    from toolkit.task import Task


SHOWN_METRICS = 5
"""The most metrics beside the primary one in the terminal's ladder; the report has all."""


def _table(*columns: str, right: Sequence[int] = ()) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i in right else "left", overflow="fold")
    return table


def _print(*parts: Any) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for part in parts:
        console.print(part, markup=False) if isinstance(part, str) else console.print(part)


def _cell(text: str, style: str = "") -> Any:
    from rich.text import Text

    return Text(text, style=style)


def show_tasks(found: Plugins, as_json: bool) -> None:
    """Print the tasks with their summaries and the distributions that they come from."""
    rows = [
        {
            "name": name,
            "summary": task.summary,
            "kind": kind_name(task),
            "recipes": [recipe.name for recipe in task.recipes],
            "distribution": found.origins[name].distribution,
        }
        for name, task in sorted(found.tasks.items())
    ]
    if as_json:
        emit(rows)
        return
    table = _table("Task", "What it does", "From")
    for row in rows:
        table.add_row(
            _cell(str(row["name"]), "bold"), str(row["summary"]), str(row["distribution"])
        )
    _print(table)
    if broken := [p for p in found.plugins if p.problem]:
        _print(f"{len(broken)} plugin(s) could not be loaded; see: toolkit plugins")
    if warned := [p for p in found.plugins if p.warnings]:
        _print(f"{len(warned)} plugin(s) work but have warnings; see: toolkit plugins")


def show_plugins(found: Plugins, as_json: bool) -> None:
    """Print the plugins with their tasks, or with the reason why they are broken."""
    import dataclasses

    if as_json:
        emit([dataclasses.asdict(plugin) for plugin in found.plugins])
        return
    table = _table("Plugin", "Distribution", "State", "Import", right=(3,))
    for plugin in found.plugins:
        state = plugin.problem or f"tasks: {', '.join(plugin.tasks) or 'none'}"
        table.add_row(
            _cell(plugin.name, "bold"),
            f"{plugin.distribution} {plugin.version}",
            _cell(("broken: " if plugin.problem else "") + state, "red" if plugin.problem else ""),
            f"{plugin.seconds * 1000:.0f} ms",
        )
    _print(table)
    for plugin in found.plugins:
        for warning in plugin.warnings:
            _print(f"{plugin.name} ({plugin.distribution} {plugin.version}) {warning}")


def show_new(folder: Path, name: str) -> None:
    """Print the files of a new package, and the commands that run and install it."""
    _print(f"made {folder}:")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        _print(f"  {path.relative_to(folder).as_posix()}")
    task = next(folder.glob("*/task.py"))
    # With hatchling installed pip needs no network; without it pip downloads it.
    offline = "--no-build-isolation " if find_spec("hatchling") else ""
    _print(
        "try it:",
        f"  toolkit run {_here(task)}",
        "install it, and run it by its name:",
        f"  pip install {offline}-e {_here(folder)}",
        f"  toolkit run {name}",
    )


def _here(path: Path) -> str:
    """A path for a command line; a relative one begins with ``./``, else pip reads it as a name."""
    return str(path) if path.is_absolute() else f"./{path}"


def show_recipes(tasks: Sequence[type[Task]], as_json: bool, *, rows: int, compute: bool) -> None:
    """Print recipes with the memory, time and price that they take here and on some GPUs.

    Args:
        tasks: the tasks whose recipes are shown.
        as_json: print JSON instead of tables.
        rows: the number of training rows that times are estimated for.
        compute: estimate recipes without a stored estimate, and time this machine.
    """
    from toolkit.plugins.recipes import as_dict
    from toolkit.preparation.memory import cost, hardware

    where = [hardware.this(measure=compute), *hardware.GPUS]
    costs = {
        (task.name, recipe.name): cost.described(task, recipe, where, rows=rows, compute=compute)
        for task in tasks
        for recipe in task.recipes
    }
    if as_json:
        emit(
            {
                task.name: [
                    as_dict(recipe) | {"takes": costs[task.name, recipe.name]}
                    for recipe in task.recipes
                ]
                for task in tasks
            }
        )
        return
    table = _table("Task", "Recipe", "Model", "What it is")
    for task in tasks:
        for recipe in task.recipes:
            table.add_row(task.name, _cell(recipe.name, "bold"), recipe.model, recipe.summary)
    _print(table)
    takes = _table("Recipe", "On", "Memory", "Time", "Price", right=(2, 3, 4))
    for task in tasks:
        for recipe in task.recipes:
            machines = costs[task.name, recipe.name]["machines"]
            for i, (name, one) in enumerate(machines.items()):
                first = "" if i else f"{task.name} {recipe.name}"
                style = "" if one["fits"] else "dim"
                takes.add_row(first, *(_cell(text, style) for text in (name, *_cost_cells(one))))
    if takes.row_count:
        _print(takes)
        _print(
            f"Memory is the peak of a run with the longest rows. Time and price are rough, for "
            f"training on {rows:,} rows of half that length (--rows sets the number; --estimate "
            "estimates recipes without a stored estimate, and times this machine)."
        )


def _cost_cells(cost: Mapping[str, Any]) -> tuple[str, str, str]:
    """Memory, time and price of a recipe on a machine, or why it does not run there."""
    memory = f"{cost['peak_gib']:.1f} GiB"
    if not cost["fits"]:
        return f"no: {cost['why_not']}", "", ""
    hours, price = cost["hours"], cost["price"]
    time = f"{hours:,.0f} h" if hours >= 10 else f"{hours:.1f} h"
    if hours < 1:
        time = f"{max(1, round(hours * 60))} min"
    if price is None:
        return memory, time, ""
    return memory, time, f"${price:.2f}" if price >= 0.01 else "under $0.01"


def show_result(run: Run, as_json: bool) -> None:
    """Print ladder and verdict of a finished run, and the path of its report."""
    metrics = read_json(run.path / "metrics.json")
    if as_json:
        emit(metrics | {"run_path": str(run.path), "next_recipe": _next_recipe(run)})
        return
    _print("", ladder_table(metrics), "")
    _print(metrics["verdict"]["sentence"])
    for caveat in metrics["verdict"].get("caveats", []):
        _print(f"  ({caveat})")
    if metrics["targets"]:
        _print(_targets(metrics["targets"]))
    _print(f"\nReport: {run.path / 'report.html'}")
    if following := _next_recipe(run):
        _print(following)


def _next_recipe(run: Run) -> str | None:
    """The recipe to try next, if the run was on an embedded model and its task is installed."""
    from toolkit.plugins import discovery, recipes
    from toolkit.preparation.memory import cost

    task = discovery.load().tasks.get(str(run.info["task"]))
    if task is None:
        return None
    return cost.next_recipe(task, recipes.from_dict(run.info["recipe"]))


def _targets(targets: Sequence[Mapping[str, Any]]) -> str:
    """A sentence: how many targets were met, which were not, and which were not measured."""
    known = [target for target in targets if target["met"] is not None]
    missed = "; ".join(target["label"] for target in known if not target["met"])
    unknown = "; ".join(target["label"] for target in targets if target["met"] is None)
    sentence = f"{sum(target['met'] for target in known)} of {len(known)} targets met"
    sentence += f". Not met: {missed}" if missed else ""
    return sentence + (f". Not measured: {unknown}" if unknown else "")


def ladder_table(metrics: Mapping[str, Any]) -> Table:
    """All systems on the test rows, best first by the primary metric, with 95 % intervals."""
    primary = metrics["primary_metric"]
    described = [m for m in metrics["metrics"] if not m.get("detail")]
    first = next(m for m in metrics["metrics"] if m["name"] == primary)
    others = [m for m in described if m["name"] != primary][:SHOWN_METRICS]
    table = _table(
        f"{first['label']}, {metrics['n']:,} test rows", "", "95 %",
        *(m["name"] for m in others), right=range(1, 3 + len(others)),
    )  # fmt: skip
    sign = -1 if first["greater_is_better"] else 1
    unit = f" {first['unit']}" if first["unit"].isalpha() else first["unit"]
    for name, system in sorted(
        metrics["systems"].items(), key=lambda item: sign * item[1]["metrics"][primary]["value"]
    ):
        figure = system["metrics"][primary]
        spec = first["format"]
        style = "bold" if system["role"] in TRAINED else ""
        if system["role"] == "control":
            style = "dim"
        table.add_row(
            _cell(name, style),
            _cell(formatting.number(figure["value"], spec) + unit, style),
            _range(figure, spec),
            *(
                formatting.number(system["metrics"][m["name"]]["value"], m["format"])
                for m in others
            ),
        )
    for name, reason in metrics.get("absent", {}).items():
        table.add_row(_cell(name, "dim"), "–", _cell(str(reason), "dim"))
    return table


def _range(figure: Mapping[str, Any], spec: str) -> str:
    if figure.get("low") is None or figure.get("high") is None:
        return ""
    return f"{figure['low']:{spec}}–{figure['high']:{spec}}"


def show_runs(found: Sequence[Run], folder: Path, as_json: bool) -> None:
    """Print runs with their state and verdict."""
    rows = []
    for run in found:
        verdict = None
        if run.done("score"):
            verdict = read_json(run.path / "metrics.json")["verdict"]["worth_it"]
        rows.append(
            {
                "id": run.id,
                "task": run.info["task"],
                "created": run.info["created"],
                "finished": run.finished,
                "stage": next((s for s in reversed(list(run.info["stages"]))), None),
                "model": run.info["recipe"]["model"],
                "worth_it": verdict,
                "path": str(run.path),
            }
        )
    if as_json:
        emit(rows)
        return
    if not rows:
        _print(f"no runs in {folder} yet; start one with: toolkit run TASK")
        return
    words = {True: "worth it", False: "not worth it", None: "cannot tell"}
    table = _table("Run", "Task", "Model", "State", "Verdict")
    for row in rows:
        state = "finished" if row["finished"] else f"stopped in {row['stage']}"
        verdict = words[row["worth_it"]] if row["finished"] else ""
        table.add_row(_cell(row["id"], "bold"), row["task"], row["model"], state, verdict)
    _print(table)


def show_checks(task: str, results: Sequence[Any], as_json: bool) -> None:
    """Print the rules that a task keeps and breaks; rules that could not be checked are dimmed."""
    import dataclasses

    if as_json:
        emit([dataclasses.asdict(result) for result in results])
        return
    for result in results:
        mark, style = ("✓", "green") if result.passed else ("✗", "bold red")
        if not result.reached:
            mark, style = "–", "dim"
        _print(_cell(f"{mark} {result.rule}", style))
        if result.message:
            _print(_cell(f"    {result.message}", "dim" if result.passed else ""))
    broken = sum(not result.passed and result.reached for result in results)
    kept = f"all {len(results)} rules kept"
    _print(f"{task}: {broken} of {len(results)} rules broken" if broken else f"{task}: {kept}")


def show_predictions(answers: Sequence[Mapping[str, Any]], out: Path | None, as_json: bool) -> None:
    """Print predictions with their intervals, or write them to a file of JSON lines."""
    if out is not None:
        write_jsonl(out, answers)
        _print(f"{len(answers):,} predictions in {out}")
        return
    if as_json:
        emit(list(answers))
        return
    table = _table("Prediction", "90 % interval", "Input", right=(0, 1))
    for answer in answers:
        low, high = answer.get("low"), answer.get("high")
        interval = "" if low is None else f"{low:,.2f} – {high:,.2f}"
        prediction = answer["prediction"]
        shown = f"{prediction:,.2f}" if isinstance(prediction, float) else as_text(prediction)
        if not answer["parsed"]:
            shown += " (unreadable output)"
        table.add_row(_cell(shown, "bold"), interval, _cell(str(answer["input"])[:100]))
    _print(table)


def show_report(run: Run, open_page: bool, as_json: bool) -> None:
    """Print the path of the report, and open it in a browser if wanted."""
    page = run.path / "report.html"
    if as_json:
        emit({"report": str(page)})
    else:
        _print(f"Report: {page}")
    if open_page:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


def show_verification(run: Run, result: Any, as_json: bool) -> None:
    """Print the result of ``--verify``; raises :class:`VerificationError` on any difference."""
    from toolkit.errors import VerificationError

    if as_json:
        emit(result.document())
    if result.differences:
        listed = "; ".join(result.differences[:5])
        raise VerificationError(
            f"{len(result.differences)} figure(s) of {run.path} are not what its predictions and "
            f"adapter give: {listed}"
        )
    if not as_json:
        _print(
            f"verified: {result.figures:,} figures recomputed from the predictions, "
            f"{result.rows} rows predicted again, no difference"
        )


def show_doctor(results: Sequence[Any], as_json: bool) -> None:
    """Print the findings of ``toolkit doctor``."""
    import dataclasses

    if as_json:
        emit([dataclasses.asdict(result) for result in results])
        return
    marks = {
        "ok": ("✓", "green"),
        "absent": ("–", "dim"),
        "warning": ("!", "yellow"),
        "broken": ("✗", "bold red"),
    }
    for result in results:
        mark, style = marks[result.state]
        _print(_cell(f"{mark} {result.what}: {result.detail}", style))


def show(runs: Sequence[Run], out: Path | None, as_json: bool) -> None:
    """Compare runs and print the tables; with ``out`` write a page too (``.html`` or ``.md``)."""
    from rich.console import Console

    from toolkit.pipeline.restore import load_task

    if out is not None and out.suffix not in (".html", ".md"):
        raise UsageError(f"--out {out}: the name of a page ends in .html or .md")
    doc = compare(runs, [load_task(run) for run in runs])
    if out is not None:
        write_text(out, comparison.html(doc) if out.suffix == ".html" else comparison.markdown(doc))
    if as_json:
        emit(doc)
    else:
        Console(highlight=False, soft_wrap=True).print(comparison.text(doc), markup=False)
