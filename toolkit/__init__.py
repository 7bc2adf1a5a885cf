"""adapter-toolkit: fine-tune a model for a task of your own and know whether it helped.

Everything that a task needs is exported here, lazily: ``import toolkit`` loads no heavy library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

from toolkit.system import renamed_modules

__version__ = "0.1.0"

PUBLIC_MODULES = (
    "toolkit.baselines",
    "toolkit.data",
    "toolkit.decoding",
    "toolkit.errors",
    "toolkit.formatting",
    "toolkit.metrics",
    "toolkit.testing",
    "toolkit.metrics.texts",
)
"""Modules that tasks may use beside the names of this one; the API version covers both."""

APPLICATION_MODULES = (
    "toolkit.cli.data_options",
    "toolkit.cli.run_options",
    "toolkit.data.splits",
    "toolkit.evaluation",
    "toolkit.kinds",
    "toolkit.metrics.statistics",
    "toolkit.models",
    "toolkit.panels",
    "toolkit.pipeline",
    "toolkit.plugins",
    "toolkit.preparation",
    "toolkit.reporting",
    "toolkit.runs",
    "toolkit.system",
)
"""What commands and pages on top of the toolkit use; it may change with a minor version."""

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
    from toolkit.kinds.sequence_classification.multi_label import MultiLabelTask as MultiLabelTask
    from toolkit.kinds.sequence_classification.outputs import Classified as Classified
    from toolkit.kinds.sequence_classification.outputs import Labelled as Labelled
    from toolkit.kinds.sequence_classification.task import (
        SequenceClassificationTask as SequenceClassificationTask,
    )
    from toolkit.kinds.sequence_classification.task import (
        SequenceRegressionTask as SequenceRegressionTask,
    )
    from toolkit.kinds.sequence_classification.vector_regression import (
        VectorRegressionTask as VectorRegressionTask,
    )
    from toolkit.metrics.classification import classification_metrics as classification_metrics
    from toolkit.metrics.classification import ordinal_metrics as ordinal_metrics
    from toolkit.metrics.metric import Metric as Metric
    from toolkit.metrics.target import Target as Target
    from toolkit.models.paths import model_path as model_path
    from toolkit.panels import Panel as Panel
    from toolkit.pipeline.notebook import Evaluation as Evaluation
    from toolkit.pipeline.notebook import evaluate as evaluate
    from toolkit.pipeline.python_run import run as run
    from toolkit.pipeline.result import RunResult as RunResult
    from toolkit.pipeline.result import load_run as load_run
    from toolkit.plugins.hookspecs import hookimpl as hookimpl
    from toolkit.recipe import Recipe as Recipe
    from toolkit.task import API_VERSION as API_VERSION
    from toolkit.task import Baseline as Baseline
    from toolkit.task import Predictor as Predictor
    from toolkit.task import Row as Row
    from toolkit.task import RowTransform as RowTransform
    from toolkit.task import Task as Task

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "data.load": ["read"],
        "data.source": ["Source"],
        "errors": ["DataError", "MissingExtra", "ToolkitError", "UsageError"],
        "kinds.causal_lm.task": ["CausalLMTask", "NumericLMTask"],
        "kinds.language.outputs": ["Generated", "Numbers"],
        "kinds.question_answering.outputs": ["Answered"],
        "kinds.question_answering.task": ["QuestionAnsweringTask"],
        "kinds.seq2seq_lm.task": ["Seq2SeqLMTask"],
        "kinds.sequence_classification.multi_label": ["MultiLabelTask"],
        "kinds.sequence_classification.outputs": ["Classified", "Labelled"],
        "kinds.sequence_classification.task": [
            "SequenceClassificationTask",
            "SequenceRegressionTask",
        ],
        "kinds.sequence_classification.vector_regression": ["VectorRegressionTask"],
        "metrics.classification": ["classification_metrics", "ordinal_metrics"],
        "metrics.metric": ["Metric"],
        "metrics.target": ["Target"],
        "models.paths": ["model_path"],
        "panels": ["Panel"],
        "pipeline.notebook": ["Evaluation", "evaluate"],
        "pipeline.python_run": ["run"],
        "pipeline.result": ["RunResult", "load_run"],
        "plugins.hookspecs": ["hookimpl"],
        "recipe": ["Recipe"],
        "task": ["API_VERSION", "Baseline", "Predictor", "Row", "RowTransform", "Task"],
    },
)
__all__ = sorted([*__all__, "__version__"])

renamed_modules.install()
