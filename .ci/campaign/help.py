"""The runs behind the docs' page "Does it help?": each data set with both models, and its table.

    python .ci/campaign/help.py --data FOLDER --runs FOLDER [--only wine,e2e_nlg/smollm2-135m]
    python .ci/campaign/help.py --table

The first command runs what ``docs/does-it-help.json`` has no figures of, one run after another,
and keeps the figures of each as soon as it is finished; ``--again`` runs what is there too. The
second writes the tables of ``docs/does-it-help.md`` from that file alone. FOLDER of the data holds
one folder for each public data set, as ``SETS`` names their files; what is not there is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from kept import Kept, filled

ROOT = Path(__file__).resolve().parents[2]
FIGURES = Kept(ROOT / "docs" / "does-it-help.json")
PAGE = ROOT / "docs" / "does-it-help.md"
MARK = "<!-- table: {} -->"
SMOLLM2 = "smollm2-135m"
SMALL = "default"


@dataclass(frozen=True)
class Set:
    """A data set, the task that it is tried with, and what is set for each model.

    Attributes:
        name: the set's name in the table.
        task: the task, or a task file beside this script.
        options: of ``toolkit run``; ``{data}`` is the folder of public data sets.
        rows: the recipe's ``rows`` of every model, so that all see the same.
        models: settings of each model that it is tried with.
    """

    name: str
    task: str
    options: Sequence[str] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, Sequence[str]] = field(default_factory=lambda: {SMALL: (), SMOLLM2: ()})

    @property
    def public(self) -> bool:
        """Whether it is a public data set, not a generated one."""
        return any("{data}" in option for option in self.options)


def _prompts(
    text: str | None = None, ends: str = "", epochs: int = 2, more: Sequence[str] = ()
) -> dict[str, Sequence[str]]:
    """A plain prompt for the small model, and the same words in SmolLM2's chat format."""
    # Half an hour allows for ten minutes of training; here it goes to its end.
    longer = ("early_stopping.minutes=120", f"training.num_train_epochs={epochs}", *more)
    if text is None:
        return {SMALL: (), SMOLLM2: longer}
    return {
        SMALL: (f"task.template={text}\\n{ends}:",),
        SMOLLM2: (f"task.template=chat: {text}", *longer),
    }


DESCRIBE = "Describe this restaurant in one or two sentences.\\n{article}"
NOTE = "Write this section of a clinical note, by the dialogue.\\n{article}"
TO_THE_END = ("early_stopping.early_stopping_patience=6",)
PRICES = {"train": 1_300, "validation": 60, "calibration": 80, "test": 300}
TEXTS = {"train": 500, "validation": 40, "test": 150}
SETS = (
    Set("catalogue", "price-regression"),
    Set("articles", "summarization"),
    Set("reviews", "review-augmentation"),
    Set(
        "mts_dialog", "summarization",
        ("--train", "{data}/mts_dialog/train.csv", "--test", "{data}/mts_dialog/validation.csv",
         "--text", "section_header,dialogue", "--target", "section_text",
         "--set", "generation.max_new_tokens=96", "--allow-truncation"),
        TEXTS, _prompts(NOTE, "Note"),
    ),
    Set(
        "e2e_nlg", "summarization",
        ("--data", "{data}/e2e_nlg/devset.csv", "--text", "mr", "--target", "ref"),
        # About nine people described each restaurant, and an epoch takes one description of each.
        # On so few validation rows ROUGE-L moves by chance: the training goes to its end.
        TEXTS, _prompts(DESCRIBE, "Description", epochs=6, more=TO_THE_END),
    ),
    Set(
        "scitldr", "summarization",
        ("--train", "{data}/scitldr/train.jsonl", "--test", "{data}/scitldr/dev.jsonl",
         "--text", "source", "--target", "target"),
        TEXTS, _prompts(),
    ),
    Set(
        "druglib", "review-augmentation",
        ("--data", "{data}/druglib/reviews.csv",
         "--text", "benefitsReview,sideEffectsReview,commentsReview", "--target", "rating",
         "--group", "urlDrugName"),
        {"train": 3_000, "validation": 60, "test": 300}, _prompts(),
    ),
    Set("wine", "price-regression", ("--data", "{data}/wine/wine.csv"), PRICES, _prompts()),
    Set(
        "airbnb_boston", "price-regression", ("--data", "{data}/airbnb_boston/listings.csv"),
        PRICES, _prompts(),
    ),
    Set("policyqa", "question-answering", ("--data", "{data}/policyqa/dev.json"), {}, {SMALL: ()}),
)  # fmt: skip


def main() -> int:
    """Run what has no figures, or write the tables; 1 where a run failed."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, help="folder of public data sets")
    options.add_argument("--runs", type=Path, default=Path("runs-help"), help="folder for the runs")
    options.add_argument("--only", default="", help="names of sets, or set/model, with commas")
    options.add_argument("--again", action="store_true", help="also what has figures")
    options.add_argument("--table", action="store_true", help="write the tables and end")
    given = options.parse_args()
    if given.table:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    wanted = [part for part in given.only.split(",") if part]
    failed = 0
    for entry, model in _cases(given.data):
        key = f"{entry.name}/{model}"
        if wanted and not {entry.name, key} & set(wanted):
            continue
        if key in FIGURES.read() and not given.again:
            continue
        failed += not _run(entry, model, key, given.data, given.runs)
    return int(failed > 0)


def _cases(data: Path | None) -> Iterator[tuple[Set, str]]:
    for entry in SETS:
        if entry.public and data is None:
            continue
        yield from ((entry, model) for model in entry.models)


def arguments(entry: Set, model: str) -> list[str]:
    """The arguments of ``toolkit`` for a set and a model."""
    found = ["run", entry.task, *entry.options]
    for name, number in entry.rows.items():
        found += ["--set", f"rows.{name}={number}"]
    if model != SMALL:
        found += ["--model", model]
    for setting in entry.models[model]:
        found += ["--set", setting]
    return found


def _run(entry: Set, model: str, key: str, data: Path | None, runs: Path) -> bool:
    """Run a case and keep its figures; whether it ended well."""
    place = (runs / entry.name / model).resolve()
    filled = [one.replace("{data}", str(data)) for one in arguments(entry, model)]
    started = time.time()
    print(f"{key}: {time.strftime('%H:%M')}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "toolkit", *filled, "--runs", str(place)], cwd=ROOT
    )
    if done.returncode:
        print(f"{key}: exit code {done.returncode}", flush=True)
        return False
    run = max(place.glob("*/*/metrics.json"), key=lambda path: path.stat().st_mtime).parent
    FIGURES.keep(key, figures(run, entry, model, time.time() - started))
    return True


def figures(run: Path, entry: Set, model: str, seconds: float) -> dict[str, Any]:
    """What the table needs of a run's ``metrics.json``."""
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    info = json.loads((run / "run.json").read_text(encoding="utf-8"))
    name = metrics["primary_metric"]
    systems = {
        system: {"role": found["role"], **_estimate(found["metrics"].get(name))}
        for system, found in metrics["systems"].items()
    }
    return {
        "command": shlex.join(["toolkit", *arguments(entry, model)]),
        "synthetic": metrics["synthetic"],
        "trained_on": info["data"]["sizes"]["train"],
        "rows": metrics["n"],
        "groups": metrics["groups"],
        "metric": next(m for m in metrics["metrics"] if m["name"] == name),
        "verdict": metrics["verdict"],
        "systems": systems,
        "targets": metrics.get("targets", []),
        "minutes": round(seconds / 60, 1),
        "cores": int(os.environ.get("OMP_NUM_THREADS", 0)) or os.cpu_count(),
        "created": info["created"][:10],
        "versions": info["versions"],
    }


def _estimate(found: Any) -> dict[str, Any]:
    return dict(found) if isinstance(found, Mapping) else {"value": found}


def page() -> str:
    """The page with its tables, each between its marks, made of the kept figures."""
    text = PAGE.read_text(encoding="utf-8")
    found = FIGURES.read()
    order = {entry.name: at for at, entry in enumerate(SETS)}
    found = dict(sorted(found.items(), key=lambda item: order[item[0].partition("/")[0]]))
    real = {key: row for key, row in found.items() if not row["synthetic"]}
    made = {key: row for key, row in found.items() if row["synthetic"]}
    for name, written in (
        ("real", table(real)), ("synthetic", table(made)), ("targets", targets(found)),
        ("missing", missing(found)),
    ):  # fmt: skip
        text = filled(text, MARK.format(name), written)
    return text


def missing(found: Mapping[str, Any]) -> str:
    """A sentence on what has not been run."""
    names = [f"{s.name} with {m}" for s in SETS for m in s.models if f"{s.name}/{m}" not in found]
    return f"Not run yet: {', '.join(names)}.\n" if names else "All of it has been run.\n"


def targets(found: Mapping[str, Any]) -> str:
    """A line for each target of a task, with what each run reached."""
    lines = ["| Data | Model | Target | Wanted | Reached |", "|---|---|---|---|---|"]
    for key, row in found.items():
        name, _, model = key.partition("/")
        lines += [
            f"| {name} | {model} | {t['label']} | {'≥' if t['at_least'] else '≤'} {t['goal']:g} "
            f"| {'–' if t['value'] is None else format(t['value'], '.3g')} |"
            for t in row["targets"]
        ]
    return "\n".join(lines) + "\n"


def table(found: Mapping[str, Any]) -> str:
    """A line for each set and model."""
    lines = [
        "| Data | Model | Rows to train, test | Metric | Adapter | Strongest baseline | Base "
        "| Verdict |",
        "|---|---|---:|---|---|---|---|---|",
    ]
    lines += [_line(key, row) for key, row in found.items()]
    return "\n".join(lines) + "\n"


def _line(key: str, row: Mapping[str, Any]) -> str:
    name, _, model = key.partition("/")
    verdict = row["verdict"]
    against = verdict["against"] or verdict["best_baseline"]
    metric = row["metric"].get("label") or row["metric"]["name"]
    cells = [
        name, model, f"{row['trained_on']:,}, {row['rows']:,}", metric,
        _figure(row, "adapter"), f"{_figure(row, against)} ({against})", _figure(row, "base"),
        {True: "**worth it**", False: "not worth it", None: "unclear"}[verdict["worth_it"]],
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _figure(row: Mapping[str, Any], system: str) -> str:
    found = row["systems"].get(system)
    if not found or found.get("value") is None:
        return "–"
    return f"{found['value']:.3g} ({found['low']:.3g} to {found['high']:.3g})"


if __name__ == "__main__":
    sys.exit(main())
