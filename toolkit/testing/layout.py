"""What makes a random model like those of a family: :class:`Layout`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from toolkit.testing import layout_tokenizers

Kind = Literal["causal-lm", "seq2seq-lm", "encoder"]
AUTO_CLASSES: Mapping[Kind, str] = {
    "causal-lm": "AutoModelForCausalLM",
    "seq2seq-lm": "AutoModelForSeq2SeqLM",
    "encoder": "AutoModelForMaskedLM",
}
"""The transformers class that the weights are those of, by the kind of the model."""
SPREAD = 0.1
"""The deviation of the weights. With the 0.02 of models that are 64 times as wide, logits of all
tokens would be alike, and an adapter could hardly tell them apart."""
LONGEST = 512
"""The longest input of the models, in tokens."""


@dataclass(frozen=True)
class Layout:
    """What a family's models have in common.

    Args:
        kind: what the model was made for.
        model_type: its architecture, transformers' name.
        fields: of its configuration, beside those of the tokenizer.
        family: of its tokenizer, see :mod:`toolkit.testing.layout_tokenizers`.
        special: its special tokens, in the order of their ids.
        roles: role of a special token (``eos_token``, …) → the token.
        frame: the special tokens around one text and around two; ``None``: none are put there.
        tokenizer_class: the class that the tokenizer's configuration names.
        template: the name of its chat template; ``None``: it has none.
        ends: the tokens that ``generation_config`` names as ends; empty: that of the tokenizer.
        sampling: further fields of ``generation_config``.
        added: tokens beside the vocabulary that are not special, such as ``<think>``.
        rows: the rows of the embedding are a multiple of this; many models have spare ones.
        dtype: the format of its published weights.
        auto_class: where it is not that of its kind, the class of the weights.
    """

    kind: Kind
    model_type: str
    fields: Mapping[str, Any]
    family: str
    special: Sequence[str]
    roles: Mapping[str, str]
    frame: tuple[str, str] | None = None
    tokenizer_class: str | None = None
    template: str | None = None
    ends: Sequence[str] = ()
    sampling: Mapping[str, Any] = field(default_factory=dict)
    added: Sequence[str] = ()
    rows: int = 1
    dtype: str = "bfloat16"
    auto_class: str | None = None

    def tokenizer(self) -> Any:
        """Its tokenizer, with the chat template."""
        from tokenizers import AddedToken
        from transformers import PreTrainedTokenizerFast

        learned = layout_tokenizers.make(self.family, self.special)
        learned.add_tokens([AddedToken(token, normalized=False) for token in self.added])
        if self.frame is not None:
            layout_tokenizers.framed(learned, *self.frame)
        made = PreTrainedTokenizerFast(
            tokenizer_object=learned, model_max_length=LONGEST, **self.roles
        )
        if self.template is not None:
            from toolkit.testing.chat_templates import TEMPLATES

            made.chat_template = TEMPLATES[self.template]
        return made

    def config(self, tokenizer: Any) -> Any:
        """The model's configuration for that tokenizer."""
        from transformers import AutoConfig

        ids = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in _ROLES}
        size = -(-len(tokenizer) // self.rows) * self.rows
        fields = {"vocab_size": size, **ids, **self.fields}
        made = AutoConfig.for_model(self.model_type, **fields)
        for name in ("initializer_range", "init_std"):
            if hasattr(made, name):
                setattr(made, name, SPREAD)
        return made

    def save(self, folder: Path, seed: int = 0) -> None:
        """Write a random model with its tokenizer into a folder.

        Args:
            folder: where it is put.
            seed: of the weights. The state of torch's random generator stays as it is.
        """
        import torch
        import transformers

        tokenizer = self.tokenizer()
        loader = getattr(transformers, self.auto_class or AUTO_CLASSES[self.kind])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = loader.from_config(self.config(tokenizer))
            _fill_padding(model)
        _set_generation(model, tokenizer, self)
        model.to(getattr(torch, self.dtype)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        _name_class(folder, self.tokenizer_class)


_ROLES = ("bos", "eos", "pad")


def _fill_padding(model: Any) -> None:
    """Draw the padding token's embedding, which begins as zeros.

    In models that pad with their EOS, and whose head is the embedding, EOS could never be written.
    """
    import torch

    words = model.get_input_embeddings()
    if getattr(words, "padding_idx", None) is not None:
        with torch.no_grad():
            words.weight[words.padding_idx].normal_(std=SPREAD)


def _set_generation(model: Any, tokenizer: Any, layout: Layout) -> None:
    settings = getattr(model, "generation_config", None)
    if settings is None:
        return
    if layout.ends:
        settings.eos_token_id = [tokenizer.convert_tokens_to_ids(end) for end in layout.ends]
    for key, value in layout.sampling.items():
        setattr(settings, key, value)


def _name_class(folder: Path, name: str | None) -> None:
    """Let the tokenizer be loaded by the class that published tokenizers of the family name."""
    if name is None:
        return
    place = Path(folder) / "tokenizer_config.json"
    written = json.loads(place.read_text(encoding="utf-8"))
    place.write_text(json.dumps(written | {"tokenizer_class": name}, indent=2), encoding="utf-8")
