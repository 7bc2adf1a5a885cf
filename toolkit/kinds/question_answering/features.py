"""Questions and contexts → the windows that the model reads, with their answers' tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.errors import ModelError, RecipeError
from toolkit.kinds.question_answering.windows import Cells, Window, cells, windows

NONE = (0, 0)
"""Start and end of a window without the answer: the first token, which BERT calls [CLS]."""
CACHED = 8
"""Contexts whose tokens are cached: rows with the same context mostly follow one another."""


@dataclass(frozen=True)
class Pair:
    """How a model's inputs join a question and a context.

    Args:
        before, between, after: special tokens around them.
        segments: ``token_type_ids`` of (before, question, between, context, after), each a list
            for specials and one number for texts; ``None``: the model reads none.
    """

    before: list[int]
    between: list[int]
    after: list[int]
    segments: tuple[list[int], int, list[int], int, list[int]] | None

    @classmethod
    def of(cls, tokenizer: Any) -> Pair:
        """The form for a tokenizer, found from how it joins two words.

        Raises:
            ModelError: no special token precedes the question.
        """
        encoded = tokenizer("a", "a", return_token_type_ids=True)
        ids, parts = encoded["input_ids"], encoded.sequence_ids(0)
        types = encoded["token_type_ids"]
        one = [i for i, part in enumerate(parts) if part == 0]
        two = [i for i, part in enumerate(parts) if part == 1]
        if not one or not two or parts[0] is not None:
            raise ModelError(
                'this tokenizer puts no special token before a question, which stands for "no '
                'answer"; give --model an encoder such as BERT, RoBERTa or DistilBERT'
            )
        places = (
            slice(0, one[0]), one[0], slice(one[-1] + 1, two[0]), two[0], slice(two[-1] + 1, None),
        )  # fmt: skip
        segments = tuple(types[place] for place in places)
        read = "token_type_ids" in tokenizer.model_input_names
        return cls(ids[places[0]], ids[places[2]], ids[places[4]], segments if read else None)

    @property
    def length(self) -> int:
        """How many special tokens there are."""
        return len(self.before) + len(self.between) + len(self.after)

    def join(self, question: Sequence[int], context: Sequence[int]) -> dict[str, list[int]]:
        """The inputs of one window."""
        ids = [*self.before, *question, *self.between, *context, *self.after]
        if self.segments is None:
            return {"input_ids": ids}
        before, one, between, two, after = self.segments
        types = [*before, *[one] * len(question), *between, *[two] * len(context), *after]
        return {"input_ids": ids, "token_type_ids": types}


@dataclass(frozen=True)
class Piece:
    """One window of a context, as the model reads it.

    Args:
        features: its inputs.
        window: its tokens of the context.
        offset: where the context begins among the inputs.
    """

    features: dict[str, list[int]]
    window: Window
    offset: int

    def labels(self, answer: tuple[int, int] | None) -> tuple[int, int]:
        """Indices of the answer's first and last input token; :data:`NONE` where it is not whole.

        Args:
            answer: its first and last token in the context; ``None``: there is no answer.
        """
        if answer is None or answer[0] < self.window.start or answer[1] >= self.window.stop:
            return NONE
        shift = self.offset - self.window.start
        return answer[0] + shift, answer[1] + shift


def first_answer(cells: Cells, answers: Mapping[str, Sequence[Any]]) -> tuple[int, int] | None:
    """First and last token of the first of SQuAD's ``answers`` that has tokens."""
    for text, start in zip(answers["text"], answers["answer_start"], strict=True):
        begin = start + len(text) - len(text.lstrip())
        found = cells.tokens(begin, start + len(text.rstrip()))
        if found is not None:
            return found
    return None


@dataclass(frozen=True)
class Read:
    """A row as the model reads it: its context, the context's tokens, and the windows."""

    context: str
    cells: Cells
    pieces: list[Piece]

    def answer(self, answers: Mapping[str, Sequence[Any]]) -> tuple[int, int] | None:
        """First and last token of the first answer that has tokens."""
        return first_answer(self.cells, answers)


class Reader:
    """Turns examples into windows.

    Args:
        tokenizer: a fast tokenizer.
        max_length: tokens of a window with its question and special tokens.
        stride: tokens that neighbouring windows share.
        longest_question: the most tokens of a question; a longer one loses its end.
    """

    def __init__(
        self, tokenizer: Any, *, max_length: int, stride: int, longest_question: int
    ) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise ModelError(
                "question answering needs a fast tokenizer, which gives the characters of each "
                "token; this model has none"
            )
        self.tokenizer = tokenizer
        self.pair = Pair.of(tokenizer)
        self.max_length = max_length
        self.stride = stride
        self.longest_question = longest_question
        if max_length - self.pair.length < 3:
            raise RecipeError(f"training.max_length={max_length} leaves no room for a context")
        self._contexts: dict[str, tuple[list[int], Cells]] = {}

    def question(self, text: str) -> list[int]:
        """A question's token ids, at most half of those that fit into a window."""
        room = max(1, (self.max_length - self.pair.length) // 2)
        ids: list[int] = self._encode(text)["input_ids"]
        return ids[: min(room, self.longest_question)]

    def context(self, text: str) -> tuple[list[int], Cells]:
        """A context's token ids, and the characters of each."""
        if text not in self._contexts:
            if len(self._contexts) >= CACHED:
                self._contexts.pop(next(iter(self._contexts)))
            encoded = self._encode(text)
            self._contexts[text] = encoded["input_ids"], cells(text, encoded["offset_mapping"])
        return self._contexts[text]

    def _encode(self, text: str) -> Any:
        return self.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )

    def read(self, example: Mapping[str, Any]) -> Read:
        """All windows of an example (``question`` and ``context``)."""
        question = self.question(example["question"])
        ids, found = self.context(example["context"])
        size = self.max_length - self.pair.length - len(question)
        stride = min(self.stride, size // 2)
        offset = len(self.pair.before) + len(question) + len(self.pair.between)
        pieces = [
            Piece(self.pair.join(question, ids[w.start : w.stop]), w, offset)
            for w in windows(len(ids), size, stride)
        ]
        return Read(example["context"], found, pieces)
