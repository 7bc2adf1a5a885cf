"""Metrics for tasks: what one is, and ready-made ones.

A :class:`Metric` is a value for each row and how the rows' values become one figure; what the
toolkit does with it (intervals, comparisons) is in :mod:`toolkit.metrics.statistics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from toolkit.metrics.answers import normalize_answer as normalize_answer
    from toolkit.metrics.classification import accuracy as accuracy
    from toolkit.metrics.classification import classification_metrics as classification_metrics
    from toolkit.metrics.classification import macro_f1 as macro_f1
    from toolkit.metrics.classification import ordinal_metrics as ordinal_metrics
    from toolkit.metrics.common import ACCURACY as ACCURACY
    from toolkit.metrics.common import EXACT_MATCH as EXACT_MATCH
    from toolkit.metrics.common import MAE as MAE
    from toolkit.metrics.common import NAMED as NAMED
    from toolkit.metrics.common import RMSE as RMSE
    from toolkit.metrics.common import TOKEN_F1 as TOKEN_F1
    from toolkit.metrics.costs import expected_cost as expected_cost
    from toolkit.metrics.judged import judge_metrics as judge_metrics
    from toolkit.metrics.metric import Metric as Metric
    from toolkit.metrics.metric import mean as mean
    from toolkit.metrics.multi_label import MICRO_F1 as MICRO_F1
    from toolkit.metrics.multi_label import SAMPLES_F1 as SAMPLES_F1
    from toolkit.metrics.multi_label import SUBSET_ACCURACY as SUBSET_ACCURACY
    from toolkit.metrics.multi_label import macro_labels_f1 as macro_labels_f1
    from toolkit.metrics.multi_label import multi_label_metrics as multi_label_metrics
    from toolkit.metrics.regression import mae as mae
    from toolkit.metrics.regression import r2 as r2
    from toolkit.metrics.regression import rmse as rmse
    from toolkit.metrics.regression import root_mean as root_mean
    from toolkit.metrics.target import Target as Target
    from toolkit.metrics.vectors import scaled_mae as scaled_mae
    from toolkit.metrics.vectors import vector_metrics as vector_metrics
    from toolkit.metrics.whole_set import whole_set_metric as whole_set_metric

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "answers": ["normalize_answer"],
        "classification": [
            "accuracy",
            "classification_metrics",
            "macro_f1",
            "ordinal_metrics",
        ],
        "common": ["ACCURACY", "EXACT_MATCH", "MAE", "NAMED", "RMSE", "TOKEN_F1"],
        "costs": ["expected_cost"],
        "judged": ["judge_metrics"],
        "metric": ["Metric", "mean"],
        "multi_label": [
            "MICRO_F1",
            "SAMPLES_F1",
            "SUBSET_ACCURACY",
            "macro_labels_f1",
            "multi_label_metrics",
        ],
        "regression": ["mae", "r2", "rmse", "root_mean"],
        "target": ["Target"],
        "vectors": ["scaled_mae", "vector_metrics"],
        "whole_set": ["whole_set_metric"],
    },
)
