"""adapter-toolkit: fine-tune a model for a task of your own and know whether it helped.

Everything public is re-exported here, lazily: ``import toolkit`` loads no heavy library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "API_VERSION": "toolkit.task",
    "Answered": "toolkit.kinds.question_answering",
    "Baseline": "toolkit.task",
    "CausalLMTask": "toolkit.kinds.causal_lm",
    "Classified": "toolkit.kinds.sequence_classification",
    "DataError": "toolkit.errors",
    "Generated": "toolkit.kinds.causal_lm",
    "Metric": "toolkit.task",
    "MissingExtra": "toolkit.errors",
    "Numbers": "toolkit.kinds.causal_lm",
    "NumericLMTask": "toolkit.kinds.causal_lm",
    "Panel": "toolkit.task",
    "Predictor": "toolkit.task",
    "QuestionAnsweringTask": "toolkit.kinds.question_answering",
    "Recipe": "toolkit.task",
    "Row": "toolkit.task",
    "Seq2SeqLMTask": "toolkit.kinds.seq2seq_lm",
    "SequenceClassificationTask": "toolkit.kinds.sequence_classification",
    "SequenceRegressionTask": "toolkit.kinds.sequence_classification",
    "Source": "toolkit.source",
    "Stage": "toolkit.task",
    "classification_metrics": "toolkit.classes",
    "Target": "toolkit.targets",
    "Task": "toolkit.task",
    "ToolkitError": "toolkit.errors",
    "UsageError": "toolkit.errors",
    "hookimpl": "toolkit.hookspecs",
    "ordinal_metrics": "toolkit.classes",
    "read": "toolkit.reading",
}

__all__ = sorted([*_PUBLIC, "__version__"])

PUBLIC_MODULES = (
    "toolkit.baselines",
    "toolkit.columns",
    "toolkit.decode",
    "toolkit.errors",
    "toolkit.metrics",
    "toolkit.precision",
    "toolkit.reading",
    "toolkit.source",
    "toolkit.tables",
    "toolkit.task",
    "toolkit.testing",
    "toolkit.wording",
)
"""Modules whose names tasks may use beside those above; the API version covers both."""

APPLICATION_MODULES = (
    "toolkit.backends",
    "toolkit.comparing",
    "toolkit.console",
    "toolkit.data",
    "toolkit.environment",
    "toolkit.flow",
    "toolkit.gains",
    "toolkit.human",
    "toolkit.kinds.base",
    "toolkit.kinds.causal_lm",
    "toolkit.metadata",
    "toolkit.panels",
    "toolkit.plugins",
    "toolkit.recipes",
    "toolkit.report",
    "toolkit.run",
    "toolkit.sections",
    "toolkit.serving",
    "toolkit.sheet",
    "toolkit.showing",
    "toolkit.splitting",
    "toolkit.statistics",
    "toolkit.systems",
    "toolkit.together",
    "toolkit.training_charts",
)
"""Modules for commands and pages on top of the toolkit; they may change with a minor version."""

if TYPE_CHECKING:
    from toolkit.classes import classification_metrics as classification_metrics
    from toolkit.classes import ordinal_metrics as ordinal_metrics
    from toolkit.errors import DataError as DataError
    from toolkit.errors import MissingExtra as MissingExtra
    from toolkit.errors import ToolkitError as ToolkitError
    from toolkit.errors import UsageError as UsageError
    from toolkit.hookspecs import hookimpl as hookimpl
    from toolkit.kinds.causal_lm import CausalLMTask as CausalLMTask
    from toolkit.kinds.causal_lm import Generated as Generated
    from toolkit.kinds.causal_lm import Numbers as Numbers
    from toolkit.kinds.causal_lm import NumericLMTask as NumericLMTask
    from toolkit.kinds.question_answering import Answered as Answered
    from toolkit.kinds.question_answering import QuestionAnsweringTask as QuestionAnsweringTask
    from toolkit.kinds.seq2seq_lm import Seq2SeqLMTask as Seq2SeqLMTask
    from toolkit.kinds.sequence_classification import Classified as Classified
    from toolkit.kinds.sequence_classification import (
        SequenceClassificationTask as SequenceClassificationTask,
    )
    from toolkit.kinds.sequence_classification import (
        SequenceRegressionTask as SequenceRegressionTask,
    )
    from toolkit.reading import read as read
    from toolkit.source import Source as Source
    from toolkit.targets import Target as Target
    from toolkit.task import API_VERSION as API_VERSION
    from toolkit.task import Baseline as Baseline
    from toolkit.task import Metric as Metric
    from toolkit.task import Panel as Panel
    from toolkit.task import Predictor as Predictor
    from toolkit.task import Recipe as Recipe
    from toolkit.task import Row as Row
    from toolkit.task import Stage as Stage
    from toolkit.task import Task as Task


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'toolkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
