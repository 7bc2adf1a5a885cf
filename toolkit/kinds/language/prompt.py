"""The only place where prompts become tokens, for training, evaluation, playground and serving.

Where a prompt is rendered in several places, these drift apart, and accuracy can fall by half
unnoticed. Here :class:`Renderer` renders all prompts.
"""

from __future__ import annotations

import bisect
import contextlib
import dataclasses
import datetime
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.errors import PreflightError
from toolkit.formatting import differing
from toolkit.kinds.language import chat, turns
from toolkit.kinds.language.chat import PLAIN_CHAT as PLAIN_CHAT
from toolkit.kinds.language.chat import ChatTemplate
from toolkit.kinds.language.control import ControlTokens
from toolkit.models.limits import Limits, added, stops_of

IGNORED = -100


class Renderer:
    """Prompts and completions as token ids, for one tokenizer.

    Args:
        tokenizer: a transformers tokenizer.
        limits: what the model's files say of its stop tokens; by default the tokenizer's end is
            the only one.

    Raises:
        ModelError: no token ends a text.
    """

    def __init__(self, tokenizer: Any, limits: Limits | None = None) -> None:
        limits = limits or Limits(stops_of(tokenizer, None, None))
        self.tokenizer = tokenizer
        self.end = limits.end(tokenizer)
        self.stops = frozenset({*limits.stops, self.end})
        # A word that somebody made a stop token is part of a text, which must not be cut there.
        self._ends = self.stops & {self.end, *added(tokenizer)}
        self.control = ControlTokens(tokenizer, sorted(self._ends))
        self._day, self._former = chat.today(), False
        self._chat: ChatTemplate | None = None

    # -- the chat template -------------------------------------------------------------------------
    @property
    def chat(self) -> ChatTemplate:
        """The tokenizer's chat template, with the date that it is told."""
        if self._chat is None or self._chat.source != self.tokenizer.chat_template:
            self._chat = ChatTemplate(self.tokenizer, self._day, former=self._former)
        return self._chat

    def tell(self, day: datetime.date | None, *, former: bool = False) -> None:
        """Have the template told a date, see :class:`~toolkit.kinds.language.chat.ChatTemplate`."""
        self._day, self._former = day or chat.today(), former
        self._chat = None

    @contextlib.contextmanager
    def as_told(self) -> Iterator[None]:
        """Within the block the template may be told another date; afterwards it is the present."""
        day, former = self._day, self._former
        try:
            yield
        finally:
            self.tell(day, former=former)

    def _talk(self, example: Mapping[str, Any]) -> tuple[turns.Conversation, list[str]]:
        """An example's conversation, in which marks hold the names of control tokens."""
        talk = turns.conversation(self.chat, example)
        parts = [list(talk.before), list(talk.answer), list(talk.tools)]
        (before, answer, tools), names = self.control.held(parts)
        return dataclasses.replace(talk, before=before, answer=answer, tools=tools), names

    # -- tokens ------------------------------------------------------------------------------------
    def prompt(self, example: Mapping[str, Any]) -> list[int]:
        """Token ids of the prompt, with at most one BOS and no EOS, shape (tokens,)."""
        prompt = example["prompt"]
        if isinstance(prompt, str):
            return self._strip_eos(self.control.encode(prompt))
        talk, names = self._talk({**example, "completion": []})
        return self.control.rendered(turns.prompt(self.chat, talk), names)

    def example(
        self, example: Mapping[str, Any], *, last: bool = False
    ) -> tuple[list[int], list[int]]:
        """Token ids and labels of prompt and completion; labels are -100 where nothing is learned.

        Args:
            example: the example. In a prompt of messages, answers with a ``weight`` above 0 are
                learned as well.
            last: whether the completion alone has labels.
        """
        prompt = self.prompt(example)
        completion = self.completion(example, prompt)
        labels = [IGNORED] * len(prompt)
        if not last and not isinstance(example["prompt"], str):
            self._label_earlier(example, prompt, labels)
        return prompt + completion, labels + completion

    def _label_earlier(
        self, example: Mapping[str, Any], prompt: Sequence[int], labels: list[int]
    ) -> None:
        """Fill in the labels of the prompt's answers that are learned."""
        if not any(message.get("weight") for message in example["prompt"]):
            return
        talk, names = self._talk({**example, "completion": []})
        text = turns.prompt(self.chat, talk)
        spans = turns.earlier(self.chat, talk, text)
        places = self._tokens_until(text, names, prompt, [at for span in spans for at in span])
        for start, end in zip(places[::2], places[1::2], strict=True):
            labels[start:end] = prompt[start:end]

    def _tokens_until(
        self, text: str, names: Sequence[str], ids: Sequence[int], places: Sequence[int]
    ) -> list[int]:
        """How many tokens of a rendered text end at or before each of some places in it.

        Args:
            text: the text.
            names: what the marks in it stand for.
            ids: its token ids.
            places: numbers of characters.
        """
        if not names and self.tokenizer.is_fast:
            read = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            if list(read["input_ids"]) == list(ids):
                ends = [end for _, end in read["offset_mapping"]]
                return [bisect.bisect_right(ends, at) for at in places]
        return [turns.shared(self.control.rendered(text[:at], names), ids) for at in places]

    def completion(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        """Token ids of the completion that follows the prompt's, ending with a stop token."""
        if isinstance(example["prompt"], str):
            ids = self.continuation(example["prompt"], example["completion"], prompt)
            return [*ids, self.end]
        answer = example["completion"]
        ids = self._answer(example, prompt)
        # A chat template may put a newline behind its end of turn; the model stops before.
        ends = [at for at, token in enumerate(ids) if token in self._ends]
        if not ends:
            return [*ids, self.end]
        return ids[: (ends[0] if len(answer) == 1 else ends[-1]) + 1]

    def _answer(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        """Token ids of what the template writes behind the prompt."""
        talk, names = self._talk(example)
        asked = turns.prompt(self.chat, talk)
        rest = turns.answer(self.chat, talk, asked)
        full = self.control.rendered(asked + rest, names)
        if full[: len(prompt)] == list(prompt):
            return full[len(prompt) :]
        # A token spans the border; as in continuation(), the answer is tokenized by itself.
        return self.control.rendered(rest, names)

    def whole(self, example: Mapping[str, Any], prompt: Sequence[int]) -> list[int]:
        """As :meth:`completion`, but never cut."""
        return self.completion(example, prompt)

    def continuation(self, prompt: str, completion: str, prompt_ids: Sequence[int]) -> list[int]:
        """Token ids of a completion as it continues a prompt's ids, without its end.

        Both are tokenized together where that leaves the prompt's tokens as they are, so that a
        completion gets the tokens that it has in running text. Where a token would span the border,
        the completion is tokenized by itself: in prediction the model gets exactly these prompt
        ids.
        """
        full = self._strip_eos(self.control.encode(prompt + completion))
        if full[: len(prompt_ids)] == list(prompt_ids):
            return full[len(prompt_ids) :]
        return self.control.encode(completion, add_special_tokens=False)

    def explain(self, example: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Each token's text, and whether the loss includes it."""
        ids, labels = self.example(example)
        texts = self.tokenizer.batch_decode([[i] for i in ids])
        return [{"text": t, "loss": b != IGNORED} for t, b in zip(texts, labels, strict=True)]

    def passages(self, example: Mapping[str, Any]) -> list[dict[str, Any]]:
        """As :meth:`explain`, but tokens that are treated alike are decoded together.

        A letter of several bytes can be several tokens, which say nothing one by one.
        """
        ids, labels = self.example(example)
        return self._passages(ids, [label != IGNORED for label in labels])

    def _passages(self, ids: Sequence[int], losses: Sequence[bool]) -> list[dict[str, Any]]:
        unknown = self.tokenizer.unk_token_id

        def alike(token: tuple[int, bool]) -> tuple[bool, bool]:
            return token[1], unknown is not None and token[0] == unknown

        return [
            {"text": self.tokenizer.decode([i for i, _ in run]), "loss": loss, "unknown": unread}
            for (loss, unread), run in itertools.groupby(zip(ids, losses, strict=True), alike)
        ]

    def check(self, example: Mapping[str, Any]) -> None:
        """Check what must hold for every example; raises :class:`PreflightError`.

        The labelled tokens decode to the completion and end with a stop token, the only one in
        them, and the prompt begins with at most one BOS.
        """
        prompt = self.prompt(example)
        completion = self.completion(example, prompt)
        if problem := self.broken(example, prompt, completion) or self.lost(example, completion):
            raise PreflightError(problem)

    def broken(
        self, example: Mapping[str, Any], prompt: Sequence[int], completion: Sequence[int]
    ) -> str:
        """Why a row cannot be trained on; empty: it can.

        Args:
            example: the example.
            prompt, completion: its token ids.
        """
        if completion[-1] not in self.stops:
            return "the completion does not end with an end-of-sequence token"
        one = isinstance(example.get("completion", ""), str) or len(example["completion"]) == 1
        early = next((i for i in completion[:-1] if i in self.stops), None)
        if one and early is not None:
            text = self.tokenizer.convert_ids_to_tokens(early)
            return f"the answer holds {text!r}, at which the model stops: it would be cut there"
        doubled = self._leading_bos(prompt)
        return f"the prompt begins with {doubled} BOS tokens" if doubled > 1 else ""

    def _leading_bos(self, ids: Sequence[int]) -> int:
        """How often BOS stands at the beginning; templates may use it as the mark of a turn."""
        bos = self.tokenizer.bos_token_id
        return sum(1 for _ in itertools.takewhile(lambda i: bos is not None and i == bos, ids))

    def lost(self, example: Mapping[str, Any], completion: Sequence[int]) -> str:
        """What the tokenizer does not keep of a completion; empty: nothing is lost."""
        got = self.tokenizer.decode(completion[:-1], skip_special_tokens=True)
        wanted = example["completion"]
        if not isinstance(wanted, str):
            talk = turns.conversation(self.chat, example)
            if turns.written(talk, got):
                return ""
            wanted = str(talk.answer[-1]["content"])
        if got.strip() == wanted.strip():
            return ""
        got, wanted = differing(got.strip(), wanted.strip())
        return (
            f"the labelled tokens decode to {got!r}, the completion is {wanted!r}: this "
            "tokenizer does not keep the text; use another model or completion"
        )

    def digest(self, prompts: Sequence[Sequence[int]]) -> str:
        """A hash of rendered prompts, stored with an adapter: another rendering is refused."""
        return hashlib.sha256(json.dumps([list(p) for p in prompts]).encode()).hexdigest()

    def _strip_eos(self, ids: Sequence[int]) -> list[int]:
        ids = list(ids)
        if ids and ids[-1] == self.tokenizer.eos_token_id and len(ids) > 1:
            return ids[:-1]
        return ids
