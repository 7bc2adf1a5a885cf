"""Adapters: made, saved, put on a base, folded into its weights for a while."""

from __future__ import annotations

import contextlib
import json
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from toolkit.errors import ModelError, RunError
from toolkit.models.paths import EMBEDDED
from toolkit.runs.files import write_json
from toolkit.system import distributed


@dataclass(frozen=True)
class LoraRequest:
    """A fresh adapter, as a backend makes it.

    Args:
        fields: of ``LoraConfig``.
        seed: of the adapter's first weights.
        task_type: PEFT's name of the kind.
        checkpointing: gradient checkpointing is wanted.
        computing: the reduced type that training computes in.
    """

    fields: Mapping[str, Any]
    seed: int
    task_type: str
    checkpointing: bool = False
    computing: str | None = None


def add_lora(
    model: Any,
    fields: Mapping[str, Any],
    *,
    seed: int,
    task_type: str,
    computing: str | None = None,
) -> Any:
    """A ``PeftModel`` with a fresh adapter of those ``LoraConfig`` fields.

    What a quantized base does not pack (embeddings, norms, the head) becomes float32, but where
    training computes in bfloat16, which has float32's range: norms in float32 would make float32 of
    all that passes between the layers, and a training step takes 1.6 times the memory so.

    Args:
        task_type: PEFT's name of the kind (``CAUSAL_LM``, ``SEQ_CLS``, ``QUESTION_ANS``); with
            the last two the head is trained whole and saved with the adapter.
        computing: the reduced type that training computes in, see :meth:`Kind.trains_in`.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import set_seed

    if getattr(model, "is_quantized", False) and computing != "bfloat16":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    set_seed(seed)
    try:
        return get_peft_model(model, LoraConfig(task_type=task_type, **fields))
    except ValueError as error:
        raise ModelError(f"LoRA does not fit this model: {' '.join(str(error).split())}") from error


def save_adapter(model: Any, tokenizer: Any, folder: Path, extra: Mapping[str, Any]) -> None:
    """Write adapter, tokenizer and ``toolkit.json`` into a folder that appears at once or not.

    Of several processes the first writes.

    Raises:
        RunError: it cannot be written; what was there before stays.
    """
    if not distributed.first():
        return
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with _vocabulary_as_it_was():
            model.save_pretrained(str(temporary))
        tokenizer.save_pretrained(str(temporary))
        (temporary / "README.md").unlink(missing_ok=True)  # PEFT's empty card; ours is the run's
        _settle_config(temporary / "adapter_config.json", str(extra.get("model", "")))
        write_json(temporary / "toolkit.json", dict(extra))
        _replace(folder, temporary)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RunError(
            f"cannot save the adapter in {folder}: {error}; make room, then go on with: toolkit "
            "resume"
        ) from error


@contextlib.contextmanager
def _vocabulary_as_it_was() -> Iterator[None]:
    """PEFT looks up whether the vocabulary has grown, and warns where it cannot: it never has."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Could not find a config file in")
        yield


def _replace(folder: Path, new: Path) -> None:
    """Put a finished folder in its place; a kill in between leaves the old one beside it."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _settle_config(path: Path, model: str) -> None:
    """PEFT writes sets in hash order: sorted, the same adapter has the same bytes.

    The base is named by its Hub id where it has one: a folder of this machine's packages would
    mean nothing elsewhere.
    """
    from toolkit.models import embedded

    if not path.is_file():
        return
    config = json.loads(path.read_text(encoding="utf-8"))
    for key, value in config.items():
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            config[key] = sorted(set(value))
    if hub := embedded.HUB_IDS.get(model.removeprefix(EMBEDDED)):
        config["base_model_name_or_path"] = hub
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def attach_adapter(
    model: Any, folder: Path, name: str = "default", beside: Sequence[str] = ()
) -> Any:
    """Put a saved adapter on a base; raises :class:`ModelError` on missing or unexpected keys.

    Args:
        model: the base, or a ``PeftModel`` that gets a further adapter.
        folder: what :func:`save_adapter` wrote.
        name: what the adapter is called in memory; several on one base need names of their own.
        beside: names of the adapters that its layers hold already.

    Raises:
        ModelError: no adapter there, for another architecture, or with weights left over; PEFT
            itself only warns, and the adapter then does nothing.
    """
    import warnings

    from peft import PeftModel
    from safetensors import safe_open

    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise ModelError(
            f"{folder} holds no adapter_model.safetensors (pickled weights are refused)"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(model, PeftModel):
                peft = model
                peft.load_adapter(str(folder), name, is_trainable=False)
            else:
                peft = PeftModel.from_pretrained(
                    model, str(folder), adapter_name=name, is_trainable=False
                )
        with safe_open(str(weights), framework="pt") as file:
            saved = {k.replace(".base_model.model.", ".") for k in file.keys()}  # noqa: SIM118
    except (RuntimeError, ValueError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"the adapter in {folder} does not fit this base model: {reason}"
        ) from error
    _compare_keys(peft, saved, folder, name, beside)
    return peft.eval()


def _compare_keys(
    peft: Any,
    saved: Sequence[str] | set[str],
    folder: Path,
    name: str,
    beside: Sequence[str] = (),
) -> None:
    from peft import get_peft_model_state_dict

    with _vocabulary_as_it_was():
        state = get_peft_model_state_dict(peft, adapter_name=name)
    wanted = {
        key.replace(".base_model.model.", ".")
        for key in state
        if not any(f".{other}." in key for other in beside)
    }
    missing, unexpected = sorted(wanted - set(saved)), sorted(set(saved) - wanted)
    if missing or unexpected:
        raise ModelError(
            f"the adapter in {folder} does not fit this base model: {len(missing)} weights missing"
            f" ({', '.join(missing[:2])}), {len(unexpected)} too many ({', '.join(unexpected[:2])})"
        )


@contextlib.contextmanager
def merged(model: Any) -> Iterator[None]:
    """Within, a LoRA adapter is part of its base's weights: scoring is a quarter faster.

    Only where it is exact and cheap, which is float32 on a CPU; elsewhere nothing happens. After
    it the base's weights are what they were, bit for bit: they are put back, not subtracted from.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    layers = [m for m in model.modules() if isinstance(m, LoraLayer)]
    weights = [layer.get_base_layer().weight for layer in layers]
    if not layers or any(w.dtype != torch.float32 or w.device.type != "cpu" for w in weights):
        yield
        return
    kept = [weight.detach().clone() for weight in weights]
    model.merge_adapter()
    try:
        yield
    finally:
        model.unmerge_adapter()
        for weight, before in zip(weights, kept, strict=True):
            weight.data.copy_(before)


def without_peft(model: Any) -> Any:
    """The transformers model inside a ``PeftModel``, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def parameter_counts(model: Any) -> tuple[int, int]:
    """Parameters that are trained and in all (4-bit weights counted as what they stand for)."""
    trained = total = 0
    for parameter in model.parameters():
        count = parameter.numel()
        if type(parameter).__name__ == "Params4bit":
            count *= 2  # two 4-bit values in a byte
        total += count
        trained += count if parameter.requires_grad else 0
    return trained, total
