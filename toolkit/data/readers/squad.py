"""Files in SQuAD's form (version 1 and 2) → one flat row a question, each with its place.

    {"data": [{"title": …, "paragraphs": [{"context": …, "qas": [
        {"id": …, "question": …, "answers": [{"text": …, "answer_start": …}],
         "is_impossible": …}]}]}]}

A row has ``id`` (empty where the file has none), ``title``, ``context``, ``question``, ``answers``
(lists ``text`` and ``answer_start``; null where the file has no field for them) and ``place``, the
path to the question in the file. Wrong nesting is an error that names its path; whether an answer
is found at its ``answer_start`` is for the task to check.

Source: P. Rajpurkar, R. Jia, P. Liang, "Know What You Don't Know", ACL 2018.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toolkit.data.readers.readable import whole
from toolkit.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_LEVELS = ("paragraphs", "qas")
FARTHEST = 2**63 - 1
"""The largest number that the column of starts can hold."""


def is_squad(content: Any) -> bool:
    """Whether a JSON document has the form of SQuAD: at least one level of its nesting."""
    if isinstance(content, dict):
        if any(level in content for level in _LEVELS):
            return True
        content = content.get("data")
        if isinstance(content, dict):
            return any(level in content for level in _LEVELS)
    return isinstance(content, list) and any(
        isinstance(item, dict) and any(level in item for level in _LEVELS) for item in content
    )


def answer_type() -> pa.DataType:
    """The Arrow type of SQuAD's answers: the lists ``text`` and ``answer_start``."""
    import pyarrow as pa

    return pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int64()))])


def types() -> dict[str, pa.DataType]:
    """The Arrow types of the rows' columns, without the row number."""
    import pyarrow as pa

    text = dict.fromkeys(("id", "title", "context", "question"), pa.string())
    return {**text, "answers": answer_type(), "place": pa.string()}


def rows(name: str, content: Any) -> Iterator[dict[str, Any]]:
    """The questions of a document in their order.

    Args:
        name: the file, as errors name it.
        content: the parsed JSON.

    Raises:
        DataError: the document has another form; names the path to the first difference.
    """
    articles, root = (content, "") if isinstance(content, list) else (None, "data")
    if articles is None:
        articles = _value(name, "the top level", content, "data", list)
    for a, article in enumerate(articles):
        at = f"{root}[{a}]"
        title = article.get("title") if isinstance(article, dict) else None
        for p, paragraph in enumerate(_value(name, at, article, "paragraphs", list)):
            inner = f"{at}.paragraphs[{p}]"
            context = _value(name, inner, paragraph, "context", str)
            for q, qa in enumerate(_value(name, inner, paragraph, "qas", list)):
                place = f"{inner}.qas[{q}]"
                yield {
                    "id": _id(name, place, qa),
                    "title": title if isinstance(title, str) else "",
                    "context": whole(context),
                    "question": whole(_value(name, place, qa, "question", str)),
                    "answers": _answers(name, place, qa),
                    "place": place,
                }


def _value(name: str, place: str, holder: Any, key: str, kind: type) -> Any:
    """``holder[key]``, which must be of the type ``kind``."""
    if not isinstance(holder, dict):
        raise DataError(
            f"{name}: {place} is {_type_name(holder)}, not an object with {key!r}; "
            "SQuAD's nesting is data[].paragraphs[].qas[].answers[]"
        )
    if key not in holder:
        there = ", ".join(map(repr, list(holder)[:6])) or "nothing"
        raise DataError(
            f"{name}: {place} has no {key!r}, only {there}; "
            "SQuAD's nesting is data[].paragraphs[].qas[].answers[]"
        )
    value = holder[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        where = key if place == "the top level" else f"{place}.{key}"
        wanted = {list: "a list", str: "a text", int: "a whole number"}[kind]
        raise DataError(f"{name}: {where} is {_type_name(value)}, not {wanted}")
    return value


def _id(name: str, place: str, qa: Any) -> str:
    if not isinstance(qa, dict):
        raise DataError(f"{name}: {place} is {_type_name(qa)}, not an object with 'question'")
    value = qa.get("id")
    return str(value).strip() if isinstance(value, str | int) else ""


def _answers(name: str, place: str, qa: dict[str, Any]) -> dict[str, list[Any]] | None:
    """Texts and starts of the answers; those without text are left out."""
    if qa.get("answers") is None:
        return {"text": [], "answer_start": []} if qa.get("is_impossible") else None
    found = []
    for n, answer in enumerate(_value(name, place, qa, "answers", list)):
        inner = f"{place}.answers[{n}]"
        text = whole(_value(name, inner, answer, "text", str))
        if text.strip():
            found.append((text, _start(name, inner, answer)))
    if qa.get("is_impossible") is True:
        found = []
    return {"text": [text for text, _ in found], "answer_start": [start for _, start in found]}


def _start(name: str, place: str, answer: dict[str, Any]) -> int:
    """A start as a whole number, which some files write as a text."""
    given = answer.get("answer_start")
    if isinstance(given, str) and re.fullmatch(r"\s*-?[0-9]{1,18}\s*", given):
        return int(given)
    start: int = _value(name, place, answer, "answer_start", int)
    if abs(start) > FARTHEST:
        shown = str(start) if abs(start) < 10**40 else "a number of more than 40 digits"
        raise DataError(f"{name}: {place}.answer_start is {shown}, which is no place in a text")
    return start


def _type_name(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")
