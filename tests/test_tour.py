"""The steps of ``tour.py`` are those of the README, and they end with a report."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

TOUR = Path(__file__).with_name("tour.py")
_spec = importlib.util.spec_from_file_location("tour", TOUR)
assert _spec is not None and _spec.loader is not None
tour = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tour)


def test_the_readme_has_all_steps_in_their_order() -> None:
    names = [name for name, _ in tour.steps()]
    assert names == [
        "run-command", "tour: own-adapter", "tour: own-data", "tour: own-plugin",
        "tour: playground",
    ]  # fmt: skip


def test_what_is_shortened_offline_is_in_the_readme() -> None:
    commands = [line for _, text in tour.steps() for line in text.splitlines()]
    assert set(tour.SHORT) <= set(commands)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_readme_is_followed_from_top_to_bottom_with_shortened_training(tmp_path: Path) -> None:
    """Offline, in a fresh environment; all but ``tour.SHORT`` is what the README says."""
    assert tour.follow(tmp_path, offline=True) == 0
    assert list((tmp_path / "project" / "runs").glob("price-regression/*/report.html"))
    assert list((tmp_path / "project" / "runs").glob("my-task/*/report.html"))
    assert list((tmp_path / "project" / "runs").glob("email-subject/*/report.html"))
