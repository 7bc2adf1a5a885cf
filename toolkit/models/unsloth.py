"""Unsloth: faster kernels for the language models it knows. Optional, imported before all else.

It rewrites transformers, PEFT and TRL where it is imported, so a process that is to use it imports
it first (:func:`activate`), and one that is not never does. Of its parts only loading and
preparing are used; the loop, the loss and the saving are the toolkit's, as with any backend.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import os
import sys
from collections.abc import Mapping
from typing import Any

from toolkit.errors import MissingExtra, ModelError, RecipeError, UsageError
from toolkit.models import base_weights, lora_start
from toolkit.models.adapters import LoraRequest
from toolkit.models.backend import ReadsAdapters
from toolkit.models.base_weights import BaseWeights
from toolkit.models.loading import LoadRequest
from toolkit.models.paths import model_path
from toolkit.models.suitability import misfit

REWRITTEN = ("transformers", "trl", "peft")
"""What must not be imported before it."""
ARCHITECTURES = frozenset(
    "llama mistral gemma gemma2 gemma3_text qwen2 qwen3 qwen3_moe phi3 cohere granite falcon_h1"
    .split()
)  # fmt: skip
"""``model_type`` of the models with kernels of their own in it, all of them decoders."""
THEIRS = {
    "bf16", "fp16", "padding_free", "loss_type", "max_seq_length", "logging_nan_inf_filter",
    "eval_accumulation_steps", "torch_empty_cache_steps", "dataset_num_proc", "report_to",
}  # fmt: skip
"""Training arguments whose defaults its kernels or its precision need, or that train nothing."""
OURS = {
    "load_in_4bit", "bnb_4bit_quant_type", "bnb_4bit_use_double_quant", "bnb_4bit_compute_dtype",
}  # fmt: skip


def installed() -> bool:
    """Whether it is there, without importing it."""
    return importlib.util.find_spec("unsloth") is not None


def too_late() -> list[str]:
    """What this process has imported that Unsloth would have to come before."""
    if "unsloth" in sys.modules:
        return []
    return [name for name in REWRITTEN if name in sys.modules]


def activate() -> None:
    """Import it, before what it rewrites.

    Raises:
        MissingExtra: it is not installed.
        UsageError: what it rewrites has been imported already, or it cannot be imported.
    """
    if "unsloth" in sys.modules:
        return
    if not installed():
        raise MissingExtra("the Unsloth backend", "unsloth")
    if early := too_late():
        raise UsageError(
            f"Unsloth must be imported before {', '.join(early)}, which this process has loaded: "
            "one backend a process"
        )
    os.environ.setdefault("UNSLOTH_DISABLE_STATISTICS", "1")
    try:
        # It greets on standard output, which belongs to the answer (and to --json).
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module("unsloth")
    except (ImportError, RuntimeError, NotImplementedError, AttributeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise UsageError(
            f"Unsloth is installed and cannot be used here ({reason}); see: toolkit doctor, or "
            "take --backend transformers"
        ) from error


def replaced_defaults(cls: type) -> dict[str, Any]:
    """The upstream defaults of training arguments that the imported Unsloth has put others for.

    It gives TRL's ``SFTConfig`` two accumulated batches a step, another weight decay, warm-up and
    optimizer: a recipe that leaves such a field out would train otherwise than it does elsewhere.

    Args:
        cls: the class of the training arguments, rewritten or not.

    Returns:
        nothing where ``cls`` is the upstream class.
    """
    # The rewritten class is made from the upstream one and bears its name.
    upstream = next((c for c in reversed(cls.__mro__) if c.__name__ == cls.__name__), cls)
    if upstream is cls:
        return {}
    now = inspect.signature(cls).parameters
    before = inspect.signature(upstream).parameters
    return {
        name: before[name].default
        for name in before
        if name in now and name not in THEIRS and now[name].default != before[name].default
    }


def refusal(fields: Mapping[str, Any] | None, training: Mapping[str, Any]) -> str | None:
    """Why Unsloth cannot do what a recipe asks, or ``None``.

    Args:
        fields: the recipe's ``[quantization]``.
        training: its ``[training]``.
    """
    fields = fields or {}
    if fields.get("load_in_8bit"):
        return "it loads models in 4 bits or unquantized, not in 8 bits"
    if fields.get("load_in_4bit") and fields.get("bnb_4bit_quant_type", "fp4") != "nf4":
        return "its 4 bits are nf4"
    if strange := sorted(set(fields) - OURS):
        return f"it does not take quantization.{strange[0]}"
    if training.get("packing"):
        return "it leaves out the mask that keeps packed rows apart"
    return None


class Unsloth(ReadsAdapters):
    """Loads and prepares by Unsloth; see :class:`toolkit.models.backend.Backend`."""

    name = "unsloth"

    def load(self, request: LoadRequest) -> Any:
        import torch
        from unsloth import FastLanguageModel

        arguments = dict(request.init or {})
        dtype = arguments.pop("dtype", None)
        if isinstance(dtype, str):
            dtype = None if dtype == "auto" else getattr(torch, dtype)
        four = bool((request.quantization or {}).get("load_in_4bit"))
        if refused := refusal(request.quantization, {}):
            raise RecipeError(f"--backend unsloth: {refused}; take --backend transformers")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                loaded, _ = FastLanguageModel.from_pretrained(
                    model_name=model_path(request.model),
                    max_seq_length=request.max_length or 2048,
                    dtype=dtype,
                    load_in_4bit=four,
                    use_gradient_checkpointing=False,
                    trust_remote_code=request.trust_remote_code,
                    **arguments,
                )
        except (OSError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"Unsloth cannot load {request.model!r}: {reason}") from error
        # Where it cannot quantize it says so on a line of its output and goes on without.
        if four and not getattr(loaded, "is_quantized", False):
            raise ModelError(
                f"Unsloth did not load {request.model!r} in 4 bits on this machine; take --backend "
                "transformers, or leave [quantization] out"
            )
        self._ready(loaded, training=False)
        return loaded.eval()

    def add_lora(self, model: Any, request: LoraRequest) -> Any:
        from unsloth import FastLanguageModel

        if lora_start.splits(request.fields):
            raise RecipeError(
                f"lora.init_lora_weights={request.fields['init_lora_weights']} is not for "
                "--backend unsloth; take --backend transformers"
            )
        lora_start.check(request.fields)
        arguments = dict(request.fields)
        weights = BaseWeights(model, str(arguments.get("bias", "none")))
        if arguments.get("target_modules") == "all-linear":
            arguments["target_modules"] = linear_names(model)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                made = FastLanguageModel.get_peft_model(
                    model,
                    random_state=request.seed,
                    use_gradient_checkpointing="unsloth" if request.checkpointing else False,
                    **{"r": 8, "lora_alpha": 8, **arguments},  # PEFT's own defaults
                )
        except (ValueError, TypeError) as error:
            raise misfit(error) from error
        base_weights.remember(made, weights)
        self._ready(made, training=True)
        return made

    def _ready(self, model: Any, *, training: bool) -> None:
        from unsloth import FastLanguageModel

        if training:
            FastLanguageModel.for_training(model)
        else:
            FastLanguageModel.for_inference(model)


def linear_names(model: Any) -> list[str]:
    """The last parts of the names of all linear layers but the head: PEFT's ``all-linear``."""
    import torch

    head = model.get_output_embeddings()
    return sorted(
        {
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear) and module is not head
        }
    )
