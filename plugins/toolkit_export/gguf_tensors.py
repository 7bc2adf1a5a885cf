"""Tensors of a GGUF file of the Llama architecture, out of the weights of a transformers model.

The file's metadata and its tokenizer are those of another file of the same model; each of its
tensors gets new content. llama.cpp turns the halves of each head of q and k about, because it
rotates neighbouring pairs where transformers rotates halves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ModelError

if TYPE_CHECKING:
    import numpy as np

ARCHITECTURE = "llama"
QUANTIZED = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "q8_0": "Q8_0"}
"""Types of weights → their names in GGUF."""
FILE_TYPES = {
    "float32": "ALL_F32", "float16": "MOSTLY_F16", "bfloat16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0"
}  # fmt: skip
REPLACED = (
    "general.architecture", "general.file_type", "general.quantization_version",
    "tokenizer.chat_template",
)  # fmt: skip
"""Fields that are written anew."""


def write_like(
    source: Path, state: Mapping[str, Any], place: Path, numbers: str, template: str | None
) -> None:
    """Write a GGUF file with the metadata of another one and other weights.

    Args:
        source: the other file, of the same model.
        state: the weights by their names in transformers, tensors.
        place: the file that is written.
        numbers: the type of the weights, a key of :data:`QUANTIZED`.
        template: the chat template.

    Raises:
        ModelError: the file is of another architecture, or the weights do not fit it.
    """
    from gguf import GGUFReader, GGUFWriter, LlamaFileType

    reader = GGUFReader(str(source))
    values = {name: field.contents() for name, field in reader.fields.items() if field.data}
    if values.get("general.architecture") != ARCHITECTURE:
        raise ModelError(f"{source} is of the architecture {values.get('general.architecture')!r}")
    writer = GGUFWriter(str(place), ARCHITECTURE)
    _copy_fields(reader, writer)
    writer.add_file_type(getattr(LlamaFileType, FILE_TYPES[numbers]))
    if template:
        writer.add_chat_template(template)
    weights = renamed(state, values)
    shapes = {one.name: tuple(int(n) for n in reversed(one.shape)) for one in reader.tensors}
    for name, shape in shapes.items():
        if name not in weights or weights[name].shape != shape:
            raise ModelError(f"the model has no weights of the shape {shape} for {name}")
    for name, weight in weights.items():
        if name not in shapes and name != "output.weight":  # of a head that was untied
            raise ModelError(f"{source} has no place for {name}")
        _add(writer, name, weight, numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def renamed(state: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Weights under their names in GGUF, as float32; q and k as llama.cpp rotates them.

    Args:
        state: tensors by their names in transformers.
        values: the metadata.
    """
    from gguf import MODEL_ARCH, get_tensor_name_map

    names = get_tensor_name_map(MODEL_ARCH.LLAMA, int(values["llama.block_count"]))
    heads = int(values["llama.attention.head_count"])
    shared = int(values.get("llama.attention.head_count_kv", heads))
    found = {}
    for name, tensor in state.items():
        wanted = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if wanted is None:
            raise ModelError(f"GGUF has no name for the weights {name}")
        weight = tensor.float().cpu().numpy()
        if ".attn_q." in wanted:
            weight = rotated(weight, heads)
        elif ".attn_k." in wanted:
            weight = rotated(weight, shared)
        found[wanted] = weight
    return found


def rotated(weight: np.ndarray, heads: int) -> np.ndarray:
    """The rows of q or k in the order of llama.cpp, shape (heads · size, …) as before.

    Source: ``LlamaModel.permute`` of llama.cpp's ``convert_hf_to_gguf.py``.
    """
    size = weight.shape[0] // heads
    halves = weight.reshape(heads, 2, size // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def _copy_fields(reader: Any, writer: Any) -> None:
    from gguf import GGUFValueType

    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in REPLACED:
            continue
        inside = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=inside)


def _add(writer: Any, name: str, weight: np.ndarray, numbers: str) -> None:
    """Add a tensor; vectors stay in float32, as llama.cpp has them."""
    import numpy as np
    from gguf import GGMLQuantizationType, quants

    kind = GGMLQuantizationType[QUANTIZED[numbers] if weight.ndim > 1 else "F32"]
    if kind == GGMLQuantizationType.F16 and float(abs(weight).max()) > np.finfo(np.float16).max:
        raise ModelError(f"{name} has weights that float16 cannot hold; take --type bfloat16")
    writer.add_tensor(name, quants.quantize(np.ascontiguousarray(weight), kind), raw_dtype=kind)
