"""The examples: short, within the contract, and using nothing that is not public."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit import testing
from toolkit.data.source import Source
from toolkit.plugins import discovery, task_file
from toolkit.plugins.contract import check
from toolkit.preparation.prepare import prepare

EXAMPLES = Path(__file__).parents[2] / "examples"
LONGEST = 40
TASKS = ("cooking_time.py", "dialogue_summary.py", "email_subject.py", "email_subject.toml")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_short_and_keeps_the_contract(name: str) -> None:
    path = EXAMPLES / name
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
    task = task_file.load(path)
    results = check.check(task(), Source())
    assert [f"{r.rule}: {r.message}" for r in results if not r.passed] == []
    discovery.load.cache_clear()


PUBLISHED = {
    # As SAMSum's train.json and AESLC's table have them.
    "dialogue_summary.py": {
        "id": "1382{0}",
        "dialogue": "Amanda: I baked {0} cookies. Do you want some?\r\nJerry: Sure!",
        "summary": "Amanda baked {0} cookies and will bring Jerry some.",
    },
    "email_subject.py": {
        "email_body": "Could you send me the {0} invoices of last week?",
        "subject_line": "{0} invoices",
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_rows_are_read_as_others_publish_them(name: str, tmp_path: Path) -> None:
    rows = [
        {key: text.format(number) for key, text in PUBLISHED[name].items()} for number in range(60)
    ]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(rows))
    task = task_file.load(EXAMPLES / name)()
    prepared = prepare(task, Source(data=str(file)))
    assert sum(prepared.sizes.values()) == 60 and not prepared.synthetic
    example = task.format_example(prepared.splits["train"][0])
    text, target = (key for key in PUBLISHED[name] if key != "id")
    row = prepared.splits["train"][0]
    assert row[text] in example["prompt"] and example["completion"] == f" {row[target]}"
    discovery.load.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_a_task_runs(name: str, run_task: Callable[..., testing.FinishedRun]) -> None:
    finished = run_task(task_file.load(EXAMPLES / name))
    baseline = "ridge" if name == "cooking_time.py" else "nearest"
    assert {"adapter", "base", baseline} <= set(finished.metrics["systems"])
    discovery.load.cache_clear()


# What built the embedded models is part of the project, and no example of a plugin.
AUTHORS = sorted(p for p in EXAMPLES.rglob("*.py") if "embedded_models" not in p.parts)


@pytest.mark.parametrize("path", AUTHORS, ids=lambda p: p.name)
def test_examples_import_only_what_is_public(path: Path) -> None:
    import toolkit

    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("toolkit"):
            public = node.module == "toolkit" or node.module in toolkit.PUBLIC_MODULES
            assert public, f"{path.name} imports {node.module}"


def test_the_plugins_rule_is_what_its_readme_shows() -> None:
    code = "from ticket_urgency.rule import urgency; print(urgency('The web shop is down.'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=EXAMPLES / "ticket-urgency",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "3\n", done.stderr
