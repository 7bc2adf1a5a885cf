"""What ``toolkit init`` says of a file and of the task that goes with it, in lines and as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.formatting import count
from toolkit.pipeline.init.make import Outcome
from toolkit.pipeline.init.seen import Seen
from toolkit.preparation.memory import cost, hardware

LISTED = 12
"""Columns, and classes, that are listed."""
WIDE = 24
"""Characters of a column's name that are shown."""


def file_document(seen: Seen) -> dict[str, Any]:
    """What a file holds, as JSON values."""
    return {
        "file": seen.path,
        "rows": seen.rows,
        "columns": [
            {
                "name": name,
                "holds": profile.sentence(),
                "filled": round(profile.filled, 3),
                "distinct": profile.distinct,
                "words": round(profile.words, 1),
                "characters": round(profile.length, 1),
            }
            for name, profile in seen.columns.items()
        ],
        "repeated_rows": seen.repeated,
        "groups": list(seen.groups),
        "languages": {name: round(share, 3) for name, share in seen.languages.items()},
    }


def file_lines(seen: Seen) -> list[str]:
    """What a file holds, in lines."""
    shown = list(seen.columns.items())[:LISTED]
    width = max((len(short(name)) for name, _ in shown), default=0)
    lines = [f"{seen.path}: {count(seen.rows, 'row')}, {count(len(seen.columns), 'column')}"]
    for name, profile in shown:
        filled = f", empty in {1 - profile.filled:.0%}" if profile.filled < 0.995 else ""
        lines.append(f"  {short(name):<{width}}  {profile.sentence()}{filled}")
    if len(seen.columns) > LISTED:
        lines.append(f"  and {count(len(seen.columns) - LISTED, 'column')} more")
    if seen.repeated:
        lines.append(f"{count(seen.repeated, 'row')} the same as an earlier one")
    if seen.languages:
        spoken = ", ".join(f"{name} {share:.0%}" for name, share in seen.languages.items())
        lines.append(f"the texts are in {spoken}")
    return lines


def short(name: str, most: int = WIDE) -> str:
    """A text on one line, cut where it is long."""
    flat = " ".join(name.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def document(outcome: Outcome) -> dict[str, Any]:
    """All that was found and decided, as JSON values."""
    tried = outcome.tried
    return {
        **file_document(outcome.seen),
        "task": tried.candidate.name,
        "is_kind": tried.candidate.kind,
        "text": list(tried.used.get("text", ())),
        "target": tried.used.get("target"),
        "group": tried.prepared.grouped_by or None,
        "second": outcome.second.name if outcome.second else None,
        "refused": outcome.refused,
        "assumed": outcome.assumed,
        "remarks": outcome.remarks,
        "splits": tried.prepared.sizes,
        "repeated_texts": tried.found.duplicates,
        "classes": tried.found.classes,
        "leak": tried.found.leak,
        "notes": tried.found.sentences(),
        "warnings": tried.found.warnings(),
        "options": dict(tried.content.get("recipe", {}).get("task", {})),
        "recipe": recipe(outcome),
        "output": str(outcome.output),
        "command": outcome.command,
        "refusal": outcome.refusal or None,
    }


def recipe(outcome: Outcome) -> dict[str, Any]:
    """The recipe that is used, and what it takes here where an estimate is stored."""
    task = type(outcome.tried.task)
    chosen = task.recipes[0]
    rows = outcome.tried.prepared.sizes["train"]
    machine = hardware.this()
    takes = cost.described(task, chosen, [machine], rows=rows)["machines"].get(machine.name)
    return {"name": chosen.name, "model": chosen.model, "summary": chosen.summary, "takes": takes}


def task_lines(outcome: Outcome) -> list[str]:
    """What was decided on the task, in lines."""
    tried = outcome.tried
    kind = "a task of the kind " if tried.candidate.kind else "the task "
    lines = [f"{kind}{tried.candidate.name} goes with it"]
    if outcome.second:
        lines[0] += f" (second choice: {outcome.second.name})"
    used = tried.used
    if used.get("text"):
        lines.append(f"  text: {', '.join(used['text'])}")
    if used.get("target"):
        lines.append(f"  target: {used['target']}")
    sizes = ", ".join(f"{name} {size:,}" for name, size in tried.prepared.sizes.items())
    lines.append(f"  {sizes} rows")
    lines += [f"  {line}" for line in _classes(tried.found.classes)]
    lines += [f"  {sentence}" for sentence in tried.found.sentences()]
    lines += [f"  {name} is on; {short(why, 160)}" for name, why in tried.why.items()]
    lines += [f"  ! {warning}" for warning in tried.found.warnings()]
    lines += [f"  ! {remark}" for remark in outcome.remarks]
    if outcome.refusal:
        lines.append(f"  ! without a further option it is not trained: {outcome.refusal}")
    lines += [f"  {name} cannot read it: {why}" for name, why in outcome.refused.items()]
    lines += [f"  {_recipe_line(recipe(outcome))}"]
    if outcome.assumed:
        lines.append(f"taken without asking: {'; '.join(outcome.assumed)}")
    return lines


def _classes(classes: Mapping[str, Any]) -> list[str]:
    counts: dict[str, int] = {}
    for split in (classes.get("counts") or {}).values():
        for name, rows in split.items():
            counts[name] = counts.get(name, 0) + rows
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{short(str(name))} {rows:,}" for name, rows in ordered[:LISTED])
    more = f" and {len(counts) - LISTED} more" if len(counts) > LISTED else ""
    return [f"{len(counts):,} classes: {shown}{more}"]


def _recipe_line(found: Mapping[str, Any]) -> str:
    line = f"recipe {found['name']}: {found['summary']}"
    takes = found["takes"]
    if takes is None:
        return f"{line} (no estimate is stored; toolkit recipes --estimate makes one)"
    minutes = max(1, round(takes["hours"] * 60))
    if not takes["fits"]:
        return f"{line}; it does not run here: {takes['why_not']}"
    return f"{line}; about {minutes:,} min of training here"
