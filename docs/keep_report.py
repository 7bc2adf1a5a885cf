"""Store the report of a real run for a built-in task's page: ``python docs/keep_report.py RUN``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from toolkit.errors import RunError, ToolkitError
from toolkit.runs.files import write_text
from toolkit.runs.run import Run, runs_folder

REPORTS = Path(__file__).parent / "tasks" / "reports"
LIBRARIES = ("torch", "transformers", "trl", "peft")


def keep(run: Run) -> Path:
    """Copy the Markdown report of a finished run; charts stay with the run."""
    if not run.finished:
        raise RunError(f"run {run.id} is not finished; go on with: toolkit resume {run.path}")
    text = without_folder((run.path / "report.md").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if not line.startswith("![")]
    place = REPORTS / f"{run.info['task']}.md"
    write_text(place, "\n".join([lines[0], "", origin(run), *lines[1:]]) + "\n")
    return place


def without_folder(text: str) -> str:
    """A command without the folder of runs, which differs between machines."""
    return re.sub(r" --runs[ =]\S+", "", text)


def origin(run: Run) -> str:
    """What was run, when and on what, in a sentence."""
    machine = run.info["hardware"]
    where = f"{machine['cores']} cores, {machine.get('gpu') or 'no GPU'}"
    libraries = ", ".join(f"{name} {run.info['versions'][name]}" for name in LIBRARIES)
    command, day = without_folder(run.info["command"]), run.info["created"][:10]
    return f"Made by `{command}` on {day}: {where}; {libraries}."


def main() -> None:
    """Store the reports of the runs that the command line names."""
    for name in sys.argv[1:]:
        try:
            sys.stdout.write(f"{keep(Run.find(name, runs_folder(None)))}\n")
        except ToolkitError as error:
            sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
