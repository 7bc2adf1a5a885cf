"""Files shown in the pages: a line ``# include: PATH`` in a fence stands for a file's content.

The file is one of the repository, or of a package that the page has made with ``toolkit new``. Used
by MkDocs when it builds the pages, and by the tests that run them.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
INCLUDE = re.compile(r"^# include: (\S+)$", re.MULTILINE)
NEW = re.compile(r"^\$ toolkit new (\S+) --kind (\S+)$", re.MULTILINE)
SHOWN = 14
"""Lines of a table that a page shows."""


def expand(page: str, *, shorten: bool = False) -> str:
    """A page with the included files in it; with ``shorten`` long tables are cut."""
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in NEW.findall(page):
            from toolkit.plugins import scaffold

            scaffold.create(name, kind, Path(folder) / name)

        def content(match: re.Match[str]) -> str:
            made, own = Path(folder) / match[1], ROOT / match[1]
            lines = (made if made.is_file() else own).read_text(encoding="utf-8").splitlines()
            if shorten and match[1].endswith(".csv") and len(lines) > SHOWN:
                lines = [*lines[:SHOWN], "…"]
            return "\n".join(lines)

        return INCLUDE.sub(content, page)


TASK = re.compile(r"^<!-- task: (\S+) -->$", re.MULTILINE)
REPORT = re.compile(
    r"^<!-- report: (?P<task>[\w-]+)(?: / (?P<section>[^/\n]+?))?(?: / (?P<rows>\d+))? -->$",
    re.MULTILINE,
)
VERDICT = re.compile(r"(?:Not worth|Worth) it, |Cannot tell")
HEADING = re.compile(r"^(#+ )", re.MULTILINE)


def described(match: re.Match[str]) -> str:
    """The columns, metrics, recipes and options of a built-in task, as tables."""
    from toolkit.plugins import discovery

    task = discovery.load().task(match[1])
    columns = [f"| `{name}` | {text} |" for name, text in task.columns.items()]
    metrics = [
        f"| `{m.name}` | {m.label or m.name} | {'more' if m.greater_is_better else 'less'} |"
        for m in task.metrics
    ]
    recipes = [f"| `{r.name}` | `{r.model}` | {r.summary} |" for r in task.recipes]
    options = [f"| `task.{name}` | `{value!r}` |" for name, value in task.options.items()]
    parts = [
        f"{task.summary}. The metric that decides is `{task.primary_metric}`.",
        "| Column | |\n|---|---|\n" + "\n".join(columns),
        "| Metric | | Better is |\n|---|---|---|\n" + "\n".join(metrics),
        "| Recipe | Model | |\n|---|---|---|\n" + "\n".join(recipes),
    ]
    if options:
        parts.append("| Option | Default |\n|---|---|\n" + "\n".join(options))
    return "\n\n".join(parts)


def report(match: re.Match[str]) -> str:
    """The report of a real run, as ``docs/keep_report.py`` stored it.

    ``<!-- report: TASK / SECTION / 4 -->`` stands for the first four rows of a section's table.
    """
    kept = ROOT / "docs" / "tasks" / "reports" / f"{match['task']}.md"
    if not kept.is_file():
        return f"No report of a run is kept here yet; `toolkit run {match['task']}` makes one."
    text = kept.read_text(encoding="utf-8")
    if match["section"]:
        return section(text, match["section"], int(match["rows"] or 1000))
    return HEADING.sub(r"##\1", text)


def section(text: str, heading: str, rows: int) -> str:
    """The table below a heading, its first rows; raises ``KeyError`` where there is none."""
    _, found, below = text.partition(f"\n## {heading}\n")
    table = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("|")]
    if not found or not table:
        raise KeyError(f"the kept report has no table below {heading!r}")
    return "\n".join(table[: 2 + rows])


def gallery() -> str:
    """The kept reports as a table: the task with a link to its report, what came out, how."""
    lines = ["| Task | What came out | Made |", "|---|---|---|"]
    for kept in sorted((ROOT / "docs" / "tasks" / "reports").glob("*.md")):
        paragraphs = kept.read_text(encoding="utf-8").split("\n\n")
        verdict = next(text for text in paragraphs if VERDICT.match(text))
        made = next(text for text in paragraphs if text.startswith("Made by "))
        task = f"[{kept.stem}](tasks/{kept.stem}.md#a-report)"
        lines.append(f"| {task} | {verdict} | {made.removeprefix('Made by ')} |")
    return "\n".join(lines)


def commands() -> str:
    """Each command of the command line with its options, those of the plugins among them."""
    import typer

    from toolkit.cli import app
    from toolkit.plugins.commands import add_commands

    add_commands(app)
    group: Any = typer.main.get_command(app)
    return "\n\n".join(_command(name, group.commands[name]) for name in group.commands)


def _command(name: str, command: Any) -> str:
    """A heading, what the command does, its arguments, and a table of its options."""
    arguments, options = [], []
    for parameter in command.params:
        text = " ".join((parameter.help or "").split()).replace("|", "\\|")
        if parameter.param_type_name == "argument":
            arguments.append(f"`{parameter.name.upper()}`" + (f": {text}" if text else ""))
        else:
            names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
            options.append(f"| {names} | {text} |")
    said = [f"## toolkit {name}", " ".join((command.help or "").split("\n\n")[0].split())]
    said += ["Arguments: " + "; ".join(arguments)] if arguments else []
    return "\n\n".join([*said, "\n".join(["| Option | |", "|---|---|", *options])])


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs calls this with the text of each page."""
    page = REPORT.sub(report, TASK.sub(described, expand(markdown, shorten=True)))
    for mark, made in (("<!-- gallery -->", gallery), ("<!-- commands -->", commands)):
        if mark in page:
            page = page.replace(mark, made())
    return page
