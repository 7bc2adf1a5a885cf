"""Loading models and tokenizers with transformers.

Weights come from safetensors only, never from pickles; code that comes with a model runs only
where the user asked for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolkit.errors import ModelError, ToolkitError
from toolkit.models import base_digest, gates, limits, malloc
from toolkit.models.limits import Limits
from toolkit.models.paths import model_path
from toolkit.system import device, distributed


@dataclass(frozen=True)
class LoadRequest:
    """Which model is loaded, and how.

    Args:
        auto_class: the transformers class that knows the architectures, such as
            ``AutoModelForCausalLM``; a head that the weights do not hold is drawn at random.
        model: as in a recipe.
        init: keyword arguments for ``from_pretrained`` (``model_init_kwargs``).
        quantization: fields of ``BitsAndBytesConfig``.
        trust_remote_code: run code that comes with the model.
        max_length: tokens of the longest row, for backends that prepare for a length.
    """

    auto_class: str
    model: str
    init: Mapping[str, Any] | None = None
    quantization: Mapping[str, Any] | None = None
    trust_remote_code: bool = False
    max_length: int | None = None


@contextlib.contextmanager
def _explained(model: str, what: str) -> Iterator[None]:
    try:
        yield
    except (ToolkitError, MemoryError):
        raise
    except Exception as error:  # of a broken file, several libraries raise errors of their own
        if "out of memory" in str(error).lower():
            raise
        if gates.behind(error):
            raise ModelError(f"cannot load the {what} of {model!r}: {gates.LOGIN}") from error
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"cannot load the {what} of {model!r}: {reason or type(error).__name__}. Give --model "
            "a folder with config.json and safetensors, or a Hub id that can be reached from here"
        ) from error


def load_tokenizer(
    model: str, *, trust_remote_code: bool = False, padding_side: str = "left"
) -> Any:
    """The model's tokenizer, see :func:`load_tokens`."""
    return load_tokens(model, trust_remote_code=trust_remote_code, padding_side=padding_side)[0]


def load_tokens(
    model: str, *, trust_remote_code: bool = False, padding_side: str = "left"
) -> tuple[Any, Limits]:
    """The model's tokenizer, and the limits that the model's files name.

    The tokenizer has a padding token, which is another than its end wherever it has a control token
    to spare; and it has an end where the model names one. It knows the same words as before.
    """
    from transformers import AutoTokenizer

    path = model_path(model)
    with _explained(model, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=trust_remote_code)
    tokenizer.padding_side = padding_side
    found = limits.read(path, tokenizer, trust_remote_code=trust_remote_code)
    # An encoder's texts, which begin with a token of their own, have no such end.
    if tokenizer.eos_token_id is None and tokenizer.cls_token_id is None and found.stops:
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(found.stops[0])
    pad, rows = tokenizer.pad_token_id, found.rows
    beyond = pad is not None and rows is not None and pad >= rows
    if pad is None or pad == tokenizer.eos_token_id or beyond:
        old = tokenizer.pad_token
        chosen = limits.padding_token(tokenizer, found.stops, rows)
        tokenizer.pad_token = chosen or tokenizer.eos_token
        if beyond:
            note = (
                f"the tokenizer pads with {old!r}, token number {pad:,} of a model that embeds "
                f"{rows:,}: {tokenizer.pad_token!r} is taken instead"
            )
            found = replace(found, notes=(note,))
    return tokenizer, found


def quantization_config(fields: Mapping[str, Any] | None) -> Any:
    """A ``BitsAndBytesConfig`` of those fields, or ``None``."""
    if not fields:
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(**fields)


def load_model(request: LoadRequest) -> Any:
    """A model in evaluation mode, on the GPU where there is one.

    Raises:
        ModelError: it cannot be loaded, or its files lack weights, which would be random.
    """
    loaded, absent = _loaded(request)
    own = {name for name, _ in loaded.named_parameters()} if absent else ()
    if missing := [name for name in absent if name in own]:
        raise ModelError(
            f"{request.model!r} lacks {len(missing)} weights ({', '.join(missing[:2])}), which "
            "would be random; give --model a model that holds its head and all its layers"
        )
    return loaded


def load_encoder(request: LoadRequest, *, seed: int) -> tuple[Any, list[str]]:
    """An encoder with a head, and the names of the modules that the weights do not hold.

    Those (the head, at times a pooler) are drawn at random from the seed. Parameters are float32
    unless ``init`` names another type.

    Raises:
        ModelError: weights of the encoder itself are missing: it is of another architecture.
    """
    from transformers import set_seed

    set_seed(seed)
    loaded, missing = _loaded(replace(request, init={"dtype": "float32", **(request.init or {})}))
    inside = [
        key
        for key in missing
        if key.startswith(f"{loaded.base_model_prefix}.") and "pooler" not in key
    ]
    if inside:
        raise ModelError(
            f"{request.model!r} lacks {len(inside)} weights of its encoder "
            f"({', '.join(inside[:2])}), which would be random; give --model an encoder such as "
            "BERT, with all its weights"
        )
    return loaded, sorted({key.rpartition(".")[0] for key in missing})


def load_trained(
    auto_class: str,
    folder: Path,
    *,
    trust_remote_code: bool = False,
    init: Mapping[str, Any] | None = None,
) -> Any:
    """A fully trained model out of the folder that it was saved in.

    Args:
        auto_class: the transformers class that loads it.
        folder: where it is.
        trust_remote_code: run code that comes with it.
        init: further keyword arguments for ``from_pretrained``.

    Raises:
        ModelError: no weights there, or weights missing.
    """
    request = LoadRequest(auto_class, str(folder), init=init, trust_remote_code=trust_remote_code)
    loaded, missing = _loaded(request)
    if missing:
        raise ModelError(
            f"the model in {folder} is not whole: {len(missing)} weights missing "
            f"({', '.join(missing[:2])})"
        )
    return loaded


WEIGHTS = "weights"
"""The key of ``toolkit.json`` with the folder of a whole model that a run does not copy."""


def weights_of(stored: Mapping[str, Any], folder: Path) -> Path:
    """Where the weights of a fully trained model are: in its folder, or where that one says.

    Args:
        stored: its ``toolkit.json``.
        folder: its folder in a run.

    Raises:
        ModelError: they are elsewhere, and are not there any more or are others now.
    """
    elsewhere = stored.get(WEIGHTS)
    if not elsewhere:
        return folder
    place = Path(str(elsewhere["folder"]))
    if base_digest.digest(place) != elsewhere.get("digest"):
        raise ModelError(
            f"the model in {place}, to which {folder} refers, is not there any more or has other "
            "weights now; bring it back"
        )
    return place


def _loaded(request: LoadRequest) -> tuple[Any, list[str]]:
    """A model in evaluation mode, and the names of its parameters that no file held."""
    import transformers

    arguments: dict[str, Any] = {"dtype": "auto", **(request.init or {})}
    if request.quantization:
        arguments["quantization_config"] = quantization_config(request.quantization)
    if device.is_gpu() and not distributed.sharded_by_accelerate():
        arguments.setdefault("device_map", {"": device.place(distributed.local_rank())})
    with _explained(request.model, "weights"):
        loaded, info = getattr(transformers, request.auto_class).from_pretrained(
            model_path(request.model),
            use_safetensors=True,
            trust_remote_code=request.trust_remote_code,
            output_loading_info=True,
            **arguments,
        )
    if request.quantization:
        keep_trainable(loaded)
        malloc.let_go(loaded)
    without_router_logits(loaded)
    malloc.settle(loaded)
    return loaded.eval(), sorted(info["missing_keys"])


def without_router_logits(model: Any) -> None:
    """Let a mixture of experts return no logits of its routers, whatever its configuration says.

    With them transformers computes a loss that balances the experts, from a mask of the prompt and
    the states of the newest tokens alone, and fails as soon as text is written with a cache.
    """
    config = model.config.get_text_config()
    if getattr(config, "output_router_logits", False):
        config.output_router_logits = False


def keep_trainable(model: Any) -> None:
    """Keep 4-bit weights in the layout that a backward pass can read.

    On CPUs with AVX512-BF16 bitsandbytes 0.50 repacks a layer's weights at the first prediction
    and never back: whoever scores the base and trains then would train on wrong gradients.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
