"""A language model out of a GGUF file, as the folder that transformers loads like any other.

    python -m toolkit.models.gguf_conversion FILE.gguf FOLDER

writes weights in bfloat16 (safetensors), configuration, tokenizer and a card. transformers reads
the weights and the configuration; a model that it has read from GGUF cannot be saved, so they are
put into a plain one. The tokenizer is built here: transformers makes one for Llama's SentencePiece
out of the same words, which ends texts with the wrong token and takes spaces before digits together
with them, as this family of models never saw them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.errors import ModelError

CONTROL = 3
"""``tokenizer.ggml.token_type`` of control tokens."""
LAYOUT = "smollm"
"""``tokenizer.ggml.pre`` of the tokenizers that are known here."""

CARD = """# {name}

Converted from `{file}` by adapter-toolkit; license: {license}. The file's weights are rounded to
few bits; here they are put back into bfloat16, which makes them no more exact. So this is another
model than the one that its makers publish in full precision: an adapter that is trained on one does
not belong on the other.
"""


def convert(source: Path, made: Path, dtype: str = "bfloat16") -> None:
    """Write the model of a GGUF file into a folder.

    Args:
        source: the file.
        made: an empty folder.
        dtype: the type of the weights.

    Raises:
        ModelError: the file's tokenizer is of a layout that is not known here.
    """
    fields = read_fields(source)
    ids = _control_ids(fields)
    tokenizer(fields).save_pretrained(str(made))
    _save_model(source, made, ids, dtype)
    card = CARD.format(
        name=source.stem, file=source.name, license=fields.get("general.license", "unknown")
    )
    (made / "README.md").write_text(card, encoding="utf-8")


def read_fields(source: Path) -> dict[str, Any]:
    """The metadata of a GGUF file: the values of its fields by their names.

    Raises:
        ModelError: it is no such file.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(str(source))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise ModelError(f"{source} is no GGUF file that can be read: {error}") from error
    return {name: field.contents() for name, field in reader.fields.items() if field.data}


def _control_ids(fields: Mapping[str, Any]) -> dict[str, int]:
    """The ids of the tokens that begin, end and pad a text.

    Padding that is the end of a text would teach no model to end: the unknown token, which a
    tokenizer of bytes never writes, pads instead.
    """
    begin, end, pad, unknown = (
        int(fields[f"tokenizer.ggml.{name}_token_id"])
        for name in ("bos", "eos", "padding", "unknown")
    )
    return {
        "bos_token_id": begin,
        "eos_token_id": end,
        "pad_token_id": unknown if pad == end else pad,
        "unk_token_id": unknown,
    }


def tokenizer(fields: Mapping[str, Any]) -> Any:
    """The tokenizer that the fields of a GGUF file describe: byte-level BPE, digits one by one.

    Args:
        fields: ``tokenizer.ggml.…``, ``tokenizer.chat_template`` and ``llama.context_length``.

    Raises:
        ModelError: the words are cut in a way that is not known here.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    if fields.get("tokenizer.ggml.pre") != LAYOUT:
        raise ModelError(f"its tokenizer is of the layout {fields.get('tokenizer.ggml.pre')!r}")
    words = list(fields["tokenizer.ggml.tokens"])
    merges = [tuple(pair.split(" ")) for pair in fields["tokenizer.ggml.merges"]]
    built = Tokenizer(BPE(vocab={w: i for i, w in enumerate(words)}, merges=merges))
    built.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    built.decoder = decoders.ByteLevel()
    kinds = fields["tokenizer.ggml.token_type"]
    control = [word for word, kind in zip(words, kinds, strict=True) if kind == CONTROL]
    built.add_special_tokens([AddedToken(word, normalized=False, special=True) for word in control])
    named = {key.removesuffix("_id"): words[i] for key, i in _control_ids(fields).items()}
    found = PreTrainedTokenizerFast(
        tokenizer_object=built,
        model_max_length=int(fields["llama.context_length"]),
        clean_up_tokenization_spaces=False,
        **named,
    )
    found.chat_template = fields.get("tokenizer.chat_template")
    return found


def _save_model(source: Path, made: Path, ids: Mapping[str, int], dtype: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    with _no_bar():
        read = AutoModelForCausalLM.from_pretrained(
            str(source.parent), gguf_file=source.name, dtype=torch.float32
        )
    values = read.config.to_dict()
    for name in ("quantization_config", "_model_name_or_path", "transformers_version"):
        values.pop(name, None)
    config = type(read.config)(**{**values, **ids})
    plain = type(read)(config)
    plain.load_state_dict(read.state_dict())
    plain = plain.to(getattr(torch, dtype))
    plain.generation_config = GenerationConfig(
        **{name: value for name, value in ids.items() if name != "unk_token_id"}
    )
    plain.save_pretrained(str(made))


@contextmanager
def _no_bar() -> Iterator[None]:
    """Without transformers' own bar over the tensors, which no setting of theirs hides."""
    from transformers import modeling_gguf_pytorch_utils as upstream

    shown = upstream.tqdm
    upstream.tqdm = lambda tensors, **_: tensors
    try:
        yield
    finally:
        upstream.tqdm = shown


if __name__ == "__main__":
    from toolkit.system import environment

    environment.prepare(offline=True)
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except ModelError as problem:
        sys.exit(str(problem))
