"""Each built-in task has a page, which says what the task says of itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from toolkit.evaluation.standing import ALPHA
from toolkit.metrics import statistics
from toolkit.plugins import discovery

DOCS = Path(__file__).parents[2] / "docs"
_spec = importlib.util.spec_from_file_location("including", DOCS / "including.py")
assert _spec is not None and _spec.loader is not None
including = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(including)

BUILT_IN = sorted(
    name
    for name, origin in discovery.load().origins.items()
    if origin.distribution == "adapter-toolkit"
)


def test_the_built_in_tasks_were_found() -> None:
    assert "price-regression" in BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_task_has_its_page(name: str) -> None:
    page = including.on_page_markdown((DOCS / "tasks" / f"{name}.md").read_text("utf-8"))
    task = discovery.load().task(name)
    for listed in (*task.columns, *(m.name for m in task.metrics), *(r.name for r in task.recipes)):
        assert f"`{listed}`" in page
    assert f"tasks/{name}.md" in (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")


def test_the_page_on_statistics_names_the_numbers_in_use() -> None:
    page = including.on_page_markdown((DOCS / "how-to" / "read-the-report.md").read_text("utf-8"))
    assert f"{statistics.RESAMPLES:,} times" in page
    assert f"smaller than {2 / (statistics.RESAMPLES + 1):.3f}" in " ".join(page.split())
    assert f"has a {100 * statistics.CONFIDENCE:.0f} % interval" in page
    assert f"has a {100 * statistics.COVERAGE:.0f} % interval" in page
    assert f"Below {statistics.FEW_GROUPS} groups" in page
    assert f"`p` below {ALPHA}" in page
    assert page.count("| adapter ") >= 3, "the kept report's rows are shown"


def test_a_section_that_a_kept_report_lacks_is_an_error() -> None:
    with pytest.raises(KeyError, match="no table below 'Nonsense'"):
        including.on_page_markdown("<!-- report: price-regression / Nonsense -->")


@pytest.mark.parametrize("kept", sorted((DOCS / "tasks" / "reports").glob("*.md")), ids=str)
def test_a_kept_report_is_of_its_task(kept: Path) -> None:
    assert kept.stem in BUILT_IN
    assert kept.stem in kept.read_text(encoding="utf-8").partition("\n##")[0]
