"""The estimate: one training step and one batch of scoring, run on tensors without content."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.preparation.memory.hardware import BATCH
from toolkit.preparation.memory.operations import Work
from toolkit.recipe import Recipe
from toolkit.system import device, upstream

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.kinds.dry_run import DryRun
    from toolkit.task import Task

MIB = 2**20
BESIDE = 48 * MIB
"""Bytes that a process with a large model on a CPU needs beside its tensors, because its heap is
fragmented. Measured with the architectures of the recipes."""


@dataclass(frozen=True)
class Shape:
    """The rows that an estimate is for.

    Args:
        length: tokens of the longest row, in training.
        answer: how many of them have a loss.
        prompt: tokens of the longest row without its answer, in scoring; ``length`` by default.
        written: the most tokens that are written in scoring; ``answer`` by default.
    """

    length: int
    answer: int = 64
    prompt: int | None = None
    written: int | None = None

    @classmethod
    def of(
        cls,
        parts: Mapping[str, Any],
        limit: int | None,
        written: int | None = None,
        *,
        own_limits: Mapping[str, int] | None = None,
        filled: bool = False,
    ) -> Shape:
        """The longest rows of some data.

        Args:
            parts: part of an example → tokens of each row (:meth:`TaskModel.lengths`).
            limit: tokens of the longest row that is trained on; ``None``: no limit.
            written: the most tokens that are written in scoring.
            own_limits: parts that have a limit of their own (:attr:`TaskModel.own_limits`).
            filled: whether rows are packed, several into a sequence of up to ``limit`` tokens.
        """
        import numpy as np

        beside = {n: min(int(parts[n].max()), most) for n, most in (own_limits or {}).items()}
        totals = np.sum([v for n, v in parts.items() if n not in beside], axis=0)
        total, limit = int(totals.max()), limit or int(totals.max())
        if beside:
            (answer,) = beside.values()
            return cls(min(total, limit), answer, min(total, limit), written)
        answers = parts.get("completion")
        answer = 1 if answers is None else min(int(answers.max()), limit)
        prompt = min(total if answers is None else int(parts["prompt"].max()), limit)
        if filled:
            answer *= max(1, limit // max(1, int(np.median(totals))))
            return cls(limit, min(answer, limit), prompt, written)
        return cls(min(total, limit), answer, prompt, written)


@dataclass(frozen=True)
class Estimate:
    """Memory in bytes, above what the process holds before the model is loaded.

    Args:
        weights: parameters that are not trained.
        trained: parameters that are trained: adapter and head, or the whole model.
        gradients: gradients of the trained parameters.
        optimizer: the optimizer's states of the trained parameters.
        activations: the most that a step needs beside these, logits included.
        logits: the logits of a step as they leave the head.
        scoring: the most that a batch of scoring needs beside the weights.
        parameters: the number of trained parameters, and of all.
        gpu: whether it is for a GPU.
        beside: what the process needs beside its tensors, see :data:`BESIDE`.
        work: what a training step on such a batch computes.
    """

    weights: int
    trained: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    scoring: int
    parameters: tuple[int, int]
    gpu: bool
    beside: int = 0
    work: Work | None = None

    @property
    def training_peak(self) -> int:
        """The most that a training step needs."""
        return self.weights + self.trained + self.optimizer + self.activations + self.beside

    @property
    def scoring_peak(self) -> int:
        """The most that scoring needs once training is over."""
        return self.weights + self.trained + self.scoring + self.beside

    @property
    def peak(self) -> int:
        """The most of the whole run: validation rows are scored while the optimizer is there."""
        return max(self.training_peak, self.scoring_peak + self.optimizer)

    def document(self) -> dict[str, Any]:
        """The estimate as JSON values, sizes in MiB, for ``run.json`` and ``--json``."""
        names = (
            "weights", "trained", "gradients", "optimizer", "activations", "logits", "scoring",
            "beside", "training_peak", "scoring_peak", "peak",
        )  # fmt: skip
        return {f"{name}_mb": round(getattr(self, name) / MIB, 1) for name in names} | {
            "parameters_trained": self.parameters[0],
            "parameters_total": self.parameters[1],
            "gpu": self.gpu,
            **({} if self.work is None else self.work.document()),
        }


def estimate(
    task: Task | type[Task],
    recipe: Recipe,
    shape: Shape,
    *,
    gpu: bool = False,
    gpu_memory: int | None = None,
    tokenizer: Any = None,
    head: Mapping[str, Any] | None = None,
    trust_remote_code: bool = False,
) -> Estimate:
    """How much memory a recipe takes, from its model's configuration alone.

    Args:
        task: the task, whose kind decides how training and scoring run.
        recipe: the resolved recipe.
        shape: the longest rows.
        gpu: whether it is for a GPU, where scoring takes larger batches.
        gpu_memory: all of the GPU's memory, in bytes; by default that of this machine, or 80 GiB.
        tokenizer: the model's tokenizer, where it is loaded already.
        head: further arguments of ``from_pretrained`` (:meth:`TaskModel.head_arguments`).
        trust_remote_code: run code that comes with the model.
    """
    from toolkit.kinds.batching import CPU_BATCH_TOKENS, gpu_batch_tokens
    from toolkit.kinds.dry_run import DryRunRequest
    from toolkit.kinds.registry import model_class
    from toolkit.models.loading import LoadRequest
    from toolkit.preparation.memory.meta_model import ONE_TOKEN_NUMBERS, configuration, on_meta

    kind = model_class(task)
    config = configuration(recipe.model, trust_remote_code=trust_remote_code)
    for name, value in (head or {}).items():
        setattr(config, name, value)
    if getattr(config, "pad_token_id", None) is None:  # decoders with a head for classes need one
        config.pad_token_id = 0
    with _undisturbed():
        request = LoadRequest(
            kind.auto_class,
            recipe.model,
            init=recipe.training.get("model_init_kwargs"),
            quantization=recipe.quantization,
            trust_remote_code=trust_remote_code,
        )
        model = on_meta(request, config, default_dtype=kind.stored)
        tokens = CPU_BATCH_TOKENS
        if gpu:
            tokens = gpu_batch_tokens(gpu_memory or _gpu_memory(), config)
        dry_run = kind.dry_run(
            DryRunRequest(task, recipe, tokenizer, recipe.model in ONE_TOKEN_NUMBERS)
        )
        return _Measured(kind, dry_run, recipe, shape, model, tokens, gpu).result()


def _gpu_memory() -> int:
    found = device.memory()
    return 80 * 2**30 if found is None else found[1]


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Restore the states of all random generators at the end of the ``with`` block."""
    import random

    import numpy as np
    import torch

    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


class _Measured:
    """Runs the training step and the scoring batch that one estimate is measured on."""

    def __init__(
        self,
        kind: type[TaskModel],
        dry_run: DryRun,
        recipe: Recipe,
        shape: Shape,
        model: Any,
        tokens: int,
        gpu: bool,
    ) -> None:
        self.kind, self.dry_run, self.recipe, self.shape = kind, dry_run, recipe, shape
        self.tokens, self.gpu = tokens, gpu
        self.work: Work | None = None
        self.total = _parameters(model)
        self.model = self._trainable(model)

    def _trainable(self, model: Any) -> Any:
        import torch

        from toolkit.models import adapters

        if self.recipe.lora is None:
            return model
        with torch.device("meta"):
            model = adapters.add_lora(
                model, self.kind.lora_fields(self.recipe, model), seed=0,
                task_type=self.kind.task_type,
                computing=self.kind.computes_in(self.recipe, gpu=self.gpu),
            )  # fmt: skip
        if self.recipe.quantization and self.kind.task_type == "CAUSAL_LM":
            for parameter in model.parameters():
                if parameter.requires_grad:  # TRL trains adapters of quantized models in bfloat16
                    parameter.data = parameter.data.to(torch.bfloat16)
        return model

    def result(self) -> Estimate:
        from torch._subclasses.fake_tensor import FakeTensorMode

        from toolkit.models import malloc
        from toolkit.preparation.memory import optimizer_states
        from toolkit.preparation.memory.live_bytes import Live
        from toolkit.preparation.memory.meta_model import fill, interpreted

        trained = [p for p in self.model.parameters() if p.requires_grad]
        count = sum(p.numel() for p in trained)
        sizes = [(p.numel(), p.element_size()) for p in trained]
        optimizer = optimizer_states.state_bytes(
            str(self.recipe.training.get("optim", optimizer_states.USUAL)), sizes
        )
        with interpreted(self.model), FakeTensorMode(), Live() as live:
            fill(self.model)
            held = live.now
            gradients = sum(number * size for number, size in sizes)
            activations, logits = self._step(live)
            scoring = self._score(live)
        own = sum(number * size for number, size in sizes)
        copies = self.kind.full_copies - 1 if self.recipe.lora is None else 0
        return Estimate(
            weights=held - own + copies * held,
            trained=own,
            gradients=gradients,
            optimizer=optimizer,
            activations=activations,
            logits=logits,
            scoring=scoring + self._folded(),
            parameters=(count, self.total + (0 if self.recipe.lora is None else count)),
            gpu=self.gpu,
            beside=0 if self.gpu or held < malloc.LARGE else BESIDE,
            work=self.work,
        )

    # -- training ----------------------------------------------------------------------------------
    @property
    def _rows(self) -> int:
        return int(self.recipe.training.get("per_device_train_batch_size", BATCH))

    def _step(self, live: Any) -> tuple[int, int]:
        """Bytes that a training step needs above those held before it, and bytes of its logits."""
        training = self.recipe.training
        model = self.model.train()
        if training.get("gradient_checkpointing"):
            # Random states have no content here; keeping them is switched off.
            upstream.checkpoint_layers(model, {"use_reentrant": False, "preserve_rng_state": False})
        before = live.now
        seen = _LogitsSize(model)
        batch = self._fake(self.dry_run.batch(self._rows, self.shape.length, self.shape.answer))
        # With accumulation the second pass comes while the gradients of the first are there.
        for _ in range(2 if int(training.get("gradient_accumulation_steps", 1)) > 1 else 1):
            live.peak = live.now
            computed, called = live.operations, live.calls
            with self._precision():
                loss = self.dry_run.loss(model, batch)
            loss.backward()
            del loss
            self.work = Work(
                live.operations - computed, self._rows * self.shape.length, live.calls - called
            )
        peak = live.peak
        for parameter in model.parameters():
            parameter.grad = None
        if training.get("gradient_checkpointing"):
            upstream.keep_activations(model)
        seen.remove()
        return peak - before, seen.most

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        import torch

        reduced = self.kind.computes_in(self.recipe, gpu=self.gpu)
        if reduced is None:
            return contextlib.nullcontext()
        return torch.autocast("cpu", getattr(torch, reduced))

    @staticmethod
    def _fake(batch: Mapping[str, Any]) -> dict[str, Any]:
        import torch

        return {name: torch.zeros(value.shape, dtype=value.dtype) for name, value in batch.items()}

    # -- scoring -----------------------------------------------------------------------------------
    def _score(self, live: Any) -> int:
        import torch

        self.model.eval()
        before = live.peak = live.now
        with torch.no_grad():
            self.dry_run.score(
                self.model,
                self.shape.prompt or self.shape.length,
                self.shape.written or self.shape.answer,
                self.tokens,
            )
        return int(live.peak) - int(before)

    def _folded(self) -> int:
        """Bytes of the weights' copies that are kept while an adapter is merged for scoring."""
        import torch

        if self.gpu or self.recipe.lora is None or not self.kind.folds:
            return 0
        from peft.tuners.lora import LoraLayer

        layers = [m.get_base_layer() for m in self.model.modules() if isinstance(m, LoraLayer)]
        # Experts of a mixture hold several weights; their adapters are never merged.
        weights = [layer.weight for layer in layers if hasattr(layer, "weight")]
        if not weights or any(w.dtype != torch.float32 for w in weights):
            return 0
        sizes = [w.numel() * w.element_size() for w in weights]
        return int(sum(sizes) + max(sizes))


class _LogitsSize:
    """The largest output of a model's head, in bytes."""

    def __init__(self, model: Any) -> None:
        self.most = 0
        head = model.get_output_embeddings()
        self._handle = None if head is None else head.register_forward_hook(self._see)

    def _see(self, module: Any, inputs: Any, output: Any) -> None:
        self.most = max(self.most, output.numel() * output.element_size())

    def remove(self) -> None:
        if self._handle is not None:
            self._handle.remove()


def _parameters(model: Any) -> int:
    """The number of parameters; quantized ones count as before quantization."""
    from toolkit.preparation.memory.quantized_layers import PackedLinear

    packed = {id(m.weight): m for m in model.modules() if isinstance(m, PackedLinear)}
    return sum(
        packed[id(p)].in_features * packed[id(p)].out_features if id(p) in packed else p.numel()
        for p in model.parameters()
    )


def smaller(recipe: Recipe, **training: Any) -> Recipe:
    """A recipe with other fields in ``[training]``."""
    return replace(recipe, training={**recipe.training, **training})
