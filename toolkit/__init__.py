"""adapter-toolkit: fine-tune a model for a task of your own and know whether it helped.

Everything public is re-exported here, lazily: ``import toolkit`` loads no heavy library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from toolkit.system import renamed_modules

__version__ = "0.1.0"

_PUBLIC = {
    "API_VERSION": "toolkit.task",
    "Answered": "toolkit.kinds.question_answering.outputs",
    "Baseline": "toolkit.task",
    "CausalLMTask": "toolkit.kinds.causal_lm.task",
    "Classified": "toolkit.kinds.sequence_classification.outputs",
    "DataError": "toolkit.errors",
    "Generated": "toolkit.kinds.language.outputs",
    "Metric": "toolkit.task",
    "MissingExtra": "toolkit.errors",
    "Numbers": "toolkit.kinds.language.outputs",
    "NumericLMTask": "toolkit.kinds.causal_lm.task",
    "Panel": "toolkit.task",
    "Predictor": "toolkit.task",
    "QuestionAnsweringTask": "toolkit.kinds.question_answering.task",
    "Recipe": "toolkit.task",
    "Row": "toolkit.task",
    "Seq2SeqLMTask": "toolkit.kinds.seq2seq_lm.task",
    "SequenceClassificationTask": "toolkit.kinds.sequence_classification.task",
    "SequenceRegressionTask": "toolkit.kinds.sequence_classification.task",
    "Source": "toolkit.data.source",
    "Stage": "toolkit.task",
    "classification_metrics": "toolkit.metrics.classification",
    "Target": "toolkit.metrics.target",
    "Task": "toolkit.task",
    "ToolkitError": "toolkit.errors",
    "UsageError": "toolkit.errors",
    "hookimpl": "toolkit.plugins.hookspecs",
    "ordinal_metrics": "toolkit.metrics.classification",
    "read": "toolkit.data.load",
}

__all__ = sorted([*_PUBLIC, "__version__"])

PUBLIC_MODULES = (
    "toolkit.baselines",
    "toolkit.data",
    "toolkit.data.columns",
    "toolkit.decoding",
    "toolkit.errors",
    "toolkit.metrics",
    "toolkit.metrics.common",
    "toolkit.system.precision",
    "toolkit.data.tables",
    "toolkit.task",
    "toolkit.testing",
    "toolkit.formatting",
)
"""Modules whose names tasks may use beside those above; the API version covers both."""

APPLICATION_MODULES = (
    "toolkit.backends",
    "toolkit.reporting.comparison",
    "toolkit.system.console",
    "toolkit.preparation.prepare",
    "toolkit.system.environment",
    "toolkit.pipeline.run",
    "toolkit.evaluation.perplexity",
    "toolkit.evaluation.human_guesses",
    "toolkit.kinds.base",
    "toolkit.kinds.causal_lm.task",
    "toolkit.kinds.language.text_model",
    "toolkit.kinds.registry",
    "toolkit.reporting.run_details",
    "toolkit.panels",
    "toolkit.plugins.discovery",
    "toolkit.plugins.recipes",
    "toolkit.reporting.report",
    "toolkit.runs.run",
    "toolkit.reporting.context",
    "toolkit.pipeline.predict",
    "toolkit.evaluation.preference_sheet",
    "toolkit.cli.terminal",
    "toolkit.data.splits",
    "toolkit.metrics.statistics",
    "toolkit.runs.predictions",
    "toolkit.pipeline.shared_encoder",
    "toolkit.reporting.training_charts",
)
"""Modules for commands and pages on top of the toolkit; they may change with a minor version."""

if TYPE_CHECKING:
    from toolkit.data.load import read as read
    from toolkit.data.source import Source as Source
    from toolkit.errors import DataError as DataError
    from toolkit.errors import MissingExtra as MissingExtra
    from toolkit.errors import ToolkitError as ToolkitError
    from toolkit.errors import UsageError as UsageError
    from toolkit.kinds.causal_lm.task import CausalLMTask as CausalLMTask
    from toolkit.kinds.causal_lm.task import NumericLMTask as NumericLMTask
    from toolkit.kinds.language.outputs import Generated as Generated
    from toolkit.kinds.language.outputs import Numbers as Numbers
    from toolkit.kinds.question_answering.outputs import Answered as Answered
    from toolkit.kinds.question_answering.task import QuestionAnsweringTask as QuestionAnsweringTask
    from toolkit.kinds.seq2seq_lm.task import Seq2SeqLMTask as Seq2SeqLMTask
    from toolkit.kinds.sequence_classification.outputs import Classified as Classified
    from toolkit.kinds.sequence_classification.task import (
        SequenceClassificationTask as SequenceClassificationTask,
    )
    from toolkit.kinds.sequence_classification.task import (
        SequenceRegressionTask as SequenceRegressionTask,
    )
    from toolkit.metrics.classification import classification_metrics as classification_metrics
    from toolkit.metrics.classification import ordinal_metrics as ordinal_metrics
    from toolkit.metrics.metric import Metric as Metric
    from toolkit.metrics.target import Target as Target
    from toolkit.panels import Panel as Panel
    from toolkit.plugins.hookspecs import hookimpl as hookimpl
    from toolkit.recipe import Recipe as Recipe
    from toolkit.task import API_VERSION as API_VERSION
    from toolkit.task import Baseline as Baseline
    from toolkit.task import Predictor as Predictor
    from toolkit.task import Row as Row
    from toolkit.task import RowTransform as RowTransform
    from toolkit.task import Task as Task

renamed_modules.install()


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'toolkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
