"""A run's task made live again, also from what earlier versions wrote."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.pipeline.restore import load_task


def run(task: str, source: dict[str, Any], **options: Any) -> Any:
    return SimpleNamespace(info={"task": task, "source": source, "recipe": {"task": options}})


@pytest.mark.parametrize(
    ("task", "written", "option"),
    [
        ("price-regression", "mask_target", "mask_target"),
        ("price-regression-encoder", "mask_target", "mask_target"),
        ("question-answering", "mend", "repair"),
    ],
)
def test_options_that_earlier_runs_kept_with_the_source(
    task: str, written: str, option: str
) -> None:
    assert load_task(run(task, {written: True})).options[option] is True
    assert load_task(run(task, {written: False})).options[option] is False
    assert load_task(run(task, {}, **{option: True})).options[option] is True
    assert load_task(run(task, {})).options[option] is False


def test_a_task_without_the_option_is_not_given_it() -> None:
    found = load_task(run("summarization", {"mask_target": True, "mend": True}))
    assert not {"mask_target", "repair", "mend"} & found.options.keys()
