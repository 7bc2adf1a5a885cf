"""The model of token classification: an encoder with a class for each token, read in windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit import Row
from toolkit.kinds import Encoder, LinearProbe, Progress
from toolkit_token_classification.outputs import Tagged
from toolkit_token_classification.spans import entities_of, tags_of
from toolkit_token_classification.task import TokenClassificationTask

if TYPE_CHECKING:
    import torch
    from datasets import Dataset

UNKNOWN = -100
"""The label of tokens that no loss counts: those around a text."""
LIMIT = 384
"""Tokens of a window where recipe and tokenizer set no lower limit."""
PROBE_TOKENS = 30_000
"""Tokens whose states the linear probe is fitted to."""
PROBE = "token_probe.safetensors"


@dataclass
class _Window:
    """Tokens of a text that are read together.

    Args:
        ids: with the special tokens around them.
        places: the characters of each token; (0, 0) of special ones.
    """

    ids: list[int]
    places: list[tuple[int, int]]


@dataclass
class _Read:
    """The scores of a text's tokens, each from the window that shows most around it.

    Args:
        scores: characters of a token → its logits, and how far the window's ends are.
    """

    scores: dict[tuple[int, int], tuple[int, np.ndarray]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, window: _Window, logits: np.ndarray, seconds: float) -> None:
        self.seconds += seconds
        for at, place in enumerate(window.places):
            margin = min(at, len(window.places) - 1 - at)
            if place[1] > place[0] and margin >= self.scores.get(place, (-1,))[0]:
                self.scores[place] = (margin, logits[at])


class TokenClassification(Encoder):
    """See :class:`toolkit.kinds.Encoder`. The base is a linear probe on the states of tokens."""

    task: TokenClassificationTask
    auto_class = "AutoModelForTokenClassification"
    task_type = "TOKEN_CLS"
    base_note = "a linear probe on the frozen encoder"
    needs = "a token-classification task needs an encoder such as BERT, RoBERTa or DistilBERT"
    windowed = True
    labels_tokens = True

    @property
    def outputs(self) -> int:
        return len(self.task.tags)

    def head_arguments(self) -> dict[str, Any]:
        tags = self.task.tags
        return {
            "num_labels": len(tags),
            "id2label": dict(enumerate(tags)),
            "label2id": {tag: i for i, tag in enumerate(tags)},
        }

    @property
    def max_length(self) -> int:
        return min(super().max_length or LIMIT, LIMIT)

    # -- rows --------------------------------------------------------------------------------------
    def _windows(self, text: str) -> list[_Window]:
        limit = self.max_length
        encoded = self.tokenizer(
            text, truncation=True, max_length=limit, stride=limit // 4,
            return_overflowing_tokens=True, return_offsets_mapping=True, verbose=False,
        )  # fmt: skip
        return [
            _Window(list(ids), [(int(a), int(b)) for a, b in places])
            for ids, places in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
        ]

    def lengths(self, rows: Dataset) -> Mapping[str, np.ndarray]:
        texts = [self.task.format_example(row)["text"] for row in rows]
        ids = self.tokenizer(texts, verbose=False)["input_ids"] if texts else []
        return {"text": np.array([len(one) for one in ids], dtype=np.int32)}

    def features(self, row: Row) -> list[dict[str, list[int]]]:
        text = self.task.format_example(row)["text"]
        return [{"input_ids": window.ids} for window in self._windows(text)]

    def _labels(
        self, window: _Window, text: str, entities: Sequence[Mapping[str, Any]]
    ) -> list[int]:
        numbers = {tag: i for i, tag in enumerate(self.task.tags)}
        return [
            UNKNOWN if tag is None else numbers.get(tag, UNKNOWN)
            for tag in tags_of(window.places, text, entities)
        ]

    def _trained_on(self, row: Row) -> list[tuple[_Window, list[int]]]:
        example = self.task.format_example(row)
        text, entities = example["text"], example["entities"] or ()
        return [(w, self._labels(w, text, entities)) for w in self._windows(text)]

    def tokenized(self, rows: Dataset) -> Dataset:
        import datasets

        columns: dict[str, list[Any]] = {"input_ids": [], "labels": [], "row_id": []}
        for row in rows:
            for window, labels in self._trained_on(row):
                columns["input_ids"].append(window.ids)
                columns["labels"].append(labels)
                columns["row_id"].append(row["row_id"])
        return datasets.Dataset.from_dict(columns)

    def explain(self, row: Row) -> list[dict[str, Any]]:
        window, labels = self._trained_on(row)[0]
        outside = (UNKNOWN, 0)
        return [
            {"text": text, "loss": label not in outside}
            for text, label in zip(self.pieces(window.ids), labels, strict=True)
        ]

    def target_of(self, row: Row) -> str | None:
        found = self.task.format_example(row)["entities"] or ()
        return (
            ", ".join(f"{e['label']} at {e['start']} to {e['end']}" for e in found) or "no entity"
        )

    def keepable(self, row: Row) -> Row:
        kept = dict(super().keepable(row))
        return {**kept, str(self.task.answer): []} if self.private else kept

    def loss(self, arguments: Any) -> Callable[[Any, torch.Tensor], torch.Tensor]:
        from torch.nn import functional

        smoothing = float(arguments.label_smoothing_factor)

        def summed(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
            return functional.cross_entropy(
                outputs.logits.float().flatten(0, 1), labels.flatten(), reduction="sum",
                ignore_index=UNKNOWN, label_smoothing=smoothing,
            )  # fmt: skip

        return summed

    # -- prediction --------------------------------------------------------------------------------
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Tagged]:
        texts = [str(self.task.format_example(row)["text"]) for row in rows]
        pieces = [(at, window) for at, text in enumerate(texts) for window in self._windows(text)]
        found = [_Read() for _ in rows]
        for i, logits, seconds in self._logits([window for _, window in pieces], adapter, progress):
            found[pieces[i][0]].add(pieces[i][1], logits, seconds)
        return [self._tagged(text, one) for text, one in zip(texts, found, strict=True)]

    def _logits(
        self, windows: Sequence[_Window], adapter: bool, progress: Progress | None
    ) -> Iterator[tuple[int, np.ndarray, float]]:
        read = [{"input_ids": window.ids} for window in windows]
        for batch, out, seconds in self.forward(read, adapter=adapter, progress=progress):
            for i, logits in zip(batch, out.logits.float().cpu().numpy(), strict=True):
                yield i, logits[: len(windows[i].ids)].astype(np.float64), seconds

    def _tagged(self, text: str, read: _Read) -> Tagged:
        places = sorted(read.scores)
        if not places:
            return Tagged(text, seconds=read.seconds)
        logits = np.stack([read.scores[place][1] for place in places])
        if not np.isfinite(logits).all():
            return Tagged(text, readable=False, seconds=read.seconds)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return Tagged(
            text, tuple(entities_of(text, places, shares, self.task.tags)), seconds=read.seconds
        )

    # -- the base ----------------------------------------------------------------------------------
    def fit_base(self, train: Dataset, folder: Path, validation: Dataset | None = None) -> None:
        self.begin_from(self.fitted(train))
        assert self.probe is not None
        self.probe.save(folder / PROBE)

    def load_base(self, folder: Path) -> None:
        if (folder / PROBE).is_file():
            self.begin_from(LinearProbe.load(folder / PROBE))

    def fitted_probe(self, train: Dataset) -> LinearProbe:
        """A logistic regression on what enters the head's last layer, of a sample of tokens."""
        states, labels = self._states(train)
        return LinearProbe.of_classes(states, labels, self.outputs)

    def _states(self, train: Dataset) -> tuple[np.ndarray, np.ndarray]:
        """States and labels of tokens of drawn rows, shapes (tokens, hidden) and (tokens,)."""
        windows: list[_Window] = []
        labels: list[list[int]] = []
        for at in np.random.default_rng(0).permutation(len(train)).tolist():
            for window, of_tokens in self._trained_on(train[at]):
                windows.append(window)
                labels.append(of_tokens)
            if sum(map(len, labels)) >= PROBE_TOKENS:
                break
        states: list[Any] = [None] * len(windows)
        with self.entering() as entered:
            read = [{"input_ids": window.ids} for window in windows]
            for batch, _, _ in self.forward(read, adapter=False):
                held = entered.pop().float().cpu().numpy()
                for i, state in zip(batch, held, strict=True):
                    states[i] = state[: len(windows[i].ids)]
        targets = np.concatenate([np.asarray(one) for one in labels])
        known = targets != UNKNOWN
        return np.concatenate(states)[known], targets[known]
