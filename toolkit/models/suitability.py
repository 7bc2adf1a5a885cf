"""Whether a model can do what a kind of task needs, told from its configuration alone.

transformers has a class for each pair of architecture and head; for others its errors list hundreds
of names, and some pairs load and then compute nonsense: an encoder without a mask of the future as
a writer, a recurrent model whose state takes in the padding. Here each is one sentence, before
anything expensive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import ModelError
from toolkit.models.paths import model_path

CAUSAL, SEQ2SEQ = "AutoModelForCausalLM", "AutoModelForSeq2SeqLM"
CLASSES, SPANS = "AutoModelForSequenceClassification", "AutoModelForQuestionAnswering"
NEEDED: Mapping[str, str] = {
    CAUSAL: "a causal-lm task needs a decoder, such as Llama, Qwen or Gemma",
    SEQ2SEQ: "a seq2seq-lm task needs an encoder–decoder, such as T5 or BART",
    CLASSES: "a sequence-classification task needs an encoder such as BERT, or a decoder that "
    "transformers can give a head for classes",
    SPANS: "a question-answering task needs an encoder such as BERT, RoBERTa or DistilBERT",
}
"""What each kind of task needs, by the class that loads its models."""
ROLES = {
    "decoder": "a decoder, which fits a causal-lm task",
    "encoder–decoder": "an encoder–decoder, which fits a seq2seq-lm task",
    "encoder": "an encoder, which fits a sequence-classification or question-answering task and "
    "writes no text",
}
OTHER = {
    "AutoModelForImageTextToText": "a model of images and texts",
    "AutoModelForSpeechSeq2Seq": "a model of speech",
    "AutoModelForCTC": "a model of speech",
    "AutoModelForAudioClassification": "a model of sound",
    "AutoModelForTextToWaveform": "a model of sound",
    "AutoModelForImageClassification": "a model of images",
    "AutoModelForZeroShotImageClassification": "a model of images and texts",
}
"""Classes whose architectures read or write more than text."""
HEADLESS = ("Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")
"""Endings of classes whose weights hold no head that writes."""


@dataclass(frozen=True)
class Described:
    """What a configuration says of a model.

    Args:
        model_type: transformers' name of the architecture.
        role: a key of :data:`ROLES`; ``None``: transformers does not know the architecture's texts.
        beyond: what it is where it reads or writes more than text, in words.
        recurrent: whether it has a state that each token changes (Mamba, RWKV and hybrids).
        headless: the class of its weights, where that has no head that writes.
    """

    model_type: str
    role: str | None
    beyond: str | None
    recurrent: bool
    headless: str | None


def require(
    model: str, auto_class: str, *, trust_remote_code: bool = False, needs: str = ""
) -> None:
    """Refuse a model that a kind of task cannot be trained with.

    Models whose configuration cannot be read are left to what loads them, and so are models that
    bring code of their own, where it may run.

    Args:
        model: as in a recipe.
        auto_class: the transformers class that the kind loads models with.
        trust_remote_code: whether code of the model runs.
        needs: what the kind needs, in words, where it is none of :data:`NEEDED`.

    Raises:
        ModelError: says in one sentence what the model is, and what the task needs.
    """
    needed = NEEDED.get(auto_class, needs)
    if not needed:
        return
    fields = _fields(model)
    if fields is None or (trust_remote_code and fields.get("auto_map")):
        return
    found = describe(fields)
    if found is not None and (reason := _refusal(found, auto_class)):
        raise ModelError(f"{model!r} is {reason}; {needed}")


def _fields(model: str) -> Mapping[str, Any] | None:
    from transformers import PretrainedConfig

    try:
        written, _ = PretrainedConfig.get_config_dict(model_path(model))
    except Exception:  # what loads the model says what is wrong with it
        return None
    return dict(written)


def describe(fields: Mapping[str, Any]) -> Described | None:
    """What a model is, by the fields of its ``config.json``; ``None``: it is not known."""
    import transformers
    from transformers import AutoConfig

    kind = str(fields.get("model_type", ""))
    try:
        config = AutoConfig.for_model(kind)
    except Exception:  # unknown, or no configuration without arguments
        return None
    known = {name: _class(name, type(config)) for name in (*NEEDED, *OTHER, "AutoModelForMaskedLM")}
    beyond = next((what for name, what in OTHER.items() if known[name] is not None), None)
    if fields.get("is_encoder_decoder", getattr(config, "is_encoder_decoder", False)):
        role: str | None = "encoder–decoder"
    elif known["AutoModelForMaskedLM"] is not None and not fields.get("is_decoder"):
        role = "encoder"
    else:
        role = "decoder" if known[CAUSAL] is not None else None
    main = known[CAUSAL] or transformers.AutoModel._model_mapping.get(type(config), None)
    written = [str(name) for name in fields.get("architectures") or ()]
    tied = fields.get("tie_word_embeddings", getattr(config, "tie_word_embeddings", True))
    bare = written[0] if written and written[0].endswith(HEADLESS) and not tied else None
    if bare is not None and bare.endswith(("LMHeadModel", "HeadModel")):
        bare = None
    return Described(kind, role, beyond, bool(getattr(main, "_is_stateful", False)), bare)


def _class(auto_class: str, config: type) -> Any:
    import transformers

    loader = getattr(transformers, auto_class, None)
    return None if loader is None else loader._model_mapping.get(config, None)


def _refusal(found: Described, auto_class: str) -> str | None:
    """What a model is that does not fit, in words; ``None``: it fits."""
    kind = found.model_type
    if found.beyond:
        return f"{found.beyond} ({kind}), and tasks here are of texts alone"
    if found.recurrent:
        return (
            f"a recurrent or state-space model ({kind}), whose adapters and batches are not "
            "supported here, and tasks need a transformer"
        )
    if found.role is None and not _has_head(kind, auto_class):
        return f"no model of texts that transformers has a class for ({kind})"
    role = ROLES.get(str(found.role), "no model of texts that writes")
    wanted = {CAUSAL: "decoder", SEQ2SEQ: "encoder–decoder"}.get(auto_class)
    if wanted is not None and found.role != wanted:
        return f"{role} ({kind})"
    if wanted is not None and found.headless:
        return f"saved as {found.headless}, without the head that writes ({kind})"
    return None if _has_head(kind, auto_class) else f"{role} ({kind})"


def _has_head(model_type: str, auto_class: str) -> bool:
    import transformers

    mapping = getattr(transformers, auto_class)._model_mapping
    return any(config.model_type == model_type for config in mapping)


def misfit(error: Exception) -> ModelError:
    """What PEFT says of a LoRA that does not fit a model, in one sentence with a way out."""
    reason = " ".join(str(error).split())
    if reason.startswith("Target modules"):  # PEFT's: {...} not found in the base model. Please …
        reason = reason.partition(" Please check")[0].rstrip(".")
        reason += "; --set lora.target_modules=all-linear takes every linear layer that there is"
    return ModelError(f"LoRA does not fit this model: {reason}")
