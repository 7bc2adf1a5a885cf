"""The label check: whether the tokens of each row's answer are that answer, and end it.

Rows that would be cut or never end are refused. Where a tokenizer does not keep some characters,
such as an old ligature, the rows are counted: what the model learns of them is another text. So are
rows whose texts name control tokens: these are read as ordinary characters.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.errors import DataError, PreflightError
from toolkit.formatting import rows_named
from toolkit.kinds.language.prompt import IGNORED, Renderer

UNREADABLE = 0.5
"""The share of rows with another text in their labels from which on the run ends."""


class LabelCheck:
    """Looks at rows one by one, and says at the end what is wrong with them.

    Args:
        renderer: makes the tokens.
    """

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self.prompts: list[tuple[Any, int]] = []
        self._broken: list[tuple[Any, str]] = []
        self._lost: list[tuple[Any, str]] = []
        self._named: list[tuple[Any, str]] = []

    def measured(self, row: Mapping[str, Any], example: Mapping[str, Any]) -> tuple[int, int]:
        """Tokens of a row's prompt and of its whole answer, which are looked at."""
        name = row.get("row_id", len(self.prompts) + 1)
        with of_row(name):
            prompt = self.renderer.prompt(example)
            answer = self.renderer.whole(example, prompt)
        self.prompts.append((name, len(prompt)))
        self._named += [(name, token) for token in self.renderer.control.held([example])[1][:1]]
        if problem := self.renderer.broken(example, prompt, answer):
            self._broken.append((name, problem))
        elif problem := self.renderer.lost(example, answer):
            self._lost.append((name, problem))
        return len(prompt), len(answer)

    def sentences(self) -> list[str]:
        """Warnings on the rows.

        Raises:
            PreflightError: a row cannot be trained on, or most rows say something else in tokens.
        """
        if self._broken:
            raise PreflightError(
                f"{rows_named([row for row, _ in self._broken])}: {self._broken[0][1]}; leave such "
                "rows out, or change their text"
            )
        return [*self._other_texts(), *self._control_names()]

    def _other_texts(self) -> list[str]:
        if not self._lost:
            return []
        sentence = (
            f"the answers of {len(self._lost):,} of {len(self.prompts):,} rows "
            f"({rows_named([row for row, _ in self._lost])}) have other tokens than their text: "
            f"{self._lost[0][1]}"
        )
        if len(self._lost) >= UNREADABLE * len(self.prompts):
            raise PreflightError(sentence)
        return [sentence]

    def _control_names(self) -> list[str]:
        if not self._named:
            return []
        return [
            f"{len(self._named):,} of {len(self.prompts):,} rows "
            f"({rows_named([row for row, _ in self._named])}) name control tokens such as "
            f"{self._named[0][1]!r} in their texts: they are read as ordinary characters, because "
            "data must not end or begin a turn; where turns are meant, give messages"
        ]


def encoded(
    renderer: Renderer, row: Mapping[str, Any], example: Mapping[str, Any]
) -> tuple[list[int], list[int]]:
    """Token ids and labels of a row, see :meth:`Renderer.example`.

    Raises:
        PreflightError: its answer would be cut, or would not end.
    """
    with of_row(row.get("row_id")):
        ids, labels = renderer.example(example)
    if problem := renderer.broken(example, ids, _last(labels)):
        raise PreflightError(f"{rows_named([row.get('row_id')])}: {problem}")
    return ids, labels


def _last(labels: Sequence[int]) -> Sequence[int]:
    """The labels of the answer: those behind the last token that has none."""
    start = next((at for at in range(len(labels), 0, -1) if labels[at - 1] == IGNORED), 0)
    return labels[start:]


@contextlib.contextmanager
def of_row(name: Any) -> Iterator[None]:
    """Within the block, an error of the data names the row that it is about."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{rows_named([name])}: {error}") from error
