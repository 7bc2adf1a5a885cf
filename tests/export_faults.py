"""Faults that are put into exports: each must be refused by the gate. See ``toolkit export``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Fault = Callable[[Path], None]


# -- folders of transformers -----------------------------------------------------------------------
def change_weights(folder: Path, change: Callable[[str, Any], Any]) -> None:
    """Write the weights of a folder again, each changed by its name."""
    from safetensors.torch import load_file, save_file

    place = folder / "model.safetensors"
    weights = {name: change(name, tensor) for name, tensor in load_file(place).items()}
    save_file(weights, place, metadata={"format": "pt"})


def change_json(folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Write a JSON file of a folder again."""
    place = folder / name
    content = json.loads(place.read_text(encoding="utf-8"))
    change(content)
    place.write_text(json.dumps(content), encoding="utf-8")


def _layer(number: int) -> Callable[[str], bool]:
    marks = (f"layers.{number}.", f"layer.{number}.", f"block.{number}.")
    return lambda name: any(mark in name for mark in marks)


def zeroed(folder: Path) -> None:
    """All weights of the second layer are zero."""
    change_weights(folder, lambda name, one: one * 0 if _layer(1)(name) else one)


def scaled(folder: Path) -> None:
    """The weights of all attention are twice what they should be."""
    change_weights(folder, lambda name, one: one * 2 if "att" in name.lower() else one)


def swapped_layers(folder: Path) -> None:
    """The two layers have each other's weights."""
    from safetensors.torch import load_file

    before = load_file(folder / "model.safetensors")

    def other(name: str, one: Any) -> Any:
        for kind in ("layers", "layer", "block"):
            for here, there in ((".0.", ".1."), (".1.", ".0.")):
                mark = f"{kind}{here}"
                if mark in name:
                    return before.get(name.replace(mark, f"{kind}{there}"), one).clone()
        return one

    change_weights(folder, other)


def noisy(folder: Path) -> None:
    """All matrices are off by as much as they are large."""
    import torch

    torch.manual_seed(0)
    change_weights(
        folder, lambda name, one: one + torch.randn_like(one) * one.std() if one.ndim > 1 else one
    )


def not_finite(folder: Path) -> None:
    """A weight is NaN."""
    change_weights(folder, lambda name, one: one * float("nan") if _layer(0)(name) else one)


def half_rotated(folder: Path) -> None:
    """The rows of q and k are in the order of another convention."""
    from toolkit_export.gguf_tensors import rotated

    def turned(name: str, one: Any) -> Any:
        import torch

        asked = any(part in name for part in ("q_proj.weight", "k_proj.weight"))
        if not asked:
            return one
        return torch.from_numpy(rotated(one.float().numpy(), 2).copy()).to(one.dtype)

    change_weights(folder, turned)


def other_stop(folder: Path) -> None:
    """Texts end at another token."""
    change_json(folder, "generation_config.json", lambda one: one.update(eos_token_id=7))


def other_template(folder: Path) -> None:
    """The chat template writes a blank more."""
    place = folder / "chat_template.jinja"
    place.write_text(place.read_text(encoding="utf-8") + "{{ ' ' }}", encoding="utf-8")


def other_words(folder: Path) -> None:
    """The tokenizer has lost its merges, or gives its words the numbers of others."""

    def change(content: dict[str, Any]) -> None:
        model = content["model"]
        if model.get("merges"):
            model["merges"] = []
        else:
            words = [word for word in model["vocab"] if not word.startswith("[")]
            numbers = [model["vocab"][word] for word in words]
            model["vocab"].update(zip(words, [*numbers[1:], numbers[0]], strict=True))

    change_json(folder, "tokenizer.json", change)


def swapped_classes(folder: Path) -> None:
    """The names of the classes are in another order."""

    def change(content: dict[str, Any]) -> None:
        names = list(content["id2label"].values())
        turned = [*names[1:], names[0]]
        content["id2label"] = {str(place): name for place, name in enumerate(turned)}
        content["label2id"] = {name: place for place, name in enumerate(turned)}

    change_json(folder, "config.json", change)


def renamed_classes(folder: Path) -> None:
    """The classes have no names."""

    def change(content: dict[str, Any]) -> None:
        count = len(content["id2label"])
        content["id2label"] = {str(place): f"LABEL_{place}" for place in range(count)}
        content["label2id"] = {f"LABEL_{place}": place for place in range(count)}

    change_json(folder, "config.json", change)


def other_head(folder: Path) -> None:
    """The head is turned about."""
    change_weights(
        folder,
        lambda name, one: -one if name.startswith(("classifier", "qa_outputs", "lm_head")) else one,
    )


def other_embeddings(folder: Path) -> None:
    """Each token has the embedding of another one."""
    change_weights(
        folder,
        lambda name, one: one.roll(5, 0).clone()
        if any(part in name for part in ("embed_tokens", "word_embeddings", "shared")) else one,
    )  # fmt: skip


def other_norms(folder: Path) -> None:
    """The scales of all normalisations are three times what they should be."""
    change_weights(
        folder,
        lambda name, one: one * 3
        if one.ndim == 1 and "norm" in name.lower() and name.endswith("weight") else one,
    )  # fmt: skip


def cut(folder: Path) -> None:
    """The weights are not whole."""
    place = folder / "model.safetensors"
    place.write_bytes(place.read_bytes()[:-100])


WEIGHTS: tuple[Fault, ...] = (
    zeroed, scaled, swapped_layers, noisy, not_finite, other_embeddings, cut, other_norms,
)  # fmt: skip
MERGED: Mapping[str, tuple[Fault, ...]] = {
    "causal-lm": (*WEIGHTS, half_rotated, other_stop, other_words),
    "seq2seq-lm": (*WEIGHTS, other_stop, other_words),
    "sequence-classification": (
        *WEIGHTS, other_words, swapped_classes, renamed_classes, other_head,
    ),
    "question-answering": (*WEIGHTS, other_words, other_head),
    "token-classification": (*WEIGHTS, other_words, swapped_classes),
}  # fmt: skip
"""The faults of folders, by kind of task; a chat template is changed where there is one."""


# -- ONNX ------------------------------------------------------------------------------------------
def _change_graph(folder: Path, change: Callable[[Any, Any], Any], dimensions: int = 2) -> None:
    """Write the matrices of a graph again; ``change`` gets the place of each, and its values.

    With one dimension: its vectors, which are scales and biases.
    """
    import onnx
    from onnx import numpy_helper

    place = folder / "model.onnx"
    graph = onnx.load(str(place))
    matrices = [one for one in graph.graph.initializer if len(one.dims) == dimensions]
    for number, one in enumerate(matrices):
        values = numpy_helper.to_array(one)
        changed = change(number / len(matrices), values)
        one.CopyFrom(numpy_helper.from_array(changed.astype(values.dtype), one.name))
    onnx.save(graph, str(place))


def graph_zeroed(folder: Path) -> None:
    """The later half of all matrices is zero."""
    _change_graph(folder, lambda place, values: values * 0 if place >= 0.5 else values)


def graph_scaled(folder: Path) -> None:
    """All matrices are twice what they should be."""
    _change_graph(folder, lambda place, values: values * 2)


def graph_turned(folder: Path) -> None:
    """The rows of all matrices are in another order."""
    _change_graph(folder, lambda place, values: values[::-1].copy())


def graph_negated(folder: Path) -> None:
    """The first matrices have another sign."""
    _change_graph(folder, lambda place, values: -values if place < 0.3 else values)


def graph_noisy(folder: Path) -> None:
    """All matrices are off by as much as they are large."""
    import numpy as np

    random = np.random.default_rng(0)
    _change_graph(
        folder, lambda place, values: values + random.normal(size=values.shape) * values.std()
    )


def graph_vectors(folder: Path) -> None:
    """All scales and biases are three times what they should be."""
    _change_graph(folder, lambda place, values: values * 3, 1)


def graph_cut(folder: Path) -> None:
    """The graph is not whole."""
    place = folder / "model.onnx"
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])


def graph_absent(folder: Path) -> None:
    """There is no graph."""
    (folder / "model.onnx").unlink()


def graph_attention(folder: Path) -> None:
    """Attention is normalised otherwise."""
    import onnx

    place = folder / "model.onnx"
    graph = onnx.load(str(place))
    for one in graph.graph.node:
        if one.op_type == "Softmax":
            one.op_type = "LogSoftmax"
    onnx.save(graph, str(place))


ONNX: tuple[Fault, ...] = (
    graph_zeroed, graph_scaled, graph_turned, graph_negated, graph_noisy, graph_cut, graph_absent,
    graph_attention, other_words, graph_vectors, swapped_classes,
)  # fmt: skip


# -- GGUF ------------------------------------------------------------------------------------------
def rewrite_gguf(
    folder: Path,
    *,
    tensor: Callable[[str, Any], Any] = lambda name, values: values,
    field: Mapping[str, Any] | None = None,
) -> None:
    """Write a GGUF file again, with changed tensors (float32 arrays) or fields."""
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants

    place = folder / "model.gguf"
    reader = GGUFReader(str(place))
    other = place.with_name("other.gguf")
    writer = GGUFWriter(str(other), "llama")
    for name, one in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        inside = one.types[-1] if one.types[0] == GGUFValueType.ARRAY else None
        value = (field or {}).get(name, one.contents())
        writer.add_key_value(name, value, one.types[0], sub_type=inside)
    for one in reader.tensors:
        kind = GGMLQuantizationType(one.tensor_type)
        values = quants.dequantize(one.data, kind).astype("float32")
        values = values.reshape(tuple(int(n) for n in reversed(one.shape)))
        writer.add_tensor(
            one.name, quants.quantize(tensor(one.name, values).copy(), kind), raw_dtype=kind
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    other.replace(place)


def gguf_not_rotated(folder: Path) -> None:
    """The rows of q and k are as transformers has them."""
    from gguf import GGUFReader

    fields = GGUFReader(str(folder / "model.gguf")).fields
    names = {True: "llama.attention.head_count", False: "llama.attention.head_count_kv"}
    counts = {of_q: int(fields[name].contents()) for of_q, name in names.items()}

    def back(name: str, values: Any) -> Any:
        if ".attn_q." not in name and ".attn_k." not in name:
            return values
        heads = counts[".attn_q." in name]
        size = values.shape[0] // heads
        pairs = values.reshape(heads, size // 2, 2, *values.shape[1:])
        return pairs.swapaxes(1, 2).reshape(values.shape)

    rewrite_gguf(folder, tensor=back)


def gguf_scaled(folder: Path) -> None:
    """All attention is twice what it should be."""
    rewrite_gguf(folder, tensor=lambda name, one: one * 2 if ".attn_" in name else one)


def gguf_zeroed(folder: Path) -> None:
    """The second layer is zero."""
    rewrite_gguf(folder, tensor=lambda name, one: one * 0 if name.startswith("blk.1.") else one)


def gguf_noisy(folder: Path) -> None:
    """All matrices are off by as much as they are large."""
    import numpy as np

    random = np.random.default_rng(0)
    rewrite_gguf(
        folder,
        tensor=lambda name, one: one + random.normal(size=one.shape).astype("f4") * one.std()
        if one.ndim > 1 else one,
    )  # fmt: skip


def gguf_embeddings(folder: Path) -> None:
    """Each token has the embedding of another one."""
    rewrite_gguf(folder, tensor=lambda name, one: one[::-1] if name == "token_embd.weight" else one)


def gguf_stop(folder: Path) -> None:
    """Texts end at another token."""
    rewrite_gguf(folder, field={"tokenizer.ggml.eos_token_id": 7})


def gguf_template(folder: Path) -> None:
    """The chat template writes a blank more."""
    from gguf import GGUFReader

    field = GGUFReader(str(folder / "model.gguf")).fields["tokenizer.chat_template"]
    rewrite_gguf(folder, field={"tokenizer.chat_template": field.contents() + "{{ ' ' }}"})


def gguf_words(folder: Path) -> None:
    """Two words of the tokenizer have changed places."""
    from gguf import GGUFReader

    words = GGUFReader(str(folder / "model.gguf")).fields["tokenizer.ggml.tokens"].contents()
    words = [*words[:3], *reversed(words[3:])]
    rewrite_gguf(folder, field={"tokenizer.ggml.tokens": words})


def gguf_theta(folder: Path) -> None:
    """Positions turn faster."""
    rewrite_gguf(folder, field={"llama.rope.freq_base": 10.0})


def gguf_cut(folder: Path) -> None:
    """The file is not whole."""
    place = folder / "model.gguf"
    place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])


GGUF: tuple[Fault, ...] = (
    gguf_not_rotated, gguf_scaled, gguf_zeroed, gguf_noisy, gguf_embeddings, gguf_stop,
    gguf_template, gguf_words, gguf_theta, gguf_cut,
)  # fmt: skip
