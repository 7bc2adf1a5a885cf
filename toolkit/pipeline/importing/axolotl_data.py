"""The data of an Axolotl training: its first data set and prompt format as keys of a task file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.errors import UsageError
from toolkit.pipeline.importing.draft import Draft, Left
from toolkit.pipeline.importing.places import Places, check_field, check_speaker
from toolkit.pipeline.importing.values import shown, table, text

_TASK = "Below is an instruction that describes a task"
_ASKS = "Write a response that appropriately completes the request."
SYSTEM = f"{_TASK}, paired with an input that provides further context. {_ASKS}"
SYSTEM_ALONE = f"{_TASK}. {_ASKS}"
STYLES = {
    "instruct": (
        "{system}\n\n",
        "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n",
        "### Instruction:\n{instruction}\n\n### Response:\n",
    ),
    "chat": (
        "SYSTEM: {system}\n",
        "USER: {instruction}\n{input}\nASSISTANT:",
        "USER: {instruction}\nASSISTANT:",
    ),
}
"""Alpaca styles → how a system text, a prompt with and one without an input is written."""
COLUMNS = {
    "alpaca": ("instruction", "input", "output"),
    "gpteacher": ("instruction", "input", "response"),
    "alpaca_chat.load_qa": ("question", "", "answer"),
    "oasst": ("INSTRUCTION", "", "RESPONSE"),
}
"""Types with the Alpaca prompt → their columns: instruction, input, answer."""
ALIASES = {
    "alpaca_instruct.load": "alpaca:instruct",
    "alpaca_instruct": "alpaca:instruct",
    "alpaca_chat.load": "alpaca:chat",
    "alpaca_chat": "alpaca:chat",
}
UNLEARNABLE = {
    "completion": "running text, which has no answers to score",
    "pretrain": "running text, which has no answers to score",
    "input_output": "pieces of text with masks of their own, which a task file cannot say",
}
TRAINED = ("assistant", "gpt")
FORMATS = ("json", "csv", "parquet", "arrow", "text")


def data(draft: Draft, places: Places) -> None:
    """Carry over the first data set.

    Raises:
        UsageError: there is none, or its form cannot be expressed.
    """
    sets = _sets(draft, "datasets")
    if not sets:
        raise UsageError("datasets is missing: the file names no data")
    tests = _sets(draft, "test_datasets")
    first = sets[0]
    draft.task["kind"] = "causal-lm"
    draft.task["train" if tests else "data"] = _path(draft, first, places)
    draft.task |= _form(draft, first)
    if tests:
        if _form(Draft(draft.tool, {}), tests[0]) != _form(Draft(draft.tool, {}), first):
            raise UsageError("datasets and test_datasets have other forms; make them the same")
        draft.task["validation"] = _path(draft, tests[0], places)
    for key, further in (("datasets", sets[1:]), ("test_datasets", tests[1:])):
        if further:
            names = ", ".join(shown("path", one.get("path")) for one in further)
            draft.left.append(
                Left(key, names[:80], "a task file names one data set; join their rows")
            )


def _sets(draft: Draft, key: str) -> list[dict[str, Any]]:
    given = draft.take(key, lambda key, value: value, [])
    if not isinstance(given, list):
        raise UsageError(f"{key} must be a list of data sets")
    return [
        {name: value for name, value in table(key, one).items() if value is not None}
        for one in given
    ]


def _path(draft: Draft, one: Mapping[str, Any], places: Places) -> str:
    path = text("datasets.path", one.get("path"))
    files = one.get("data_files")
    if files:
        names = files if isinstance(files, list) else [files]
        if len(names) > 1:
            draft.left.append(
                Left("data_files", shown("", names[1:]), "a task file names one file; join them")
            )
        name = text("data_files", names[0])
        return places.data(name if path in FORMATS else f"{path}/{name}")
    found = places.data(path)
    if (subset := one.get("name")) and "/" in found and not (places.output / found).is_file():
        found = f"{found}:{text('name', subset)}"
    return found


def _form(draft: Draft, one: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a task file that say how rows are read."""
    kind = one.get("type")
    read = {"path", "type", "data_files", "name", "ds_type"}
    if isinstance(kind, Mapping):
        made = _user_defined(draft, table("type", kind))
    else:
        kind = text("datasets.type", kind)
        kind = ALIASES.get(kind, kind)
        base, _, style = kind.partition(":")
        if base in UNLEARNABLE:
            raise UsageError(f"a data set of type {base} is {UNLEARNABLE[base]}")
        if base in COLUMNS:
            made = _alpaca(
                base, style or ("chat" if base.startswith("alpaca_chat") else "instruct")
            )
        elif base in ("chat_template", "sharegpt"):
            made = _chat(draft, base, one)
            read |= {
                "field_messages", "message_property_mappings", "message_field_role",
                "message_field_content", "roles", "field_tools", "conversation",
            }  # fmt: skip
        else:
            raise UsageError(
                f"the type {kind!r:.60} of a data set is not imported; there are alpaca, "
                "gpteacher, oasst, alpaca_chat.load_qa, chat_template, sharegpt, and formats of "
                "one's own"
            )
    _left_of_set(draft, one, read)
    return made


_REASONS = {
    "split": "the data set's own splits are used as they are",
    "revision": "the newest version of the data set is read",
    "chat_template": "the model's own chat template is used; toolkit show prints the text",
    "chat_template_jinja": "the model's own chat template is used; toolkit show prints the text",
    "message_field_training": "turns are masked by weight 0 in the rows",
    "drop_system_message": "system messages of the rows are kept",
    "train_on_eos": "the end of each answer is learned",
    "train_on_eot": "the end of each answer is learned",
}


def _left_of_set(draft: Draft, one: Mapping[str, Any], read: set[str]) -> None:
    for key, value in one.items():
        if key in read or value is False or (key, value) in (
            ("split", "train"), ("train_on_eos", "turn"), ("chat_template", "tokenizer_default")
        ):  # fmt: skip
            continue
        if key == "roles_to_train" and set(map(str, value)) <= set(TRAINED):
            continue
        reason = _REASONS.get(key, "the toolkit has no place for it")
        draft.left.append(Left(f"datasets.{key}", shown(key, value), reason))


def _alpaca(base: str, style: str) -> dict[str, Any]:
    if style not in STYLES:
        raise UsageError(f"the style {style!r:.40} of type {base} is not imported; there are "
                         f"{', '.join(STYLES)}")  # fmt: skip
    instruction, extra, answer = COLUMNS[base]
    before, turn, alone = STYLES[style]
    long = before.format(system=SYSTEM) + turn
    short = before.format(system=SYSTEM_ALONE) + alone
    return _prompted(long, short, instruction, extra, answer)


def _user_defined(draft: Draft, kind: Mapping[str, Any]) -> dict[str, Any]:
    """A format of the file's own: its templates, fields and system text."""
    turn = text("type.format", kind.get("format") or "{instruction} {input} ")
    alone = text("type.no_input_format", kind.get("no_input_format") or "{instruction} ")
    before = str(kind.get("system_format") or "{system}")
    if system := kind.get("system_prompt"):
        said = before.replace("{system}", text("type.system_prompt", system))
        turn, alone = said + turn, said + alone
    if kind.get("field_system"):
        draft.left.append(
            Left("datasets.type.field_system", shown("", kind["field_system"]),
                 "a prompt has no system text of its own row")
        )  # fmt: skip
    fields = [
        text(f"type.field_{name}", kind.get(f"field_{name}") or name)
        for name in ("instruction", "input", "output")
    ]
    extra = fields[1] if "{input}" in turn else ""
    return _prompted(turn, alone, fields[0], extra, fields[2])


def _prompted(long: str, short: str, instruction: str, extra: str, answer: str) -> dict[str, Any]:
    def named(template: str) -> str:
        return template.replace("{instruction}", f"{{{instruction}}}").replace(
            "{input}", f"{{{extra}}}"
        )

    if not extra:
        return {"prompt": named(short), "target": answer}
    return {
        "prompt": named(long),
        "target": answer,
        "prompt_without": {extra: named(short)},
    }


def _chat(draft: Draft, base: str, one: Mapping[str, Any]) -> dict[str, Any]:
    mapped = table("message_property_mappings", one.get("message_property_mappings") or {})
    legacy = base == "sharegpt"
    role = one.get("message_field_role") or mapped.get("role") or ("from" if legacy else "role")
    content = one.get("message_field_content") or mapped.get("content")
    content = content or ("value" if legacy else "content")
    check_field(str(role), ("role", "from"), "datasets")
    check_field(str(content), ("content", "value"), "datasets")
    for name, where in mapped.items():
        if name not in ("role", "content") and name != where:
            draft.left.append(
                Left(
                    f"message_property_mappings.{name}", shown("", where), "it is read by its name"
                )
            )
    for to, names in table("roles", one.get("roles") or {}).items():
        for name in names if isinstance(names, list) else [names]:
            check_speaker(str(name), to, "datasets.roles")
    default = "conversations" if legacy else "messages"
    column = text("field_messages", one.get("field_messages") or default)
    if column in ("messages", "conversations") and not one.get("field_tools"):
        return {}
    found = {"conversations": column}
    if tools := one.get("field_tools"):
        found["tools"] = text("field_tools", tools)
    return {"columns": found}
