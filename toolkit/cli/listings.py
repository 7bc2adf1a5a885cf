"""On the terminal: tasks, plugins, recipes, the rules that a task keeps, the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.cli.tables import print_parts, styled, text_table
from toolkit.kinds.registry import kind_name
from toolkit.system.console import emit
from toolkit.task import Task

if TYPE_CHECKING:
    from toolkit.plugins.discovery import Plugins
    from toolkit.task import Task


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
    table = text_table("Task", "What it does", "From")
    for row in rows:
        table.add_row(
            styled(str(row["name"]), "bold"), str(row["summary"]), str(row["distribution"])
        )
    print_parts(table)
    if broken := [p for p in found.plugins if p.problem]:
        print_parts(f"{len(broken)} plugin(s) could not be loaded; see: toolkit plugins")
    if warned := [p for p in found.plugins if p.warnings]:
        print_parts(f"{len(warned)} plugin(s) work but have warnings; see: toolkit plugins")


def show_plugins(found: Plugins, as_json: bool) -> None:
    """Print the plugins with their tasks, or with the reason why they are broken."""
    import dataclasses

    if as_json:
        emit([dataclasses.asdict(plugin) for plugin in found.plugins])
        return
    table = text_table("Plugin", "Distribution", "State", "Import", right=(3,))
    for plugin in found.plugins:
        brought = f"; kinds: {', '.join(plugin.kinds)}" if plugin.kinds else ""
        state = plugin.problem or f"tasks: {', '.join(plugin.tasks) or 'none'}{brought}"
        table.add_row(
            styled(plugin.name, "bold"),
            f"{plugin.distribution} {plugin.version}",
            styled(("broken: " if plugin.problem else "") + state, "red" if plugin.problem else ""),
            f"{plugin.seconds * 1000:.0f} ms",
        )
    print_parts(table)
    for plugin in found.plugins:
        for warning in plugin.warnings:
            print_parts(f"{plugin.name} ({plugin.distribution} {plugin.version}) {warning}")


def show_new(folder: Path, name: str) -> None:
    """Print the files of a new package, and the commands that run and install it."""
    print_parts(f"made {folder}:")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        print_parts(f"  {path.relative_to(folder).as_posix()}")
    task = next(folder.glob("*/task.py"))
    # With hatchling installed pip needs no network; without it pip downloads it.
    offline = "--no-build-isolation " if find_spec("hatchling") else ""
    print_parts(
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
    from toolkit.plugins.recipes import as_dict, of
    from toolkit.preparation.memory import cost, hardware

    where = [hardware.this(measure=compute), *hardware.GPUS]
    costs = {
        (task.name, recipe.name): cost.described(task, recipe, where, rows=rows, compute=compute)
        for task in tasks
        for recipe in of(task)
    }
    if as_json:
        emit(
            {
                task.name: [
                    as_dict(recipe) | {"takes": costs[task.name, recipe.name]}
                    for recipe in of(task)
                ]
                for task in tasks
            }
        )
        return
    table = text_table("Task", "Recipe", "Model", "What it is")
    for task in tasks:
        for recipe in of(task):
            table.add_row(task.name, styled(recipe.name, "bold"), recipe.model, recipe.summary)
    print_parts(table)
    takes = text_table("Recipe", "On", "Memory", "Time", "Price", right=(2, 3, 4))
    for task in tasks:
        for recipe in of(task):
            machines = costs[task.name, recipe.name]["machines"]
            for i, (name, one) in enumerate(machines.items()):
                first = "" if i else f"{task.name} {recipe.name}"
                style = "" if one["fits"] else "dim"
                takes.add_row(first, *(styled(text, style) for text in (name, *_cost_cells(one))))
    if takes.row_count:
        print_parts(takes)
        print_parts(
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
        print_parts(styled(f"{mark} {result.rule}", style))
        if result.message:
            print_parts(styled(f"    {result.message}", "dim" if result.passed else ""))
    broken = sum(not result.passed and result.reached for result in results)
    kept = f"all {len(results)} rules kept"
    print_parts(f"{task}: {broken} of {len(results)} rules broken" if broken else f"{task}: {kept}")


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
        print_parts(styled(f"{mark} {result.what}: {result.detail}", style))
