"""Models without weights: from a configuration, on the meta device, then on empty fake tensors."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import ModelError
from toolkit.models import gates
from toolkit.models.loading import LoadRequest
from toolkit.models.paths import model_path
from toolkit.preparation.memory.quantized_layers import quantize

KNOWN = Path(__file__).with_name("configs.json")
"""The sizes of the models that recipes name, so that they can be estimated without the Hub."""
ONE_TOKEN_NUMBERS = ("meta-llama/Llama-3.1-8B", "embedded:causal-lm")
"""Models whose tokenizers have a token for every number from 0 to 999."""
ALIASES = {
    "google-bert/bert-base-uncased": "bert-base-uncased",
    "distilbert/distilbert-base-uncased": "distilbert-base-uncased",
}


def configuration(model: str, *, trust_remote_code: bool = False) -> Any:
    """The model's configuration: one of the known sizes, or from its folder, the Hub or its cache.

    Raises:
        ModelError: none of them has it.
    """
    from transformers import AutoConfig, PretrainedConfig

    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    fields = known.get(ALIASES.get(model, model))
    if fields is not None:
        return _with_own_head(AutoConfig.for_model(**fields), fields)
    place = model_path(model)
    try:
        written, _ = PretrainedConfig.get_config_dict(place)
        found = AutoConfig.from_pretrained(place, trust_remote_code=trust_remote_code)
        return _with_own_head(found, written)
    except (OSError, ValueError, KeyError) as error:
        reason = gates.LOGIN if gates.behind(error) else " ".join(str(error).split())[:200]
        raise ModelError(f"cannot read the configuration of {model!r}: {reason}") from error


def _with_own_head(config: Any, fields: Mapping[str, Any]) -> Any:
    """Record whether the file has separate weights for the head: T5's class always ties them."""
    config.own_head = fields.get("tie_word_embeddings") is False
    return config


def on_meta(request: LoadRequest, config: Any, *, default_dtype: str = "auto") -> Any:
    """A model whose parameters have shapes and no content, quantized where the recipe asks for it.

    Args:
        request: as for :func:`toolkit.models.loading.load_model`.
        config: of :func:`configuration`; fields of it that ``init`` names are set on it.
        default_dtype: the parameters' type where ``init`` names none; ``auto``: that of the file.
    """
    import torch
    import transformers

    arguments = dict(request.init or {})
    dtype = arguments.pop("dtype", default_dtype)
    if dtype == "auto":
        dtype = getattr(config, "dtype", None) or "float32"
    if isinstance(dtype, str):
        dtype = getattr(torch, dtype)
    attention = arguments.pop("attn_implementation", None)
    for name, value in arguments.items():
        if hasattr(config, name):
            setattr(config, name, value)
    extra = {"attn_implementation": attention} if attention else {}
    with torch.device("meta"):
        model = getattr(transformers, request.auto_class).from_config(
            config, dtype=dtype, trust_remote_code=request.trust_remote_code, **extra
        )
        if getattr(config, "own_head", False):
            _untie(model)
        if request.quantization:
            quantize(model, request.quantization)
    return model.eval()


def _untie(model: Any) -> None:
    """Give a head separate weights, as loading does where the file holds them."""
    import torch

    head, words = model.get_output_embeddings(), model.get_input_embeddings()
    if head is not None and head.weight is words.weight:
        head.weight = torch.nn.Parameter(torch.empty_like(words.weight))


@contextlib.contextmanager
def interpreted(model: Any) -> Iterator[None]:
    """Within the context, functions that the model's code has compiled run as they were written.

    TorchScript's interpreter, which DeBERTa uses, refuses tensors without content.
    """
    import torch

    modules = {sys.modules[type(m).__module__] for m in model.modules()}
    compiled = [
        (module, name, function)
        for module in modules
        for name, function in vars(module).items()
        if isinstance(function, torch.jit.ScriptFunction)
    ]
    for module, name, function in compiled:
        setattr(module, name, getattr(function, "_torchdynamo_inline", function))
    try:
        yield
    finally:
        for module, name, function in compiled:
            setattr(module, name, function)


def fill(model: Any) -> None:
    """Replace a meta model's parameters and buffers by fake tensors on the CPU.

    Tied ones stay tied. To be called under ``FakeTensorMode``, where nothing is allocated.
    """
    import torch

    made: dict[int, tuple[Any, Any]] = {}
    for module in model.modules():
        for held in (module._parameters, module._buffers):
            for name, value in held.items():
                if value is None or value.device.type != "meta":
                    continue
                if id(value) not in made:
                    empty: Any = torch.empty_strided(
                        value.shape, value.stride(), dtype=value.dtype, device="cpu"
                    )
                    if isinstance(value, torch.nn.Parameter):
                        empty = torch.nn.Parameter(empty, requires_grad=value.requires_grad)
                    made[id(value)] = (empty, value)  # keeps the old one: its id stays taken
                held[name] = made[id(value)][0]
