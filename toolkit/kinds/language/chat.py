"""What a model's chat template can write, asked of the template itself.

Templates are programs: some know no system message and some refuse one, some want user and
assistant in turns, some write the date of today. Nothing of that is declared anywhere, so
:class:`ChatTemplate` lets the template write a conversation with marks in it, and looks for them.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from toolkit.errors import DataError, ModelError

Message = Mapping[str, Any]
Tools = Sequence[Mapping[str, Any]]

PLAIN_CHAT = (
    "{{ bos_token or '' }}{% for m in messages %}{{ '' if loop.first else '\n' }}"
    "{{ m.role | capitalize }}: {{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\n' }}Assistant:{% endif %}"
)
"""The chat template for tokenizers that have none: one line for each message.

It is set on the tokenizer, and so is saved with the adapter.
"""

MARK = "qzvmark"
"""What templates are asked with: letters that they neither write themselves nor change."""
CALL_ID = "call00001"
"""An identifier of a call that every template takes: Mistral's want nine letters or digits."""
OTHER_DAY = datetime.date(2001, 2, 3)
TOLD = (
    "{%- macro strftime_now(form) -%}"
    "{%- set told = namespace(text=form) -%}"
    "{%- for code, value in parts_of_the_day -%}"
    "{%- set told.text = told.text | replace(code, value) -%}"
    "{%- endfor -%}{{ told.text }}{%- endmacro -%}"
)
"""Goes before a template that asks for the date: a function of the name that it calls.

Only data go into a template, so the function is the template's own: transformers hands templates
no function that a caller gives."""
CODES = (
    *"aAbBcdDeFgGhHIjklmMnpPrRsStTuUvVwWxXyYzZ", *(f"-{code}" for code in "dHIjklmMSyUVwW"),
)  # fmt: skip
"""The letters behind a percent sign that ``strftime`` knows."""
_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
LONGEST_REASON = 200


def today() -> datetime.date:
    """The date of today, where this process is."""
    return datetime.date.today()


class TemplateRefusal(Exception):
    """A template does not write a conversation; the message is its reason."""


class ChatTemplate:
    """A tokenizer's chat template: what it can write, and conversations as it writes them.

    Args:
        tokenizer: a transformers tokenizer; where it has no template it gets :data:`PLAIN_CHAT`.
        day: the date that the template is told; today by default.
        former: whether it is used as earlier versions did, for their adapters: with the date of
            today, and with thoughts as the template likes them.
    """

    def __init__(
        self, tokenizer: Any, day: datetime.date | None = None, *, former: bool = False
    ) -> None:
        if tokenizer.chat_template is None:
            tokenizer.chat_template = PLAIN_CHAT
        self.tokenizer = tokenizer
        self.source = tokenizer.chat_template
        self.day = day or today()
        self.former = former
        self.refusals: dict[Any, str | None] = {}
        self.openings: dict[Any, Any] = {}

    # -- writing -----------------------------------------------------------------------------------
    def write(
        self,
        messages: Sequence[Message],
        tools: Tools = (),
        *,
        prompt: bool = False,
        **options: Any,
    ) -> str:
        """A conversation as the template writes it, whatever it makes of it.

        Args:
            messages: the messages, in the form of the template, see :func:`fitted`.
            tools: the tools that the model may call.
            prompt: whether the beginning of an answer follows.
            options: further variables of the template.

        Raises:
            TemplateRefusal: the template raises an error, with its reason.
        """
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    [plain(message) for message in messages],
                    tools=list(tools) or None,
                    chat_template=self.text(tools),
                    add_generation_prompt=prompt,
                    tokenize=False,
                    **self.variables(options),
                )
            )
        except Exception as error:  # a template raises what it likes
            raise TemplateRefusal(_reason(error)) from error

    def variables(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of the template: the date is that of :attr:`day`, and thoughts are off."""
        if self.former:
            return dict(options)
        return {"enable_thinking": False, "parts_of_the_day": self._parts, **options}

    def text(self, tools: Tools = ()) -> str:
        """The template itself, which is told the date of :attr:`day` where it asks for it.

        Args:
            tools: the tools that the model may call: some tokenizers have a template for them.
        """
        source = str(self.tokenizer.get_chat_template(None, list(tools) or None))
        return source if self.former or "strftime_now" not in source else TOLD + source

    @cached_property
    def _parts(self) -> list[list[str]]:
        """What stands for each code of ``strftime``; a doubled percent sign is one in the end."""
        day, held = datetime.datetime.combine(self.day, datetime.time()), "\x00"
        codes = [[f"%{code}", day.strftime(f"%{code}")] for code in CODES]
        return [["%%", held], *codes, [held, "%"]]

    def refused(self, refusal: TemplateRefusal) -> DataError | ModelError:
        """The error of a conversation that the template does not write.

        Where it writes no other one either, the model is at fault.
        """
        if self.works:
            return DataError(f"the model's chat template refuses this conversation: {refusal}")
        return ModelError(
            f"the model's chat template cannot be used: {refusal}; take another model, or mend its "
            "chat_template"
        )

    # -- what it can write -------------------------------------------------------------------------
    @cached_property
    def works(self) -> bool:
        """Whether it writes a question at all."""
        return self._writes([user(MARK)])

    @cached_property
    def system(self) -> bool:
        """Whether a system message at the beginning is written."""
        return self._writes([said("system", MARK), user("hi")])

    @cached_property
    def system_between(self) -> bool:
        """Whether a system message is written where others stand before it."""
        turns = [user("hi"), said("assistant", "ho"), said("system", MARK), user("hi")]
        return self._writes(turns)

    @cached_property
    def developer(self) -> bool:
        """Whether the template knows the role ``developer``, rather than writing any role."""
        known = any("developer" in text for text in self._texts())
        return known and self._writes([said("developer", MARK), user("hi")])

    @cached_property
    def alternates(self) -> bool:
        """Whether two messages of one role must not follow each other."""
        return not self._writes([user(MARK), user("hi")])

    @cached_property
    def generation(self) -> bool:
        """Whether the template marks what an assistant writes, by ``{% generation %}``."""
        return any(_GENERATION.search(text) for text in self._texts())

    @cached_property
    def trims(self) -> bool:
        """Whether blanks around an answer are left out."""
        written = self._written([user("hi"), said("assistant", f"  {MARK}")], prompt=False)
        return written is not None and f"  {MARK}" not in written

    @cached_property
    def dated(self) -> bool:
        """Whether what the template writes depends on the date."""
        other = ChatTemplate(self.tokenizer, OTHER_DAY)
        later = OTHER_DAY + datetime.timedelta(400)
        conversation = [user("hi")]
        return other._written(conversation) != ChatTemplate(self.tokenizer, later)._written(
            conversation
        )

    @cached_property
    def reasoning(self) -> bool:
        """Whether the thoughts of an answer, its ``reasoning_content``, are written."""
        thought = {**said("assistant", "ho"), "reasoning_content": MARK}
        return self._writes([user("hi"), thought], prompt=False, enable_thinking=True)

    @cached_property
    def opens_thought(self) -> bool:
        """Whether every prompt ends with the beginning of a thought."""
        written = self._written([user(MARK)], enable_thinking=True)
        return written is not None and written.rstrip().endswith("<think>")

    @cached_property
    def tools(self) -> bool:
        """Whether the tools are written that the model may call."""
        return self._writes([user("hi")], [tool_named(MARK)])

    @cached_property
    def call_form(self) -> Callable[[Message], Message] | None:
        """How a message that calls tools must be given for the calls to be written.

        ``None``: in no way.
        """
        for form in (_as_is, _null_content, _text_arguments, _null_and_text):
            call = form(calling(f"{MARK}name", {f"{MARK}key": 1}))
            written = self._written([user("hi"), call], [tool_named("other")], prompt=False)
            if written and f"{MARK}name" in written and f"{MARK}key" in written:
                return form
        return None

    @cached_property
    def call_words(self) -> bool:
        """Whether the words beside a call are written."""
        form = self.call_form
        if form is None:
            return False
        call = form({**calling(f"{MARK}name", {}), "content": f"{MARK}words"})
        written = self._written([user("hi"), call], [tool_named("say")], prompt=False)
        return written is not None and f"{MARK}name" in written and f"{MARK}words" in written

    @cached_property
    def results(self) -> bool:
        """Whether the results of calls are written."""
        form = self.call_form
        if form is None:
            return False
        result = {"role": "tool", "name": "say", "tool_call_id": CALL_ID, "content": MARK}
        return self._writes([user("hi"), form(calling("say", {})), result], [tool_named("say")])

    # -- asking ------------------------------------------------------------------------------------
    def _texts(self) -> list[str]:
        """The text of the template, or of each where there are several."""
        return list(self.source.values()) if isinstance(self.source, dict) else [str(self.source)]

    def _writes(
        self, messages: Sequence[Message], tools: Tools = (), *, prompt: bool = True, **options: Any
    ) -> bool:
        """Whether the mark in a conversation is written."""
        written = self._written(messages, tools, prompt=prompt, **options)
        return written is not None and MARK in written

    def _written(
        self, messages: Sequence[Message], tools: Tools = (), *, prompt: bool = True, **options: Any
    ) -> str | None:
        """What the template writes; ``None``: it refuses."""
        try:
            return self.write(messages, tools, prompt=prompt, **options)
        except TemplateRefusal:
            return None


def plain(message: Message) -> dict[str, Any]:
    """A message without what is no matter of the template."""
    return {key: value for key, value in message.items() if key != "weight"}


def _reason(error: Exception) -> str:
    said = " ".join(str(error).split())[:LONGEST_REASON].rstrip(".") or type(error).__name__
    kind = type(error).__name__
    return said if kind == "TemplateError" else f"{said} ({kind})"


# -- conversations to ask with ---------------------------------------------------------------------
def said(role: str, content: str) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": content}


def user(content: str) -> dict[str, Any]:
    """A question."""
    return said("user", content)


def tool_named(name: str) -> dict[str, Any]:
    """The description of a tool without arguments."""
    parameters = {"type": "object", "properties": {}, "required": []}
    function = {"name": name, "description": "says", "parameters": parameters}
    return {"type": "function", "function": function}


def calling(name: str, arguments: Mapping[str, Any], count: int = 1) -> dict[str, Any]:
    """An answer that calls a tool, ``count`` times."""
    function = {"name": name, "arguments": dict(arguments)}
    call = {"id": CALL_ID, "type": "function", "function": function}
    return {**said("assistant", ""), "tool_calls": [call] * count}


def of_shape(role: str, calls: int) -> dict[str, Any]:
    """A message of a role, with that many calls of tools."""
    if calls:
        return calling("say", {}, calls)
    if role == "tool":
        return {**said(role, "ho"), "name": "say", "tool_call_id": CALL_ID}
    return said(role, "hi")


# -- forms of calls --------------------------------------------------------------------------------
def _as_is(message: Message) -> Message:
    return message


def _null_content(message: Message) -> Message:
    return {**message, "content": message["content"] or None}


def _text_arguments(message: Message) -> Message:
    """Arguments as JSON text, as APIs return them."""
    import json

    def of(call: Mapping[str, Any]) -> dict[str, Any]:
        function = call["function"]
        text = json.dumps(function["arguments"], ensure_ascii=False)
        return {**call, "function": {**function, "arguments": text}}

    return {**message, "tool_calls": [of(call) for call in message["tool_calls"]]}


def _null_and_text(message: Message) -> Message:
    return _null_content(_text_arguments(message))


def call_ids(messages: Sequence[Message]) -> list[Message]:
    """Messages whose calls have identifiers that every template takes, and results that name them.

    A result without one answers the first call that is not answered yet.
    """
    numbers = itertools.count(1)
    names: dict[str, str] = {}
    waiting: list[str] = []
    found: list[Message] = []
    for message in messages:
        if message.get("tool_calls"):
            calls = []
            for call in message["tool_calls"]:
                own = f"call{next(numbers):05d}"
                names[str(call.get("id", own))] = own
                waiting.append(own)
                calls.append({**call, "id": own})
            message = {**message, "tool_calls": calls}
        elif message["role"] == "tool":
            own = names.get(str(message.get("tool_call_id")), "")
            own = own or (waiting[0] if waiting else CALL_ID)
            if own in waiting:
                waiting.remove(own)
            message = {**message, "tool_call_id": own}
        found.append(message)
    return found
