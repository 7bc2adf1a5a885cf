"""LoRA adapters: create, save and load them, and merge them into the base model for a while."""

from __future__ import annotations

import contextlib
import json
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from toolkit.errors import ModelError, RecipeError, WriteError, did_you_mean
from toolkit.models import base_digest, base_weights, lora_start
from toolkit.models.base_weights import BaseWeights
from toolkit.models.paths import EMBEDDED
from toolkit.models.suitability import misfit
from toolkit.runs.files import remedy, write_json
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

    The layers of a quantized base that are not packed (embeddings, norms, the head) become float32,
    except where training computes in bfloat16, which has float32's range: float32 norms would turn
    all activations between the layers into float32, and a training step would take 1.6 times the
    memory.

    Args:
        model: the base model; changed in place.
        fields: fields of ``LoraConfig``.
        seed: of the adapter's random weights.
        task_type: PEFT's name of the kind (``CAUSAL_LM``, ``SEQ_CLS``, ``QUESTION_ANS``); with
            the last two the head is trained whole and saved with the adapter.
        computing: the reduced type that training computes in, see :meth:`TaskModel.trains_in`.

    Raises:
        ModelError: the model does not have the layers that the fields name.
        RecipeError: the adapter cannot start as the fields say, see
            :func:`toolkit.models.lora_start.check`.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import set_seed

    lora_start.check(fields)
    init = str(fields["init_lora_weights"]) if lora_start.splits(fields) else None
    if init and distributed.sharded_by_accelerate():
        raise RecipeError(
            f"lora.init_lora_weights={init} needs whole weights, and here they are in parts on "
            "several devices; leave that setting out"
        )
    if getattr(model, "is_quantized", False) and computing != "bfloat16":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    set_seed(seed)
    try:
        with warnings.catch_warnings():
            # An adapter on one of two tied ends stays on that one: see merged().
            warnings.filterwarnings("ignore", "Model has `tie_word_embeddings=True`")
            # Nor need a recipe know how a model stores its weights: PEFT finds out.
            warnings.filterwarnings("ignore", "fan_in_fan_out is set to")
            if not fields.get("rank_pattern"):  # PEFT's own patterns for experts, where it has none
                warnings.filterwarnings("ignore", "The following (rank|alpha)_pattern keys")
            _check_saved(model, fields.get("modules_to_save"))
            weights = BaseWeights(model, str(fields.get("bias", "none")))
            given = lora_start.widened(fields) if init else dict(fields)
            try:
                peft = get_peft_model(model, LoraConfig(task_type=task_type, **given))
            except ValueError as error:
                if "lora_dropout" not in str(error) or not given.get("lora_dropout"):
                    raise
                weights.restore(model)  # PEFT has begun to wrap its layers
                peft = get_peft_model(
                    model, LoraConfig(task_type=task_type, **{**given, "lora_dropout": 0.0})
                )
            base_weights.remember(peft, weights)
            if init:
                lora_start.begin(peft, init)
            return peft
    except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
        raise misfit(error) from error


def notes(peft: Any, fields: Mapping[str, Any]) -> list[str]:
    """What a fresh adapter is otherwise than a recipe's fields say, as sentences.

    Args:
        peft: what :func:`add_lora` has made.
        fields: the recipe's, of ``LoraConfig``.
    """
    made = peft.peft_config["default"]
    found = []
    if fields.get("lora_dropout") and not made.lora_dropout:
        found.append(
            f"lora.lora_dropout is 0 instead of {fields['lora_dropout']}: this model keeps the "
            "weights of all experts of a layer in one, and PEFT's adapters on such have no dropout"
        )
    if lora_start.of(peft):
        found.append(
            f"lora.init_lora_weights={fields['init_lora_weights']}: the adapter is stored as a "
            f"plain one of rank {made.r}, half of which stays as it starts, so that the base "
            "keeps its weights"
        )
    return found


def _check_saved(model: Any, names: Sequence[str] | None) -> None:
    """Refuse names of layers to train whole that the model does not have; PEFT passes over them."""
    layers = [name for name, _ in model.named_modules()]
    for name in names or ():
        if not any(layer == name or layer.endswith(f".{name}") for layer in layers):
            last = {layer.rpartition(".")[2] for layer in layers}
            raise ModelError(
                f"lora.modules_to_save names {name!r}, and the model has no such layer"
                f"{did_you_mean(name, last)}"
            )


def save_adapter(model: Any, tokenizer: Any, folder: Path, extra: Mapping[str, Any]) -> None:
    """Write adapter, tokenizer and ``toolkit.json`` into a folder that appears complete or not.

    Of several processes only the first writes.

    Raises:
        WriteError: it cannot be written; an older adapter in its place stays.
    """
    if not distributed.first():
        return
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        # PEFT would add the base's embeddings, unchanged, to an adapter on one of the two ends.
        model.save_pretrained(str(temporary), save_embedding_layers=False)
        tokenizer.save_pretrained(str(temporary))
        (temporary / "README.md").unlink(missing_ok=True)  # PEFT's empty card; the run has its own
        settle_config(temporary / "adapter_config.json", str(extra.get("model", "")))
        known = base_digest.of(str(extra["model"])) if extra.get("model") else None
        base = {"base_weights": known} if known else {}
        write_json(temporary / "toolkit.json", {**extra, **base})
        replace_folder(folder, temporary)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise WriteError(
            f"cannot save the adapter in {folder}: {error}; make room, then go on with: toolkit "
            "resume"
        ) from error


def replace_folder(folder: Path, new: Path) -> None:
    """Move a finished folder to its place; a kill in between leaves the old one beside it.

    Raises:
        WriteError: it cannot be moved.
    """
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    try:
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except OSError as error:
        raise WriteError(
            f"cannot save {folder}: {error.strerror or error}; {remedy(error)}, then go on with: "
            "toolkit resume"
        ) from error
    shutil.rmtree(old, ignore_errors=True)


def settle_config(path: Path, model: str) -> None:
    """Make PEFT's configuration file the same on every machine.

    PEFT writes sets in hash order; they are sorted, so that the same adapter has the same bytes.
    The base is named by its Hub id, or by the name that it has here, where it has one: a folder of
    this machine's packages or caches would mean nothing elsewhere.
    """
    from toolkit.models import embedded, packaged

    if not path.is_file():
        return
    config = json.loads(path.read_text(encoding="utf-8"))
    for key, value in config.items():
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            config[key] = sorted(set(value))
    if hub := embedded.HUB_IDS.get(model.removeprefix(EMBEDDED)):
        config["base_model_name_or_path"] = hub
    elif model in packaged.NAMES:
        config["base_model_name_or_path"] = model
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def attach_adapter(
    model: Any, folder: Path, name: str = "default", beside: Sequence[str] = ()
) -> Any:
    """The base model with a saved adapter loaded on it, for prediction.

    Args:
        model: the base, or a ``PeftModel`` that gets a further adapter.
        folder: what :func:`save_adapter` wrote.
        name: the adapter's name in memory; several on one base need different names.
        beside: names of the adapters that are loaded on the base already.

    Raises:
        ModelError: the folder has no adapter, or one of another architecture, with weights missing
            or left over. PEFT itself only warns of these, and the adapter then does nothing.
    """
    from peft import PeftModel
    from safetensors import safe_open

    weights = checked_folder(folder)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    # PEFT splits the base again for an adapter that was saved without its fixed half.
    before = BaseWeights(model, str(config.get("bias") or "none"), whole=lora_start.splits(config))
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
    except (RuntimeError, ValueError, KeyError, TypeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"the adapter in {folder} does not fit this base model: {reason}"
        ) from error
    before.keep_changed()
    base_weights.remember(peft, before)
    _compare_keys(peft, saved, folder, name, beside)
    return peft.eval()


def checked_folder(folder: Path) -> Path:
    """The weights in an adapter's folder, which may come from somebody else.

    PEFT would read pickles where there are no safetensors, and imports the module that a
    configuration for Megatron names.

    Raises:
        ModelError: no such weights there, or a configuration that this toolkit never writes.
    """
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise ModelError(
            f"{folder} holds no adapter_model.safetensors (pickled weights are refused)"
        )
    place = folder / "adapter_config.json"
    try:
        config = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{place} cannot be read: {error}") from error
    if not isinstance(config, dict) or str(config.get("peft_type")).upper() != "LORA":
        raise ModelError(f"{place} is not of a LoRA adapter")
    if config.get("megatron_config"):
        raise ModelError(f"{place} names a module to import (megatron_core), which is refused")
    return weights


def _compare_keys(
    peft: Any,
    saved: Sequence[str] | set[str],
    folder: Path,
    name: str,
    beside: Sequence[str] = (),
) -> None:
    from peft import get_peft_model_state_dict

    def keys(embeddings: bool) -> set[str]:
        state = get_peft_model_state_dict(peft, adapter_name=name, save_embedding_layers=embeddings)
        return {
            key.replace(".base_model.model.", ".")
            for key in state
            if not any(f".{other}." in key for other in beside)
        }

    wanted = keys(embeddings=False)
    # What others save may hold the embeddings too.
    missing, unexpected = sorted(wanted - set(saved)), sorted(set(saved) - keys(embeddings=True))
    if missing or unexpected:
        raise ModelError(
            f"the adapter in {folder} does not fit this base model: {len(missing)} weights missing"
            f" ({', '.join(missing[:2])}), {len(unexpected)} too many ({', '.join(unexpected[:2])})"
        )


@contextlib.contextmanager
def merged(model: Any) -> Iterator[None]:
    """Merge a LoRA adapter into its base's weights within a block: scoring is a quarter faster.

    Only where that is exact and cheap, in float32 on a CPU; elsewhere the block changes nothing. A
    weight that two layers share, as input embeddings and a tied head do, is left alone, because an
    adapter on one of them must not reach the other (peft#2018): its layer computes the adapter
    beside the weight. So is a layer that PEFT cannot merge. Afterwards the base's weights are bit
    for bit as before: they are restored from copies, because subtracting the adapter again would
    round.
    """
    alone = merging_layers(model)
    copies = [
        (parameter, parameter.detach().clone())
        for layer in alone
        for parameter in layer.get_base_layer().parameters(recurse=False)
    ]
    try:
        for layer in alone:
            layer.merge()
        yield
    finally:
        for layer in alone:
            if layer.merged:
                layer.unmerge()
        for parameter, before in copies:
            parameter.data.copy_(before)


def merging_layers(model: Any) -> list[Any]:
    """The layers that :func:`merged` merges."""
    import torch
    from peft.tuners.lora import LoraLayer

    # Experts of a mixture hold several weights; their adapters stay beside them too.
    lora = [m for m in model.modules() if isinstance(m, LoraLayer)]
    layers = [layer for layer in lora if hasattr(layer.get_base_layer(), "weight")]
    weights = [layer.get_base_layer().weight for layer in layers]
    if any(w.dtype != torch.float32 or w.device.type != "cpu" for w in weights):
        return []
    users = Counter(
        weight.data_ptr() for _, weight in model.named_parameters(remove_duplicate=False)
    )
    return [
        layer
        for layer, weight in zip(layers, weights, strict=True)
        if users[weight.data_ptr()] == 1 and mergeable(layer)
    ]


def mergeable(layer: Any) -> bool:
    """Whether PEFT can merge the layer: a bias of the adapter needs a bias in the layer."""
    biased = any(layer.lora_bias.get(name) for name in layer.active_adapters)
    return not biased or getattr(layer.get_base_layer(), "bias", None) is not None


def on_parameters(model: Any) -> bool:
    """Whether an adapter is on parameters that are no layer's weight, such as those of experts."""
    from peft.tuners.lora.layer import ParamWrapper

    return any(isinstance(module, ParamWrapper) for module in model.modules())


def without_peft(model: Any) -> Any:
    """The transformers model inside a ``PeftModel``, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def parameter_counts(model: Any) -> tuple[int, int]:
    """The number of trained parameters, and of all; a 4-bit weight counts as one parameter."""
    trained = total = 0
    for parameter in model.parameters():
        count = parameter.numel()
        if type(parameter).__name__ == "Params4bit":
            count *= 2  # two 4-bit values in a byte
        total += count
        trained += count if parameter.requires_grad else 0
    start = lora_start.of(model)
    return trained - (start.fixed if start else 0), total
