"""The release workflow: it builds what the tests build, from the tag, and stores no secret."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import toolkit

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    read: dict[Any, Any] = yaml.safe_load(TEXT)
    read["on"] = read.pop(True)  # YAML 1.1 reads the key "on" so
    return read


def steps(workflow: dict[str, Any], job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workflow["jobs"][job]["steps"]
    return found


def test_it_runs_on_tags_of_versions_alone(workflow: dict[str, Any]) -> None:
    assert workflow["on"] == {"push": {"tags": ["v*"]}}
    assert set(workflow["jobs"]) == {"build", "publish"}
    assert workflow["jobs"]["publish"]["needs"] == "build"


def test_each_action_is_pinned_to_a_commit_and_says_its_version(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for job in workflow["jobs"] for step in steps(workflow, job)
            if "uses" in step]  # fmt: skip
    assert len(used) >= 5 and [each for each in used if not PINNED.fullmatch(each)] == []
    for each in used:
        assert re.search(rf"{re.escape(each)}  # v\d+\.\d+\.\d+$", TEXT, re.MULTILINE), each


def test_publishing_is_trusted_and_only_its_job_may_ask_for_an_identity(
    workflow: dict[str, Any],
) -> None:
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["build"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert workflow["jobs"]["publish"]["environment"] == "release"
    last = steps(workflow, "publish")[-1]
    assert last["uses"].startswith("pypa/gh-action-pypi-publish@") and "with" not in last
    assert "secrets." not in TEXT and "password" not in str(workflow)


def test_it_builds_and_checks_what_the_tests_build(workflow: dict[str, Any]) -> None:
    build = "\n".join(step.get("run", "") for step in steps(workflow, "build"))
    assert "python -m build\n" in build  # the sdist, and the wheel from it, as in test_wheel.py
    assert "python -m twine check --strict dist/*" in build
    assert "pip install dist/*.whl" in build and 'toolkit" doctor' in build


@pytest.mark.parametrize(
    ("tag", "log", "right"),
    [
        (f"v{toolkit.__version__}", f"## [{toolkit.__version__}] - 2026-11-30", True),
        ("v9.9.9", f"## [{toolkit.__version__}] - 2026-11-30", False),
        (toolkit.__version__, f"## [{toolkit.__version__}]", False),
        (f"v{toolkit.__version__}", "## [Unreleased]", False),
    ],
)
def test_the_tag_is_compared_with_the_version(
    workflow: dict[str, Any], tmp_path: Path, tag: str, log: str, right: bool
) -> None:
    (step,) = (s for s in steps(workflow, "build") if s.get("name") == "The tag is the version")
    (tmp_path / "toolkit").mkdir()
    (tmp_path / "toolkit" / "__init__.py").write_text(f'__version__ = "{toolkit.__version__}"\n')
    (tmp_path / "CHANGELOG.md").write_text(f"# Changes\n\n{log}\n")
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", step["run"]], cwd=tmp_path,
        env={"PATH": str(Path(__import__("sys").executable).parent) + ":/usr/bin:/bin", "TAG": tag},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) is right, done.stdout + done.stderr
