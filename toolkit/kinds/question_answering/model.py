"""The question-answering kind: question and context in, start and end logits out, in windows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import RecipeError
from toolkit.kinds import checkpoint_ensemble
from toolkit.kinds.base import Progress
from toolkit.kinds.encoder import head as heads
from toolkit.kinds.encoder.linear_probe import LinearProbe
from toolkit.kinds.encoder.model import Encoder
from toolkit.kinds.question_answering.features import NONE, Piece, Read, Reader, first_answer
from toolkit.kinds.question_answering.linear_probe import SpanProbe
from toolkit.kinds.question_answering.outputs import Answered
from toolkit.kinds.question_answering.spans import Collected
from toolkit.kinds.question_answering.task import QuestionAnsweringTask
from toolkit.models import adapters
from toolkit.recipe import Recipe
from toolkit.system import distributed
from toolkit.task import Row

if TYPE_CHECKING:
    import torch
    from datasets import Dataset

LIMIT = 384
"""Tokens of a window where recipe and tokenizer set no lower limit; BERT's value for SQuAD."""
PIECES = 2_048
"""Windows that are in memory at the same time, whatever the number and length of the rows."""
EMPTY_WINDOWS = 2
"""Windows without the answer that are trained on for each row: a long context has dozens, and a
model that is trained on all of them learns to predict that there is no answer."""
PROBE_TOKENS = 60_000
"""Tokens whose states the linear probe is fitted to: 45 MB of half floats for 384 columns."""
PROBE = "span_probe.safetensors"
UNTRAINED = "untrained-head"
"""The name of the base with its head as it was drawn at random."""


class QuestionAnswering(Encoder):
    """See :class:`~toolkit.kinds.encoder.model.Encoder`.

    The base is a linear probe in the head: two linear functions of the untouched encoder's states,
    one for the start and one for the end. The same encoder with its random head is a system of its
    own.
    """

    task: QuestionAnsweringTask
    auto_class = "AutoModelForQuestionAnswering"
    task_type = "QUESTION_ANS"
    base_note = "a linear probe on the frozen encoder"
    windowed = True

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._random_head: LinearProbe | None = None
        self.variant: str | None = None
        self._reader: Reader | None = None
        self._members: list[str] = []

    # -- arguments and limits ----------------------------------------------------------------------
    @classmethod
    def training_arguments(cls) -> type:
        from toolkit.kinds.question_answering.arguments import QuestionAnsweringArguments

        return QuestionAnsweringArguments

    def head_arguments(self) -> dict[str, Any]:
        return {}

    @property
    def unread(self) -> tuple[str, ...]:
        # PeftModelForQuestionAnswering does not pass them on (PEFT 0.21), neither while training
        # nor to those who load the adapter with plain PEFT.
        return () if self.full else ("token_type_ids",)

    @property
    def outputs(self) -> int:
        return 2  # the start and the end

    @property
    def max_length(self) -> int:
        requested = self.recipe.training.get("max_length") or LIMIT
        return min(int(requested), int(self.tokenizer.model_max_length))

    @property
    def longest_answer(self) -> int:
        """Tokens of the longest span that is looked for."""
        return self._training_field("max_answer_tokens", 30)

    def _training_field(self, name: str, default: int) -> int:
        """A field of the recipe's ``[training]``, which must be at least 1."""
        value = int(self.recipe.training.get(name, default))
        if value < 1:
            raise RecipeError(f"training.{name} is {value}; it must be at least 1")
        return value

    @property
    def ensemble(self) -> int:
        """How many checkpoints form the ensemble; 0: there is none."""
        return checkpoint_ensemble.wanted(self.task, self.recipe)

    @property
    def reader(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(
                self.tokenizer,
                max_length=self.max_length,
                stride=max(self._training_field("doc_stride", 128), 2 * self.longest_answer),
                longest_question=self._training_field("max_question_tokens", 64),
            )
        return self._reader

    # -- rows --------------------------------------------------------------------------------------
    def keepable(self, row: Row) -> Row:
        kept = dict(super().keepable(row))
        return {**kept, "answers": {"text": [], "answer_start": []}} if self.private else kept

    def _read(self, row: Row) -> Read:
        return self.reader.read(self.task.format_example(row))

    def lengths(self, rows: Dataset) -> Mapping[str, np.ndarray]:
        questions = np.empty(len(rows), dtype=np.int32)
        contexts = np.empty(len(rows), dtype=np.int32)
        for i, row in enumerate(rows):
            example = self.task.format_example(row)
            questions[i] = len(self.reader.question(example["question"])) + self.reader.pair.length
            contexts[i] = len(self.reader.context(example["context"])[0])
        return {"question": questions, "context": contexts}

    def cautions(self, rows: Dataset) -> list[str]:
        """A sentence on answers that are longer than the longest span that is looked for."""
        limit = self.longest_answer
        lengths: list[int] = []
        for row in rows:
            example = self.task.format_example(row)
            if example["answers"]["text"]:
                _, found = self.reader.context(example["context"])
                first, last = first_answer(found, example["answers"]) or NONE
                lengths.append(last - first + 1)
        long = sum(length > limit for length in lengths)
        if not long:
            return []
        share = long / len(lengths)
        return [
            f"{long:,} of {len(lengths):,} answers ({share:.1%}) have more than {limit} tokens and "
            f"cannot be given whole; the longest has {max(lengths)} "
            "(--set training.max_answer_tokens=…)"
        ]

    def features(self, row: Row) -> list[dict[str, list[int]]]:
        return [piece.features for piece in self._read(row).pieces]

    def explain(self, row: Row) -> list[dict[str, Any]]:
        piece, (start, end) = self.first_piece(row)
        ids = piece.features["input_ids"]
        answer = range(start, end + 1) if (start, end) != NONE else range(0)
        return [{"text": t, "loss": at in answer} for at, t in enumerate(self.pieces(ids))]

    def target_of(self, row: Row) -> str | None:
        _, (start, end) = self.first_piece(row)
        if (start, end) == NONE:
            return "start and end on the first token: there is no answer"
        return f"start on token {start + 1} and end on token {end + 1}"

    def first_piece(self, row: Row) -> tuple[Piece, tuple[int, int]]:
        """The first window with the answer, or the first of all, and its labels."""
        labelled = self._labelled(row)
        return next((one for one in labelled if one[1] != NONE), labelled[0])

    def _labelled(self, row: Row) -> list[tuple[Piece, tuple[int, int]]]:
        read = self._read(row)
        answer = read.answer(self.task.format_example(row)["answers"])
        return [(piece, piece.labels(answer)) for piece in read.pieces]

    def tokenized(self, rows: Dataset) -> Dataset:
        import datasets

        columns: dict[str, list[Any]] = {"labels": [], "row_id": []}
        for row in rows:
            for piece, labels in self._trained_on(row):
                columns["labels"].append(list(labels))
                columns["row_id"].append(row["row_id"])
                for name, values in piece.features.items():
                    columns.setdefault(name, []).append(values)
        return datasets.Dataset.from_dict(columns)

    def _trained_on(self, row: Row) -> list[tuple[Piece, tuple[int, int]]]:
        """A row's windows with their labels; only some of those without the answer."""
        labelled = self._labelled(row)
        empty = [i for i, (_, labels) in enumerate(labelled) if labels == NONE]
        if len(empty) > EMPTY_WINDOWS:
            random = np.random.default_rng((self.seed, int(row["row_id"])))
            left_out = set(empty) - set(random.choice(empty, EMPTY_WINDOWS, replace=False).tolist())
            labelled = [one for i, one in enumerate(labelled) if i not in left_out]
        return labelled

    def loss(self, arguments: Any) -> Callable[[Any, torch.Tensor], torch.Tensor]:
        from torch.nn import functional

        smoothing = float(arguments.label_smoothing_factor)

        def summed(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
            logits = (outputs.start_logits, outputs.end_logits)
            return sum(  # type: ignore[return-value]
                functional.cross_entropy(
                    side.float(), labels[:, at], reduction="sum", label_smoothing=smoothing
                )
                for at, side in enumerate(logits)
            )

        return summed

    # -- prediction --------------------------------------------------------------------------------
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Answered]:
        """An output for each row; memory holds :data:`PIECES` windows, or those of one row."""
        outputs: list[Answered] = []
        for read in self._chunks(rows):
            outputs += self._answers(read, adapter)
            if progress:
                progress(len(outputs), len(rows))
        return outputs

    def _chunks(self, rows: Sequence[Row]) -> Iterator[list[Read]]:
        held: list[Read] = []
        pieces = 0
        for row in rows:
            held.append(self._read(row))
            pieces += len(held[-1].pieces)
            if pieces >= PIECES:
                yield held
                held, pieces = [], 0
        if held:
            yield held

    def _answers(self, rows: Sequence[Read], adapter: bool) -> list[Answered]:
        found = [Collected(row.context, row.cells, self.longest_answer) for row in rows]
        pieces = [(at, piece) for at, row in enumerate(rows) for piece in row.pieces]
        for i, logits, seconds in self._logits([piece for _, piece in pieces], adapter):
            at, piece = pieces[i]
            window, offset = piece.window, piece.offset
            own = slice(offset, offset + window.stop - window.start)
            null = float(logits[0, 0] + logits[1, 0])
            found[at].add(window, logits[0, own], logits[1, own], null, seconds)
        return [one.output() for one in found]

    def _logits(
        self, pieces: Sequence[Piece], adapter: bool
    ) -> Iterator[tuple[int, np.ndarray, float]]:
        """Each window's index, start and end logits, shape (2, its tokens or more), and seconds."""
        features = [piece.features for piece in pieces]
        if adapter and self.variant == checkpoint_ensemble.MEMBERS:
            yield from self._ensemble_logits(features)
            return
        for batch, out, seconds in self.forward(features, adapter=adapter):
            stacked = np.stack(
                [s.float().cpu().numpy() for s in (out.start_logits, out.end_logits)], axis=1
            )
            for i, logits in zip(batch, stacked.astype(np.float64), strict=True):
                yield i, logits, seconds

    def _ensemble_logits(
        self, features: Sequence[Mapping[str, Sequence[int]]]
    ) -> Iterator[tuple[int, np.ndarray, float]]:
        """As :meth:`_logits`: the mean of the logits of the ensemble's members."""
        total: list[np.ndarray | None] = [None] * len(features)
        spent = np.zeros(len(features))
        try:
            for name in self._members:
                self.tuned.set_adapter(name)
                for batch, out, seconds in self.forward(features, adapter=True):
                    for i, *sides in zip(batch, out.start_logits, out.end_logits, strict=True):
                        logits = np.stack([s.float().cpu().numpy() for s in sides])
                        before = total[i]
                        total[i] = logits if before is None else before + logits
                        spent[i] += seconds
        finally:
            self.tuned.set_adapter("default")
        for i, summed in enumerate(total):
            assert summed is not None
            yield i, summed.astype(np.float64) / len(self._members), float(spent[i])

    # -- further systems ---------------------------------------------------------------------------
    def variants(self, *, adapter: bool) -> Mapping[str, str]:
        if not adapter:
            return {UNTRAINED: "the untouched encoder with a random head"}
        if not self._members:
            return {}
        return {"ensemble": f"{len(self._members)} checkpoints of one training, mean of logits"}

    @contextlib.contextmanager
    def as_variant(self, name: str) -> Iterator[None]:
        self.variant = checkpoint_ensemble.MEMBERS if name == "ensemble" else name
        self.load()
        layer, untrained = self.layer(self.model), self._random_head
        swap = self.probe is not None and untrained is not None and name == UNTRAINED
        try:
            if swap and untrained is not None:
                heads.put(self.model, layer, untrained)
            yield
        finally:
            self.variant = None
            if swap and self.probe is not None:
                heads.put(self.model, layer, self.probe)

    def load_adapter(self, folder: Path) -> None:
        super().load_adapter(folder)
        self._members = []
        for member in checkpoint_ensemble.kept(folder, self.ensemble):
            adapters.checked_folder(member)
            self.tuned.load_adapter(str(member), adapter_name=member.name)
            self._members.append(member.name)
        self.tuned.eval()
        if self._members:
            self.tuned.set_adapter("default")

    def saving(self, recipe: Recipe) -> Recipe:
        # One more than the ensemble takes: the best may be the start, which is no member.
        count = checkpoint_ensemble.wanted(self.task, recipe)
        return checkpoint_ensemble.saving(recipe, count + 1 if count else 0)

    def after_training(self, recipe: Recipe, checkpoints: Path, adapter: Path) -> None:
        count = checkpoint_ensemble.wanted(self.task, recipe)
        if count and distributed.first():
            checkpoint_ensemble.keep(checkpoints, adapter, count, recipe.model)

    # -- the base ----------------------------------------------------------------------------------
    def fit_base(self, train: Dataset, folder: Path, validation: Dataset | None = None) -> None:
        self.begin_from(self.fitted(train))
        assert self.probe is not None
        self.probe.save(folder / PROBE)

    def load_base(self, folder: Path) -> None:
        if (folder / PROBE).is_file():
            self.begin_from(SpanProbe.load(folder / PROBE))

    def begin_from(self, probe: LinearProbe) -> None:
        self.load()
        if self.probe is None:
            self._random_head = heads.weights(self.model, self.layer(self.model))
        super().begin_from(probe)

    def fitted_probe(self, train: Dataset) -> SpanProbe:
        return SpanProbe.fit(*self._states(train))

    def _states(self, train: Dataset) -> tuple[list[np.ndarray], np.ndarray]:
        """What the linear probe is fitted to: what enters the head's last layer.

        Returns:
            For each of some windows an array of half floats of shape (tokens, hidden), and the
            labels of all of them, shape (windows, 2).
        """
        self.load()
        features, labels = self._drawn(train)
        states: list[Any] = [None] * len(features)
        with heads.entering(self.model, self.layer(self.model)) as entered:
            for batch, _, _ in self.forward(features, adapter=False):
                held = entered.pop().float().cpu().numpy()
                for i, state in zip(batch, held, strict=True):
                    states[i] = state[: len(features[i]["input_ids"])].astype(np.float16)
        return states, labels

    def _drawn(self, train: Dataset) -> tuple[list[Any], np.ndarray]:
        """Windows of randomly drawn training rows, and their labels, shape (windows, 2)."""
        features: list[Any] = []
        labels: list[tuple[int, int]] = []
        tokens = 0
        for at in np.random.default_rng(0).permutation(len(train)).tolist():
            piece, target = self.first_piece(train[at])
            features.append(piece.features)
            labels.append(target)
            tokens += len(piece.features["input_ids"])
            if tokens >= PROBE_TOKENS:
                break
        return features, np.asarray(labels)
