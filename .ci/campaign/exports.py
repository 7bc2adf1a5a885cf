"""Ten seeded faults and ten unchanged exports for each form and kind: what the gate lets through.

    python .ci/campaign/exports.py [--margin 0.02] [--type TYPE] FORM=RUN [FORM=RUN…]

Each run is a finished one; ``merged=runs/…/ID`` exports it to that form. Faults are those of
``tests/export_faults.py`` for the form and the kind of the run's task; unchanged exports differ in
the type of their weights, and are repeated until there are ten. Prints a line for each export and a
table; exits with 1 where a fault passes or an unchanged export is refused.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins"), str(ROOT / "tests")]

import export_faults  # noqa: E402

TRIES = 10


def faults(form: str, kind: str, template: bool) -> list[Any]:
    """The faults of a form, at most :data:`TRIES`."""
    if form == "gguf":
        return list(export_faults.GGUF)
    found = list(export_faults.ONNX if form == "onnx" else export_faults.MERGED[kind])
    if form == "onnx" and kind == "question-answering":
        found.remove(export_faults.swapped_classes)
    if form == "merged" and template:
        found.insert(0, export_faults.other_template)
    return found[:TRIES]


def begun(run: Any, form: str, numbers: str | None, margin: float, folder: Path) -> Any:
    """An export that is written and not judged yet."""
    from toolkit.system import Console
    from toolkit_export import export as exporting

    options = exporting.Options(form, numbers=numbers, margin=margin)
    job = exporting.begin(run, options, Console(quiet=True), folder)
    exporting.write(job, exporting.ask(job))
    return job


def judged(job: Any, fault: Any = None) -> dict[str, Any]:
    """What the gate says of an export, or of a copy of it with a fault."""
    from toolkit_export import export as exporting

    if fault is None:
        gate: dict[str, Any] = exporting.check(job)["gate"]
        return gate
    with tempfile.TemporaryDirectory() as folder:
        spoiled = Path(folder) / "out"
        shutil.copytree(job.folder, spoiled)
        fault(spoiled)
        return judged(dataclasses.replace(job, folder=spoiled))


def campaign(pairs: list[tuple[str, Path]], margin: float, given: str | None) -> list[list[Any]]:
    """The lines of the table: form, kind, faults, refused, unchanged, passed, equal answers."""
    from toolkit.pipeline import load_task
    from toolkit.runs import Run
    from toolkit_export import export as exporting

    table = []
    for form, place in pairs:
        run = Run.open(place)
        kind = load_task(run).kind
        types = [given] if given else [each or None for each in exporting.forms()[form].types]
        template = (run.adapter / "chat_template.jinja").is_file()
        spoiled = faults(form, kind, template)
        refused, gates = 0, []
        for number, numbers in enumerate(types):
            with tempfile.TemporaryDirectory() as folder:
                job = begun(run, form, numbers, margin, Path(folder))
                for fault in spoiled if not number else ():
                    gate = judged(job, fault)
                    refused += not gate["accepted"]
                    print(f"{form} {kind} {fault.__name__}: {gate['reasons']}", flush=True)
                for _ in range(math.ceil((TRIES - number) / len(types))):
                    gates.append(judged(job))
                    print(f"{form} {kind} {numbers or 'own type'}: {gates[-1]}", flush=True)
        passed = sum(gate["accepted"] for gate in gates)
        least = round(min(gate["equal_answers"] for gate in gates), 4)
        table.append([form, kind, len(spoiled), refused, len(gates), passed, least])
    return table


def main() -> None:
    """Read the command line, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="FORM=RUN")
    parser.add_argument("--margin", type=float, default=0.02)
    parser.add_argument("--type", default=None)
    given = parser.parse_args()
    pairs = [(form, Path(run)) for form, _, run in (each.partition("=") for each in given.runs)]
    table = campaign(pairs, given.margin, given.type)
    print("| form | kind | faults | refused | unchanged | passed | least equal answers |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for row in table:
        print("| " + " | ".join(map(str, row)) + " |")
    sys.exit(any(row[2] != row[3] or row[4] != row[5] for row in table))


if __name__ == "__main__":
    main()
