"""What others have trained: a folder or a Hub repository, and what in it cannot be judged.

Whatever trained it (TRL, PEFT, Unsloth, LLaMA-Factory, Axolotl, transformers' ``Trainer``), a
folder holds either a LoRA adapter (``adapter_config.json``) or a whole model (``config.json``).
Everything in it is data: weights are read from safetensors alone, and nothing in it is code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit.errors import ModelError
from toolkit.models import adapters, embedded, gates, suitability
from toolkit.models.paths import EMBEDDED, hub_id

ADAPTER, WHOLE, OURS = "adapter_config.json", "config.json", "toolkit.json"
PICKLES = ("adapter_model.bin", "pytorch_model.bin", "pytorch_model.bin.index.json")
TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.txt",
              "spiece.model")  # fmt: skip
WANTED = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model", "*.jinja")
"""The files of a Hub repository that are downloaded."""
LARGEST_COPY = 2**30
"""Bytes of a whole model from which on a run refers to its folder instead of copying it."""
HEADS: Mapping[str, tuple[str, ...]] = {
    suitability.CAUSAL: ("ForCausalLM", "LMHeadModel"),
    suitability.SEQ2SEQ: ("ForConditionalGeneration",),
    suitability.CLASSES: ("ForSequenceClassification",),
    suitability.SPANS: ("ForQuestionAnswering", "ForQuestionAnsweringSimple"),
    "": ("ForTokenClassification", "ForMaskedLM", "ForMultipleChoice"),
}
"""How the names of classes end that have the head of each kind; of the last no kind has it."""


@dataclass(frozen=True)
class Foreign:
    """A folder with something trained.

    Args:
        name: what the user called it.
        folder: where it is.
    """

    name: str
    folder: Path

    @cached_property
    def whole(self) -> bool:
        """Whether it holds a whole model, fully trained or merged; otherwise it is an adapter."""
        return not (self.folder / ADAPTER).is_file()

    @cached_property
    def config(self) -> dict[str, Any]:
        """``adapter_config.json`` of an adapter, ``config.json`` of a whole model."""
        return read_object(self.folder / (WHOLE if self.whole else ADAPTER))

    @cached_property
    def ours(self) -> dict[str, Any]:
        """``toolkit.json`` of what the toolkit trained; empty for all others."""
        place = self.folder / OURS
        return read_object(place) if place.is_file() else {}

    @property
    def has_tokenizer(self) -> bool:
        return any((self.folder / name).is_file() for name in TOKENIZERS)

    @property
    def weights(self) -> list[Path]:
        """The files of weights."""
        if not self.whole:
            return [self.folder / "adapter_model.safetensors"]
        return sorted(self.folder.glob("*.safetensors"))

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return sum(file.stat().st_size for file in self.weights)

    @property
    def base(self) -> str:
        """The base that an adapter names; empty where it names none, as whole models do."""
        named = self.ours.get("model") or (
            "" if self.whole else self.config.get("base_model_name_or_path")
        )
        known = {hub: f"{EMBEDDED}{name}" for name, hub in embedded.HUB_IDS.items()}
        return known.get(str(named or ""), str(named or ""))

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of the head's outputs; empty: none are known."""
        place = self.folder / WHOLE
        named = read_object(place).get("id2label") if place.is_file() else None
        named = named or (self.ours.get("head") or {}).get("id2label")
        if not isinstance(named, Mapping):
            return []
        try:
            ordered = sorted((int(number), str(label)) for number, label in named.items())
        except ValueError:
            return []
        labels = [label for _, label in ordered]
        unnamed = all(label == f"LABEL_{number}" for number, label in ordered)
        return [str(number) for number, _ in ordered] if unnamed else labels

    @property
    def named_by_number(self) -> bool:
        """Whether :attr:`classes` are numbers because the folder names its classes ``LABEL_0``."""
        place = self.folder / WHOLE
        named = read_object(place).get("id2label") if place.is_file() else None
        return isinstance(named, Mapping) and "LABEL_0" in map(str, named.values())


def read_object(place: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        ModelError: it cannot be read as one.
    """
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{place} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{place} holds no JSON object")
    return found


def find(name: str) -> Foreign:
    """What a user names: a folder, a run of the toolkit, or a Hub repository.

    Raises:
        ModelError: there is none, or it holds neither an adapter nor a model.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _downloaded(name)
    if (folder / "run.json").is_file() and (folder / "adapter").is_dir():
        folder = folder / "adapter"
    folder = folder.resolve()
    if not any((folder / file).is_file() for file in (ADAPTER, WHOLE)):
        steps = sorted(folder.glob("checkpoint-*"))
        hint = f"; it holds checkpoints: name one, such as {steps[-1]}" if steps else ""
        raise ModelError(f"{name} holds neither {ADAPTER} nor {WHOLE}{hint}")
    return Foreign(name, folder)


def _downloaded(name: str) -> Path:
    """The folder of a Hub repository, which is downloaded unless it is in the cache."""
    from huggingface_hub import snapshot_download

    if hub_id(name) != name:
        raise ModelError(f"there is no folder {name}: give an adapter's folder or a Hub id")
    try:
        return Path(snapshot_download(name, allow_patterns=list(WANTED)))
    except Exception as error:  # of a network, a name or a permission
        reason = gates.LOGIN if gates.behind(error) else " ".join(str(error).split())[:200]
        raise ModelError(
            f"{name} is no folder here, and the Hub does not give it: {reason}"
        ) from error


def check(found: Foreign, auto_class: str, task_type: str, kind: str) -> None:
    """Refuse what a task of a kind cannot be done with; weights are looked at, not loaded.

    Args:
        found: the folder.
        auto_class: the transformers class that loads the kind's models.
        task_type: PEFT's name of the kind.
        kind: the toolkit's name of the kind, for messages.

    Raises:
        ModelError: pickled weights, another kind of adapter or head, or an adapter that changes
            nothing.
    """
    if not all(file.is_file() for file in found.weights) or not found.weights:
        pickled = next((name for name in PICKLES if (found.folder / name).is_file()), None)
        if pickled:
            raise ModelError(
                f"{found.name} has its weights in {pickled}, and pickled weights are refused, "
                "because reading them can run code: save it again as safetensors"
            )
        raise ModelError(f"{found.name} holds no weights (safetensors)")
    if found.whole:
        _check_head(found, auto_class, kind)
        return
    adapters.checked_folder(found.folder)
    declared = str(found.config.get("task_type") or task_type)
    if declared != task_type:
        raise ModelError(
            f"{found.name} is an adapter for {declared}, and a {kind} task needs one for "
            f"{task_type}"
        )
    check_changes(found)


def _check_head(found: Foreign, auto_class: str, kind: str) -> None:
    """Refuse a whole model with the head of another kind."""
    suitability.require(str(found.folder), auto_class)
    for name in map(str, found.config.get("architectures") or ()):
        for owner, endings in HEADS.items():
            if owner != auto_class and name.endswith(endings):
                raise ModelError(
                    f"{found.name} is saved as {name}, whose head does not fit a {kind} task"
                )


def check_changes(found: Foreign) -> None:
    """Refuse an adapter whose weights leave the base as it is, or are no numbers.

    Raises:
        ModelError: all its second factors are zero, and it holds no layer that is trained whole.
    """
    import torch
    from safetensors import safe_open

    with safe_open(str(found.weights[0]), framework="pt") as file:
        names = list(file.keys())
        second = [name for name in names if "lora_B" in name or "lora_embedding_B" in name]
        others = [name for name in names if "lora_" not in name]
        changes = bool(others)
        for name in second:
            weight = file.get_tensor(name)
            if not bool(torch.isfinite(weight.float()).all()):
                raise ModelError(f"the adapter in {found.name} holds NaN or infinity ({name})")
            changes = changes or bool(weight.any())
    if not changes:
        raise ModelError(
            f"the adapter in {found.name} changes nothing: all its lora_B weights are zero, as "
            "before training; was it saved after training?"
        )


def base_of(found: Sequence[Foreign], given: str | None) -> str:
    """The base of what is judged: the one that the user names, or that the adapters name.

    Raises:
        ModelError: it is not named, they name several, or it is not here.
    """
    if given:
        return given
    names = {one.base: one for one in found if one.base}
    if len(names) > 1:
        raise ModelError(
            f"the adapters name several bases ({', '.join(map(repr, names))}); judge those of one "
            "base at a time, or name it with --base"
        )
    if not names:
        what = "a whole model names no base" if found[0].whole else f"{found[0].name} names no base"
        raise ModelError(f"{what}: name the untouched model it was trained from with --base")
    return next(iter(names))


def require_base(base: str, found: Sequence[Foreign], given: str | None) -> None:
    """Refuse a base that is not on this machine and cannot be had.

    Raises:
        ModelError: naming it, and where it was named.
    """
    from transformers import PretrainedConfig

    from toolkit.models.paths import model_path

    try:
        PretrainedConfig.get_config_dict(model_path(base))
    except Exception as error:
        where = "--base" if given else f"{ADAPTER} of {found[0].name}"
        raise ModelError(
            f"the base {base!r}, which {where} names, is neither a folder here nor can it be had "
            "from the Hub now; name where it is with --base"
        ) from error


# -- tokenizers --------------------------------------------------------------------------------
def check_vocabulary(own: Any, base: Any, name: str) -> None:
    """Refuse a tokenizer whose numbers mean other tokens than the base's do.

    Tokens that it has besides are left to :meth:`toolkit.models.limits.Limits.check_vocabulary`:
    what pads is needed by nobody.

    Args:
        own: the tokenizer that was saved with what was trained.
        base: the base's.
        name: of what was trained, for the message.

    Raises:
        ModelError: with the first token that differs.
    """
    theirs, known = own.get_vocab(), base.get_vocab()
    numbers = {number: token for token, number in known.items()}
    for token, number in sorted(theirs.items(), key=lambda item: item[1]):
        if known.get(token, number) != number or (token not in known and number in numbers):
            raise ModelError(
                f"the tokenizer of {name} has another vocabulary than the base's: {token!r} is "
                f"number {number:,} there, and here that is {numbers.get(number, 'none')!r}; name "
                "the base that it was trained on with --base"
            )


def distinct_names(found: Iterable[Foreign]) -> list[str]:
    """A name for the system of each, from its folder's or its Hub repository's."""
    names: list[str] = []
    for one in found:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", _called(one)).strip("-.")[:60] or "model"
        name, number = stem, 2
        while name in names or name in RESERVED:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return names


RESERVED = ("base", "few-shot", "adapter", "full", "ensemble", "mean-probe", "untrained-head")
"""Names that systems of every run have."""


def _called(one: Foreign) -> str:
    """What people would call a folder; that of a checkpoint says of which training it is."""
    folder = one.folder
    if (folder.parent / "run.json").is_file():
        return f"{folder.parent.name}-{folder.name}".removesuffix("-adapter")
    if not Path(one.name).expanduser().is_dir():  # a Hub repository, whose folder is a hash
        return one.name.rpartition("/")[2]
    if folder.name.startswith("checkpoint-"):
        return f"{folder.parent.name}-{folder.name}"
    return folder.name
