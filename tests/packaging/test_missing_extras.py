"""Without an extra, what needs it is refused with the pip line or left out with its reason."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from toolkit import MissingExtra, Source
from toolkit.pipeline import train
from toolkit.reporting import svg
from toolkit_review_augmentation import texts
from toolkit_review_augmentation.task import ReviewAugmentation
from toolkit_summarization import baselines
from toolkit_summarization.task import Summarization

Absent = Callable[[str], None]


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Absent:
    """Make a package look as if it were not installed."""
    there = importlib.util.find_spec

    def remove(name: str) -> None:
        def find(wanted: str, *rest: Any) -> Any:
            return None if wanted == name else there(wanted, *rest)

        monkeypatch.setattr(importlib.util, "find_spec", find)
        for module in (texts, sys.modules["toolkit_summarization.scoring"]):
            monkeypatch.setattr(module, "find_spec", find)
        monkeypatch.setitem(sys.modules, name, None)

    return remove


def test_training_goes_on_without_a_tracker_and_says_so(absent: Absent, tmp_path: Path) -> None:
    names = {"runs": tmp_path, "project": "task", "run_name": "one"}
    assert not train.untracked({}) and train.fields({}, **names)["report_to"] == "trackio"
    absent("trackio")
    assert train.fields({}, **names) == {"report_to": "none"}
    assert "adapter-toolkit[tracking]" in train.untracked({})
    assert not train.untracked({"report_to": "none"})
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[tracking\]"):
        train.fields({"report_to": "trackio"}, **names)


def test_a_chart_is_refused_and_known_to_be_left_out(absent: Absent) -> None:
    assert svg.left_out() == ""
    absent("matplotlib")
    assert "adapter-toolkit[charts]" in svg.left_out()
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[charts\]"), svg.style("any"):
        pass


def test_summaries_are_not_loaded_where_they_could_not_be_scored(absent: Absent) -> None:
    absent("rouge_score")
    with pytest.raises(MissingExtra, match=r"ROUGE.*adapter-toolkit\[summarization\]"):
        Summarization().load_rows(Source())


def test_textrank_names_its_extra(absent: Absent) -> None:
    absent("networkx")
    rows = datasets.Dataset.from_dict({"row_id": [0], "article": ["Rain fell. A barn burnt."]})
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[summarization\]"):
        baselines.ladder("article", "summary", structured=False)["textrank"](rows)(rows)


def test_reviews_are_not_loaded_where_answers_could_not_be_scored(absent: Absent) -> None:
    absent("simplemma")
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[reviews\]"):
        ReviewAugmentation().load_rows(Source())
    with pytest.raises(MissingExtra, match=r"adapter-toolkit\[reviews\]"):
        texts.lemma("never seen before")
