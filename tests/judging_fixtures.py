"""Made-up runs for the tests of scoring and reporting: a task, and folders as a run leaves them.

Errors are drawn, so that who wins is known beforehand: a system's ``noise`` is the spread of its
predictions' logarithm around the reference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.metrics import statistics
from toolkit.metrics.metric import Metric
from toolkit.recipe import Recipe
from toolkit.runs.files import write_json, write_jsonl
from toolkit.runs.run import STAGES, Run
from toolkit.task import Task


def _r2(squares: Any, references: Any, axis: int = -1) -> Any:
    spread = ((references - references.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    return 1 - squares.sum(axis=axis) / spread


def _root(values: Any, axis: int = -1) -> Any:
    return np.sqrt(np.mean(values, axis=axis))


METRICS = (
    Metric(
        "mae",
        lambda p, r: abs(p - r),
        greater_is_better=False,
        label="Mean absolute error",
        unit="$",
        format=".1f",
    ),
    Metric(
        "rmse", lambda p, r: (p - r) ** 2, _root, greater_is_better=False, label="RMSE", unit="$",
        format=".1f",
    ),
    Metric(
        "rmsle", lambda p, r: (math.log1p(p) - math.log1p(r)) ** 2, _root, greater_is_better=False,
        label="RMSLE",
    ),
    Metric("r2", lambda p, r: ((p - r) ** 2, r), _r2, label="R²"),
    Metric("within20", lambda p, r: float(abs(p - r) <= 0.2 * r), label="Share within 20 %",
           format=".1%"),
)  # fmt: skip


def band(price: float) -> str:
    return "under 30" if price < 30 else "30–100" if price < 100 else "100 and more"


class FakePrices(Task):
    """A price task with all that scoring needs of a task, and nothing that training needs."""

    name = "fake-prices"
    summary = "Prices of made-up goods"
    columns = {"text": "what is for sale", "price": "its price", "category": "its kind"}
    metrics = METRICS
    primary_metric = "mae"
    margin = 0.02
    recipes = (Recipe("tiny", "A tiny recipe", "embedded:tiny"),)

    def load_rows(self, source: Any) -> Any:
        raise NotImplementedError

    def format_example(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"prompt": row["text"], "completion": str(row["price"])}

    def postprocess(self, output: Any, row: Mapping[str, Any]) -> Any:
        return output

    def fallback(self) -> float:
        return 80.0

    def reference(self, row: Mapping[str, Any]) -> Any:
        return row["price"]

    def slices(self) -> Mapping[str, Any]:
        return {
            "price": lambda row: band(row["price"]),
            "category": lambda row: row["category"],
        }

    def residual(self, prediction: Any, reference: Any) -> float:
        return abs(math.log(prediction) - math.log(reference))

    def interval(self, prediction: Any, width: float) -> tuple[float, float]:
        return prediction * math.exp(-width), prediction * math.exp(width)


NOISES = {
    "constant-median": ("baseline", None),
    "ridge-log": ("baseline", 0.25),
    "random-forest": ("baseline", 0.40),
    "base": ("base", 1.2),
    "adapter": ("adapter", 0.15),
}
"""Name → role and noise; ``None`` is the constant."""

TEXTS = ("Drill <b>18 V</b> & case", 'Pack of 6 mugs, "blue"', "<script>alert('x')</script> lamp")


def make_rows(sizes: Mapping[str, int], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Held-out rows of all splits."""
    rows = []
    for split, size in sizes.items():
        for _ in range(size):
            number = len(rows) + 1
            rows.append(
                {
                    "split": split,
                    "row_id": number,
                    "text": f"{TEXTS[number % 3]} number {number}",
                    "price": float(np.round(np.exp(rng.normal(4.2, 0.9))) + 2),
                    "category": "rare" if number % 100 == 0 else ("tools", "home")[number % 2],
                }
            )
    return rows


def _line(task: Task, row: Mapping[str, Any], prediction: float, name: str) -> dict[str, Any]:
    reference, model = row["price"], name in ("base", "adapter")
    metrics = {m.name: m.per_example(prediction, reference) for m in task.metrics}
    greedy = round(prediction * (1.2 if row["row_id"] % 2 else 0.85), 2)
    return {
        "split": row["split"],
        "row_id": row["row_id"],
        "reference": reference,
        "raw": str(round(prediction)) if model else None,
        "prediction": prediction,
        "parsed": True,
        "low": None,
        "high": None,
        "metrics": metrics,
        "slices": {key: part(row) for key, part in task.slices().items()},
        **({"decoders": {"greedy": greedy, "top-k": prediction}} if model else {}),
        "tokens": 1 if model else 0,
        "hit_limit": False,
        "seconds": 0.004,
    }


def _add_intervals(task: Task, lines: list[dict[str, Any]]) -> float | None:
    calibration = [line for line in lines if line["split"] == "calibration"]
    width = statistics.conformal_width(
        [task.residual(line["prediction"], line["reference"]) or 0.0 for line in calibration]
    )
    for line in lines if width is not None else ():
        line["low"], line["high"] = task.interval(line["prediction"], width)
    return width


def make_history(steps: int = 40) -> list[dict[str, Any]]:
    """A learning curve of three epochs that ends flat."""
    rng = np.random.default_rng(3)
    history: list[dict[str, Any]] = []
    for i in range(1, steps + 1):
        share = i / steps
        point = {
            "step": 10 * i,
            "epoch": round(3 * share, 4),
            "loss": round(1.4 + 3 * math.exp(-5 * share) + 0.05 * rng.normal(), 4),
            "learning_rate": 2e-3 * min(1, 8 * share) * (1 + math.cos(math.pi * share)) / 2,
            "grad_norm": 1.0,
            "tokens_per_second": 8000.0,
        }
        if i % 5 == 0:
            point["eval_loss"] = round(1.45 + 3 * math.exp(-5 * share), 4)
            point["eval_mae"] = round(19 + 60 * math.exp(-5 * share), 3)
        history.append(point)
    return history


def make_run(
    folder: Path,
    *,
    noises: Mapping[str, tuple[str, float | None]] = NOISES,
    sizes: Mapping[str, int] | None = None,
    copy_of: Mapping[str, tuple[str, float]] | None = None,
    synthetic: bool = True,
    rows: list[dict[str, Any]] | None = None,
    seed: int = 0,
) -> tuple[Run, FakePrices]:
    """A run whose predictions are complete.

    Args:
        folder: the runs folder.
        noises: the systems.
        sizes: held-out rows of each split.
        copy_of: system → another one and a noise: its predictions are the other's with noise.
        synthetic: whether the run records its data as generated.
        rows: held-out rows, instead of drawn ones.
        seed: of all random draws.
    """
    task, rng = FakePrices(), np.random.default_rng(seed)
    rows = rows or make_rows(sizes or {"validation": 150, "calibration": 150, "test": 300}, rng)
    prices = np.array([row["price"] for row in rows])
    answers: dict[str, Any] = {}
    for name, (_, noise) in noises.items():
        factor = np.exp(rng.normal(0, noise or 0.0, prices.size))
        answers[name] = np.full(prices.size, 66.0) if noise is None else prices * factor
    for name, (other, noise) in (copy_of or {}).items():
        answers[name] = answers[other] * np.exp(rng.normal(0, noise, prices.size))
    run = Run.create(folder, _info(task, rows, synthetic))
    entries = []
    for name, (role, _) in noises.items():
        given = zip(rows, answers[name], strict=True)
        lines = [_line(task, row, float(answer), name) for row, answer in given]
        width = _add_intervals(task, lines)
        write_jsonl(run.predictions / f"{name}.jsonl", lines)
        entries.append(
            {
                "name": name,
                "role": role,
                "file": f"{name}.jsonl",
                "fit_seconds": 1.0 if role == "baseline" else None,
                "predict_seconds": 0.5,
                "decoder": "top-k" if role in ("base", "adapter") else None,
                "interval_width": width,
                "note": "",
            }
        )
    write_json(run.predictions / "systems.json", entries)
    write_jsonl(run.data / "heldout.jsonl", rows)
    write_json(run.data / "preflight.json", make_preflight(rows))
    write_json(run.path / "history.json", make_history())
    return run, task


def make_preflight(rows: list[dict[str, Any]]) -> dict[str, Any]:
    words = ["What", " costs", ":", " <b>", "lamp", "</b>", "?", "\n", "Price:", " $"]
    tokens = [{"text": word, "loss": False} for word in words]
    tokens += [{"text": "48", "loss": True}, {"text": "</s>", "loss": True}]
    counts, edges = np.histogram([len(row["text"].split()) + 12 for row in rows])
    return {
        "lengths": {"edges": edges.tolist(), "counts": counts.tolist(), "limit": 64},
        "leak": {"serious": False, "sentence": "the target stands in the text of 1 of 600 rows"},
        "left_out": {"price cannot be read": [3, 17], "price is zero": [5]},
        "notes": ["--target was guessed: price."],
        "warnings": ["two rows with the same text have other prices <i>"],
        "prompt_tokens": tokens,
    }


def _info(task: Task, rows: list[dict[str, Any]], synthetic: bool) -> dict[str, Any]:
    held = {
        split: sum(r["split"] == split for r in rows)
        for split in ("validation", "calibration", "test")
    }
    return {
        "task": task.name,
        "plugin": {"distribution": "adapter-toolkit", "version": "0.1.0"},
        "command": "toolkit run fake-prices",
        "source": {"data": None},
        "recipe": {
            "name": "tiny",
            "model": "embedded:tiny",
            "training": {"learning_rate": 2e-3, "num_train_epochs": 3},
            "lora": {"r": 16},
        },
        "seed": 0,
        "seeds": 1,
        "decoder": "auto",
        "data": {
            "fingerprint": "f00d",
            "sizes": {"train": 4000, **held},
            "synthetic": synthetic,
        },
        "task_state": {"median": 80.0},
        "versions": {"adapter-toolkit": "0.1.0", "python": "3.12"},
        "hardware": {"cpu": "two cores", "memory_gb": 8},
        "training": {
            "parameters_trained": 123456,
            "parameters_total": 3000000,
            "tokens": 300000,
            "tokens_per_second": 8000.0,
            "seconds": 40.0,
            "peak_memory_mb": 900.0,
            "best_step": 400,
            "best_metric": 19.4,
            "stopped_early": False,
        },
    }


def finish(run: Run) -> None:
    """Mark all stages done, as a run that ended does."""
    for i, stage in enumerate(STAGES):
        run.info["stages"][stage] = {"state": "done", "seconds": 1.5 * (i + 1)}
    run.save()
