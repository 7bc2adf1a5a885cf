"""The data of a LLaMA-Factory training: entries of ``dataset_info.json`` as keys of a task file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError, did_you_mean
from toolkit.pipeline.importing import read
from toolkit.pipeline.importing.draft import Draft, Left
from toolkit.pipeline.importing.places import Places, check_field, check_speaker
from toolkit.pipeline.importing.values import table, text, texts

INFO = "dataset_info.json"
SPEAKERS = {
    "user_tag": ("human", "user"), "assistant_tag": ("gpt", "assistant"),
    "observation_tag": ("observation", "tool"), "function_tag": ("function_call", "call"),
    "system_tag": ("system", "system"),
}  # fmt: skip
"""Tags of speakers → their defaults, and what the toolkit must read them as."""
MEDIA = ("images", "videos", "audios")


def data(draft: Draft, places: Places) -> None:
    """Carry over the data sets.

    Raises:
        UsageError: there is none, it is not described, or it cannot be read here.
    """
    names = draft.take("dataset", texts)
    folder = draft.take("dataset_dir", text, "data")
    if not names:
        raise UsageError("dataset is missing: the file names no data")
    info, near = _info(folder, places)
    entry = _entry(names[0], info)
    path = _path(names[0], entry, places, near)
    evaluated = draft.take("eval_dataset", texts)
    draft.task["kind"] = "causal-lm"
    draft.task["train" if evaluated else "data"] = path
    draft.task["columns"] = _columns(draft, names[0], entry)
    _others(draft, "dataset", names[1:])
    if evaluated:
        other = _entry(evaluated[0], info)
        if _columns(Draft(draft.tool, {}), evaluated[0], other) != draft.task["columns"]:
            raise UsageError("dataset and eval_dataset have other columns; make them the same")
        draft.task["validation"] = _path(evaluated[0], other, places, near)
        _others(draft, "eval_dataset", evaluated[1:])


def _others(draft: Draft, key: str, names: list[str]) -> None:
    if names:
        draft.left.append(
            Left(key, ", ".join(names)[:80], "a task file names one data set; join their rows")
        )


def _info(folder: str, places: Places) -> tuple[dict[str, Any] | None, list[Path]]:
    """The descriptions of data sets, and the folder of their files; ``ONLINE`` has none."""
    if places.info is not None:
        return read.of_json(read.read_text(places.info), str(places.info)), [places.info.parent]
    if folder == "ONLINE":
        return None, []
    if folder.startswith("REMOTE:"):
        raise UsageError(f"dataset_dir is on the Hub; download its {INFO} and give --dataset-info")
    for parent in places.folders():
        path = parent / folder / INFO
        if path.is_file():
            return read.of_json(read.read_text(path), str(path)), [path.parent]
    raise UsageError(f"there is no {INFO} in {folder!r:.80}; name it with --dataset-info")


def _entry(name: str, info: Mapping[str, Any] | None) -> dict[str, Any]:
    if info is None:
        return {"hf_hub_url": name}
    if name not in info:
        raise UsageError(f"{INFO} describes no data set {name!r:.60}{did_you_mean(name, info)}")
    return table(name, info[name])


def _path(name: str, entry: Mapping[str, Any], places: Places, near: list[Path]) -> str:
    if "hf_hub_url" in entry:
        found = text("hf_hub_url", entry["hf_hub_url"])
        subset = entry.get("subset")
        return f"{found}:{text('subset', subset)}" if subset else found
    for key, what in (
        ("ms_hub_url", "on ModelScope"), ("om_hub_url", "on Modelers"),
        ("script_url", "a script, which is never run"), ("cloud_file_name", "on another storage"),
    ):  # fmt: skip
        if key in entry:
            raise UsageError(f"the data set {name!r:.60} is {what}; download its rows to a file")
    return places.data(text(f"{name}.file_name", entry.get("file_name")), near)


def _columns(draft: Draft, name: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """The columns of the form → those of the file."""
    if entry.get("ranking"):
        raise UsageError(f"the data set {name!r:.60} has preferences, which are not imported")
    columns = table("columns", entry.get("columns") or {})
    for key in MEDIA:
        if columns.get(key):
            raise UsageError(f"the data set {name!r:.60} has {key}, and the toolkit learns texts")
    if columns.get("kto_tag"):
        raise UsageError(f"the data set {name!r:.60} has preferences, which are not imported")
    for key in ("folder", "num_samples"):
        if entry.get(key) is not None:
            draft.left.append(Left(f"{name}.{key}", str(entry[key])[:60], "the whole set is read"))
    split = entry.get("split", "train")
    if split != "train":
        draft.left.append(
            Left(f"{name}.split", str(split)[:60], "the data set's own splits are used as they are")
        )
    form = text(f"{name}.formatting", entry.get("formatting", "alpaca"))
    if form == "alpaca":
        return _alpaca(draft, name, columns, named="columns" in entry)
    if form in ("sharegpt", "openai"):
        return _sharegpt(name, columns, table("tags", entry.get("tags") or {}))
    raise UsageError(f"the data set {name!r:.60} is in the unknown form {form!r:.40}")


def _alpaca(draft: Draft, name: str, columns: Mapping[str, Any], *, named: bool) -> dict[str, str]:
    """Of columns that are named, those that are left out are none; else the defaults hold."""
    names = columns if named else {"prompt": "instruction", "query": "input", "response": "output"}
    prompt, query, response = (names.get(key) for key in ("prompt", "query", "response"))
    if not response or not (prompt or query):
        raise UsageError(f"the data set {name!r:.60} has no answers, or no prompts, to learn from")
    asked = [text("columns", one) for one in (prompt, query) if one]
    one = asked[0] if len(asked) == 1 else "\n".join(f"{{{column}}}" for column in asked)
    found = {"instruction": one, "output": text("columns", response)}
    for key in ("system", "history"):
        if names.get(key):
            found[key] = text("columns", names[key])
    if names.get("tools"):
        draft.left.append(Left(f"{name}.tools", "", "rows of this form have no tools here"))
    return found


def _sharegpt(name: str, columns: Mapping[str, Any], tags: Mapping[str, Any]) -> dict[str, str]:
    check_field(str(tags.get("role_tag", "from")), ("from", "role"), name)
    check_field(str(tags.get("content_tag", "value")), ("value", "content"), name)
    for tag, (default, role) in SPEAKERS.items():
        # Tags that are left out where others are named are none, so that nobody has them.
        given = tags.get(tag) if tags else default
        if given:
            check_speaker(str(given), role, name)
    found = {"conversations": text("columns", columns.get("messages") or "conversations")}
    for key in ("system", "tools"):
        if columns.get(key):
            found[key] = text("columns", columns[key])
    return found
