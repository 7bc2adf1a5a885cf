"""The matrix of the zoo: each layout of :mod:`toolkit.testing.layouts` in each kind of task.

``cases()`` names them; ``through(case, models, folder)`` takes one from data to a playground
answer, ``by_heart(case, …)`` lets a language model learn sixteen rows. Both raise
``AssertionError`` with what is wrong. ``.ci/campaign/zoo.py`` runs all of them, the suite a part.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import Recipe, Row, Task
from toolkit.testing.layouts import LAYOUTS, Layout, build_layout
from zoo_tasks import TASKS, code_rows

STEPS, ROWS = 3, 56
ENOUGH = 15
"""Of 16 rows, how many a model must know by heart."""
CLOSE = 1e-3
"""How far logits may be from those of the same adapter in plain PEFT."""
DROPOUT = (
    "dropout_rate",
    "dropout",
    "attention_dropout",
    "embd_pdrop",
    "resid_pdrop",
    "attn_pdrop",
)
"""Fields of configurations; what is learned by heart is learned without."""
LEARNED = ("plain", "chat", "seq2seq")
"""The tasks whose rows are learned by heart."""


@dataclass(frozen=True)
class Case:
    """A layout in a task; ``str()`` gives its name."""

    layout: str
    task: str

    def __str__(self) -> str:
        return f"{self.layout}/{self.task}"


def cases() -> list[Case]:
    """All layouts in all tasks that they have a class for."""
    return [Case(name, task) for name in LAYOUTS for task in fitting(name)]


def fitting(name: str) -> list[str]:
    """The tasks that a layout can do."""
    layout = LAYOUTS[name]
    if layout.kind == "causal-lm":
        written = ["plain", "number", *(["chat"] if layout.template else [])]
    else:
        written = ["seq2seq"] if layout.kind == "seq2seq-lm" else []
    return written + [
        task
        for task, auto in (
            ("classes", "AutoModelForSequenceClassification"),
            ("regression", "AutoModelForSequenceClassification"),
            ("spans", "AutoModelForQuestionAnswering"),
        )
        if _known(layout.model_type, auto) and (task != "spans" or _begins(layout))
    ]


def _begins(layout: Layout) -> bool:
    """Whether a special token begins each text, which stands for "no answer"."""
    return layout.frame is not None and not layout.frame[0].startswith("$")


def _known(model_type: str, auto_class: str) -> bool:
    """Whether transformers has a class of that architecture with that head."""
    import transformers

    mapping = getattr(transformers, auto_class)._model_mapping
    found = next((m for config, m in mapping.items() if config.model_type == model_type), None)
    written = next(
        (m for config, m in transformers.AutoModelForCausalLM._model_mapping.items()
         if config.model_type == model_type), None,
    )  # fmt: skip
    if found is None or written is None:
        return found is not None
    # Llama's class for spans calls its decoder otherwise than the published weights do.
    return bool(found.base_model_prefix == written.base_model_prefix)


def model_of(layout: str, models: Path) -> Path:
    """The layout's model, built by the first call."""
    place = models / layout
    return place if (place / "config.json").is_file() else build_layout(layout, place)


# -- from data to a playground answer --------------------------------------------------------------
def through(case: Case, models: Path, folder: Path) -> list[str]:
    """Take a case through a run, plain PEFT, verification and the playground.

    Args:
        case: the case.
        models: where the layouts' models are, or are put.
        folder: for the run.

    Returns:
        what was done, in words.

    Raises:
        AssertionError, ToolkitError: what is wrong.
    """
    model = model_of(case.layout, models)
    task = TASKS[case.task]
    with _without_charts():
        return _through(case, task, model, folder)


@contextlib.contextmanager
def _without_charts() -> Iterator[None]:
    """Charts take longer than the models do."""
    there = sys.modules.get("matplotlib")
    sys.modules["matplotlib"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["matplotlib"]
        if there is not None:
            sys.modules["matplotlib"] = there


def _through(case: Case, task: type[Task], model: Path, folder: Path) -> list[str]:
    from toolkit.pipeline.verify import verify
    from toolkit.runs.run import Run
    from toolkit.testing import run

    finished = run(task, folder, model=model, limit=ROWS, steps=STEPS)
    opened = Run.open(finished.path)
    assert opened.info["training"]["steps"] == STEPS, opened.info["training"]
    with _known_task(task):
        estimate = _estimated(opened)
        far = _from_plain_peft(opened, model)
        assert far <= CLOSE, f"logits are {far:.2g} from those of plain PEFT"
        checked = verify(opened)
        assert not checked.differences, checked.differences
        assert checked.rows, "no row was predicted again"
        _playground_answers(opened)
    return [f"estimate {estimate:.0f} MiB", f"plain PEFT {far:.1g}", f"{checked.rows} rows again"]


def _known_task(task: type[Task]) -> Any:
    from toolkit.plugins import discovery

    origin = discovery.Plugin(task.name, "under test", "0", task.__module__, [task.name])
    return discovery.load().provided(task, origin)


def _estimated(run: Any) -> float:
    from toolkit.runs.files import read_json

    takes = read_json(run.data / "preflight.json")["memory"]
    assert takes.get("peak_mb", 0) > 0, f"no estimate of memory: {takes}"
    return float(takes["peak_mb"])


def _rows(run: Any) -> list[dict[str, Any]]:
    from toolkit.pipeline.restore import heldout_rows

    return [dict(row) for row in heldout_rows(run).values()][:4]


def _from_plain_peft(run: Any, model: Path) -> float:
    """The largest difference of logits between the toolkit's model and plain PEFT's."""
    import torch
    import transformers
    from peft import PeftModel

    from toolkit.pipeline import open_run
    from toolkit.runs.files import read_json

    _, kind = open_run(run)
    stored = read_json(run.adapter / "toolkit.json")
    # The head with its outputs, in the format that encoders are trained in.
    extra = {"dtype": "float32", **stored["head"]} if stored.get("head") is not None else {}
    base = getattr(transformers, kind.auto_class).from_pretrained(model, **extra)
    with warnings.catch_warnings():
        # PEFT 0.21 warns of patterns for experts that it has itself put into the configuration.
        warnings.filterwarnings("ignore", "The following (rank|alpha)_pattern keys")
        plain = PeftModel.from_pretrained(base, str(run.adapter)).eval()
    far = 0.0
    for row in _rows(run):
        for inputs, mine in _logits(kind, row):
            with torch.inference_mode():
                theirs = plain(**inputs)
            for name, logits in mine.items():
                given = getattr(theirs, name)
                same = logits[:, : given.shape[1]]  # spans are padded
                far = max(far, float((given - same).float().abs().max()))
    return far


def _logits(kind: Any, row: Row) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The inputs of the model for a row, and the logits that the toolkit's model gives for them."""
    import torch

    if hasattr(kind, "features"):  # an encoder, or a decoder with a head
        found = []
        features = kind.features(row)
        features = [getattr(piece, "features", piece) for piece in features]
        for indices, out, _ in kind.forward(features, adapter=True):
            names = [n for n in ("logits", "start_logits", "end_logits") if n in out]
            (index,) = indices
            inputs = {n: torch.tensor([v]) for n, v in features[index].items()}
            inputs = {n: v for n, v in inputs.items() if n not in kind.unread}
            found.append((inputs, {n: out[n] for n in names}))
        return found
    ids = torch.tensor([kind.prompt(row)])
    inputs = {"input_ids": ids}
    if kind.auto_class == "AutoModelForSeq2SeqLM":
        inputs["decoder_input_ids"] = torch.tensor([[kind.tokenizer.pad_token_id, 5, 6]])
    with torch.inference_mode(), kind.side(adapter=True):
        return [(inputs, {"logits": kind.model(**inputs).logits})]


def _playground_answers(run: Any) -> None:
    from toolkit_playground.state.engine import Engine

    engine = Engine(run)
    row = _rows(run)[0]
    sides = ["base", "adapter"]
    readings = engine.predict(row, sides)
    assert [one.side.label for one in readings] == sides
    if not engine.writes:
        return
    prompt = engine.prompt(row)
    settings = {"max_new_tokens": 12}
    stop = threading.Event()
    shown = list(engine.write([prompt] * 2, sides, generation=settings, stop=stop))
    assert all(text.ended and text.tokens for text in shown[-1]), shown[-1]


# -- sixteen rows by heart -------------------------------------------------------------------------
STEPS_BY_HEART = {"granite-instruct": 240}
"""Training steps of layouts that 120 do not suffice for: Granite's logits are divided by two."""


def by_heart(case: Case, models: Path, folder: Path, rate: float = 3e-3) -> tuple[int, int]:
    """Let a language model learn 16 rows: how many it knows, and how many answers ended by limit.

    Args:
        case: a case of a task that writes texts.
        models: where the layouts' models are, or are put.
        folder: for the adapter.
        rate: the highest learning rate.
    """
    from datasets import Dataset, DatasetDict

    from toolkit.kinds.registry import model_class
    from toolkit.kinds.watching import TrainingWatch

    task = TASKS[case.task]()
    rows = Dataset.from_list(code_rows(16)) if case.task != "seq2seq" else _offers(16)
    settings = {
        "max_length": 160, "learning_rate": rate, "bf16": False,
        "max_steps": STEPS_BY_HEART.get(case.layout, 120),
        "per_device_train_batch_size": 16, "eval_strategy": "no", "save_strategy": "no",
        "lr_scheduler_type": "linear", "warmup_steps": 0.1, "report_to": "none",
    }  # fmt: skip
    if case.task == "seq2seq":
        settings["max_target_length"] = 48
    config = LAYOUTS[case.layout].config(LAYOUTS[case.layout].tokenizer())
    settings["model_init_kwargs"] = {n: 0.0 for n in DROPOUT if getattr(config, n, 0)}
    recipe = Recipe(
        "heart", "by heart", str(model_of(case.layout, models)), training=settings,
        lora={"r": 32, "lora_alpha": 64, "lora_dropout": 0.0, "target_modules": "all-linear"},
        generation={"max_new_tokens": 24},
    )  # fmt: skip
    kind = model_class(task)(task, recipe)
    kind.train(
        DatasetDict({"train": rows, "validation": rows}),
        checkpoints=folder / "checkpoints", adapter=folder / "adapter", watch=TrainingWatch(),
    )  # fmt: skip
    given = [dict(row) for row in rows]
    outputs = kind.predict(given, adapter=True)
    right = sum(
        task.postprocess(output, row) == task.reference(row)
        for output, row in zip(outputs, given, strict=True)
    )
    return right, sum(output.hit_limit for output in outputs)


def _offers(number: int) -> Any:
    from datasets import Dataset

    rows = code_rows(number)
    return Dataset.from_list(
        [{"row_id": r["row_id"], "text": r["text"], "sentence": r["code"]} for r in rows]
    )
