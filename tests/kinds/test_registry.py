"""Kinds by name: the class of a task's model is found, and nothing heavy is loaded before."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from cli_runner import CommandLine
from tiny_tasks import TinyPrices
from toolkit import (
    CausalLMTask,
    MultiLabelTask,
    NumericLMTask,
    QuestionAnsweringTask,
    Seq2SeqLMTask,
    SequenceClassificationTask,
    SequenceRegressionTask,
    Task,
    VectorRegressionTask,
)
from toolkit.errors import PluginError
from toolkit.kinds.base import TaskModel
from toolkit.kinds.registry import KINDS, OWN, added, kind_name, model_class
from toolkit.plugins import discovery, scaffold, toml_kinds
from toolkit.plugins.registration import check_registration

CLASSES = {
    CausalLMTask: ("causal-lm", "CausalLM"),
    NumericLMTask: ("causal-lm", "CausalLM"),
    Seq2SeqLMTask: ("seq2seq-lm", "Seq2SeqLM"),
    SequenceClassificationTask: ("sequence-classification", "SequenceClassification"),
    SequenceRegressionTask: ("sequence-classification", "SequenceClassification"),
    MultiLabelTask: ("sequence-classification", "SequenceClassification"),
    VectorRegressionTask: ("sequence-classification", "SequenceClassification"),
    QuestionAnsweringTask: ("question-answering", "QuestionAnswering"),
}


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.mark.parametrize(("task", "expected"), CLASSES.items(), ids=lambda v: str(v))
def test_a_task_has_the_class_of_its_kind(task: type[Task], expected: tuple[str, str]) -> None:
    found = model_class(task)
    assert (kind_name(task), found.__name__) == expected
    assert issubclass(found, TaskModel)


def test_an_instance_has_the_class_of_its_kind() -> None:
    assert model_class(TinyPrices()) is model_class(TinyPrices)


def test_the_kinds_are_those_of_the_scaffold_and_of_task_files() -> None:
    discovery.load()
    assert {*KINDS, *added(), "multi-label", "vector-regression"} == set(scaffold.kinds())
    # A task file needs no class to say that the target of a text is a number.
    assert set(toml_kinds.KINDS) == {*KINDS, "sequence-regression"}


def test_naming_kinds_loads_no_model_library() -> None:
    code = (
        "import sys, toolkit\n"
        "from toolkit.kinds.registry import kind_name\n"
        "assert kind_name(toolkit.NumericLMTask) == 'causal-lm'\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'datasets'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("causal-ml", "no kind 'causal-ml' – did you mean 'causal-lm'?; there are causal-lm, seq"),
        ("CausalLM", "there is no kind 'CausalLM'"),
        ("", "Broken has no kind; there are causal-lm"),
        (None, "Broken has no kind"),
    ],
)
def test_an_unknown_kind_is_one_error_that_names_the_kinds(kind: Any, message: str) -> None:
    broken = type("Broken", (TinyPrices,), {"kind": kind})
    for find in (model_class, kind_name, check_registration):
        with pytest.raises(PluginError) as caught:
            find(broken)
        assert message in str(caught.value)


def test_a_subclass_of_task_itself_must_name_a_kind() -> None:
    with pytest.raises(PluginError, match="has no kind"):
        model_class(type("Bare", (Task,), {}))


def test_a_task_of_contract_version_1_may_return_a_class_of_its_own() -> None:
    """Such a task overrides the class method ``kind()``, which was the contract before."""
    from toolkit.kinds.causal_lm.model import CausalLM

    class Own(CausalLM):
        pass

    class OwnPrices(TinyPrices):
        @classmethod
        def kind(cls) -> type[TaskModel]:  # type: ignore[override]
            return Own

    check_registration(OwnPrices)
    assert model_class(OwnPrices) is model_class(OwnPrices()) is Own
    assert kind_name(OwnPrices) == OWN


def test_tasks_are_listed_with_the_names_of_their_kinds(cli: CommandLine) -> None:
    kinds = {task["name"]: task["kind"] for task in json.loads(cli("tasks", "--json").out)}
    assert kinds["price-regression"] == "causal-lm"
    assert kinds["price-regression-encoder"] == "sequence-classification"
    assert kinds["claim-report"] == "seq2seq-lm"
    assert kinds["question-answering"] == "question-answering"
