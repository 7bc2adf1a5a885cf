"""An adapter of a plain TRL script is judged by the commands of the README."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli_runner import command, environment

EXAMPLES = Path(__file__).parents[2] / "examples"
STEPS = "max_steps=60"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_adapter_of_the_script_is_judged(tmp_path: Path) -> None:
    """In fewer steps; the rest of the script is as it stands."""
    script = (EXAMPLES / "plain_trl" / "train.py").read_text(encoding="utf-8")
    assert STEPS in script and len(script.splitlines()) <= 40
    place = tmp_path / "examples" / "plain_trl" / "train.py"
    place.parent.mkdir(parents=True)
    place.write_text(script.replace(STEPS, "max_steps=6"), encoding="utf-8")
    (tmp_path / "examples" / "emails.csv").write_bytes((EXAMPLES / "emails.csv").read_bytes())
    done = subprocess.run(
        [sys.executable, str(place)], cwd=tmp_path, env=environment(), capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    command(
        tmp_path, "evaluate", "mails-adapter", "--task", str(EXAMPLES / "email_subject.toml"),
        "--data", "mails-test.csv", "--train", "mails-train.csv",
    )  # fmt: skip
    (metrics,) = (tmp_path / "runs").glob("*/*/metrics.json")
    found = json.loads(metrics.read_text())
    assert found["n"] == 100 and found["verdict"]["sentence"]
    assert {"adapter", "base", "few-shot"} <= set(found["systems"])
    command(tmp_path, "report", "--verify")
