"""Chats and instructions: rows in a form that people use for fine-tuning language models.

A row of the task holds texts alone, because tables and reports do. What a conversation has besides
its texts is JSON in them: ``before`` is a list of the messages before the last one, or, where that
one is more than a question or tools may be called, an object of all messages and the tools.
``completion`` is the answer, or the whole message as JSON where it is more than its text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.baselines import text_baselines
from toolkit.data import chat_formats, tool_calls
from toolkit.data.chat_messages import Message
from toolkit.data.form_columns import with_form_columns
from toolkit.data.load import read
from toolkit.data.normalization import normalized
from toolkit.data.row_mapping import load_rows, map_rows, read_inputs
from toolkit.errors import DataError
from toolkit.kinds.base import PRIVATE
from toolkit.kinds.causal_lm.task import CausalLMTask
from toolkit.kinds.language.conversation import CLOSED, OPEN
from toolkit.kinds.language.outputs import Generated
from toolkit.task import Baseline, Predictor, Row

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.data.source import Source

MESSAGE = '{"role": "assistant"'
"""How a completion begins that is a message as JSON."""


class FormTask(CausalLMTask):
    """Rows in a form that people use for fine-tuning, see :mod:`toolkit.data.chat_formats`.

    Conversations go through the model's chat template; prompts that are texts stay as they are. Of
    a conversation every answer is learned but those of weight 0, and the last one is predicted.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "before": "the messages before the last one, as JSON; empty where there are none",
        "prompt": "what is asked",
        "completion": "the answer",
    }
    answer = "completion"
    named: ClassVar[Mapping[str, str]] = {}
    """The form's columns → where they are in the file, see :mod:`toolkit.data.form_columns`."""

    # -- rows --------------------------------------------------------------------------------------
    def load_rows(self, source: Source) -> Dataset | DatasetDict:
        def convert(own: Source, dataset: Dataset) -> Dataset:
            dataset = with_form_columns(dataset, self.named, also=source.group)
            form = _recognised(dataset)
            source.note(form.sentence)
            own.chosen = {"form": form.name}
            return self._rows(own, dataset, form, answered=True)

        return load_rows(source, convert, self.own_data)

    def load_inputs(self, source: Source) -> Dataset:
        form = chat_formats.FORMATS.get(str(source.chosen.get("form")))
        if source.data is None or source.text or form is None:
            return read_inputs(source, self.input_columns())
        dataset = with_form_columns(read(source.data, source), self.named, answered=False)
        if form.needs[0] not in dataset.column_names:
            return read_inputs(source, self.input_columns())
        return self._rows(source, dataset, form, answered=False)

    def _rows(
        self, source: Source, dataset: Dataset, form: chat_formats.Format, *, answered: bool
    ) -> Dataset:
        def make(row: Row) -> dict[str, str]:
            exchange = form.read(row, answered)
            before, prompt = _parts(exchange)
            return {"before": before, "prompt": prompt, "completion": _completion(exchange)}

        return map_rows(source, dataset, make, dict.fromkeys(self.columns, "string"))

    def fit(self, train: Dataset) -> dict[str, Any]:
        before = train["before"][:]
        found = {"chat": any(before), "history": any(value not in ("", "[]") for value in before)}
        replies = [_reply(text) for text in train["completion"][:]]
        if any("tool_calls" in reply for reply in replies):
            found["calls"] = True
        if any("reasoning_content" in r or CLOSED in r["content"] for r in replies):
            found["thoughts"] = True
        return found

    def input_columns(self) -> list[str]:
        return ["before", "prompt"] if self.state.get("history", True) else ["prompt"]

    def group(self, row: Row) -> str:
        return normalized(f"{row.get('before', '')} {row['prompt']}")

    # -- prompt and answer -------------------------------------------------------------------------
    def format_example(self, row: Row) -> dict[str, Any]:
        completion = str(row.get("completion") or "")
        if not self.state.get("chat"):
            return {"prompt": row["prompt"], "completion": completion}
        messages, tools = _conversation(row)
        for message in messages:
            if message["role"] == "assistant":
                message.setdefault("weight", 1)
        example: dict[str, Any] = {"prompt": messages, "completion": [_reply(completion)]}
        if tools:
            example["tools"] = tools
        if self.state.get("thoughts"):
            example["chat_template_kwargs"] = {"enable_thinking": True}
        return example

    def conversation(self, row: Row) -> Mapping[str, Any] | None:
        completion = str(row.get("completion") or "")
        if row.get("before") in (None, "", "[]") and not completion.startswith(MESSAGE):
            return None
        messages, tools = _conversation(row)
        return {"messages": [*messages, _reply(completion)], "tools": tools}

    def postprocess(self, output: Generated, row: Row) -> str | None:
        text = output.text
        if self.state.get("thoughts"):
            if OPEN in text and CLOSED not in text:
                return None  # it thought until the limit
            text = text.rpartition(CLOSED)[2]
        return (tool_calls.read(text) if self.state.get("calls") else text.strip()) or None

    def reference(self, row: Row) -> str:
        return _said(str(row["completion"]))

    def baselines(self) -> Mapping[str, Baseline]:
        made = text_baselines("prompt", "completion")
        return {name: _saying(baseline) for name, baseline in made.items()}


def _recognised(dataset: Dataset) -> chat_formats.Format:
    form = chat_formats.recognise(dataset)
    if form is None:
        known = "; ".join(f"{f.name}: {', '.join(f.needs)}" for f in chat_formats.FORMATS.values())
        got = ", ".join(name for name in dataset.column_names if name != "row_id")
        raise DataError(
            f"the rows (columns {got}) are in no form that is known ({known}); rename the "
            "columns, or give the task file a prompt with {column} in it and a target"
        )
    return form


# -- a conversation in texts, and back -------------------------------------------------------------
def _parts(exchange: chat_formats.Exchange) -> tuple[str, str]:
    """``before`` and ``prompt`` of a row; a plain prompt has nothing before it."""
    if isinstance(exchange.prompt, str):
        return "", exchange.prompt
    *before, last = exchange.prompt
    if exchange.tools or set(last) != {"role", "content"} or last["role"] != "user":
        whole: Any = {"messages": exchange.prompt, "tools": exchange.tools}
        return _json(whole), str(last["content"])
    return _json(before), str(last["content"])


def _conversation(row: Row) -> tuple[list[Message], Sequence[Any]]:
    """The messages of a prompt and the tools, from what :func:`_parts` made."""
    stored = row.get("before") or "[]"
    before = json.loads("[]" if stored == PRIVATE else stored)
    if isinstance(before, dict):
        return list(before["messages"]), before.get("tools") or []
    return [*before, {"role": "user", "content": row["prompt"]}], []


def _completion(exchange: chat_formats.Exchange) -> str:
    reply = exchange.reply
    if reply is None and not exchange.answer.startswith(MESSAGE):
        return exchange.answer
    return _json(reply or {"role": "assistant", "content": exchange.answer})


def _reply(completion: str) -> Message:
    """The answer as a message."""
    if completion.startswith(MESSAGE):
        found: Message = json.loads(completion)
        return found
    return {"role": "assistant", "content": completion}


def _said(completion: str) -> str:
    """What an answer says, without the thoughts before it; of an answer with calls, the calls."""
    reply = _reply(completion)
    if reply.get("tool_calls"):
        return tool_calls.spoken("", reply["tool_calls"])
    text = str(reply["content"])
    if reply["content"].lstrip().startswith(OPEN):
        text = text.rpartition(CLOSED)[2]
    return text.strip()


def _saying(baseline: Baseline) -> Baseline:
    """A baseline that answers with what stored answers say."""

    def fit(train: Dataset) -> Predictor:
        predictor = baseline(train)
        return lambda rows: [_said(answer) for answer in predictor(rows)]

    return fit


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
