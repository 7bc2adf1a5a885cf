"""The sequence-classification kind: one text in; a class, several labels or numbers out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import ModelError
from toolkit.kinds.base import Progress
from toolkit.kinds.encoder import head as heads
from toolkit.kinds.encoder.model import Encoder
from toolkit.kinds.sequence_classification import reading, reading_choice
from toolkit.kinds.sequence_classification.linear_probe import Probe
from toolkit.kinds.sequence_classification.outputs import Classified
from toolkit.kinds.sequence_classification.problems import Problem, problem_of
from toolkit.kinds.sequence_classification.reading import Reading, wanted
from toolkit.kinds.sequence_classification.task import SequenceClassificationTask
from toolkit.runs.files import read_json, write_json
from toolkit.task import Row

if TYPE_CHECKING:
    import torch
    from datasets import Dataset, DatasetDict

HEAD, PROBE = "head.safetensors", "probe.safetensors"
"""The files of the probe on the head's inputs, which is the base, and of the one on means."""
READING = "reading.json"
LABEL_ORDER = "label_order"
"""The key of ``toolkit.json`` with the output of the head for each of the task's labels, where a
model was trained elsewhere with the classes in another order."""
CLASS_WEIGHTS = "class_weights"
"""The option of tasks with classes, and the key of its numbers in the task's state."""


class SequenceClassification(Encoder):
    """See :class:`~toolkit.kinds.encoder.model.Encoder`.

    The base is a linear probe: the last layer of the head, fitted on what the untouched encoder
    (with the rest of the head, where there is one) passes to it. With a random layer a base would
    predict by chance, and every adapter would beat it. A second probe, on the means of all states
    of a text, is a baseline of its own: many encoders put more into the means than into the state
    that their head reads.
    """

    task: SequenceClassificationTask
    auto_class = "AutoModelForSequenceClassification"
    task_type = "SEQ_CLS"
    base_note = "a linear probe on the frozen encoder"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.mean_probe: Probe | None = None
        self.reading: Reading | None = None
        self.variant: str | None = None
        self.label_order: list[int] | None = None
        self._pads_otherwise = False
        self._seen: dict[tuple[int, ...], tuple[np.ndarray, float]] = {}

    @classmethod
    def training_arguments(cls) -> type:
        from toolkit.kinds.sequence_classification.arguments import SequenceClassificationArguments

        return SequenceClassificationArguments

    @property
    def outputs(self) -> int:
        return self.task.num_labels

    @property
    def max_length(self) -> int | None:
        limit = super().max_length
        if self.reading is None or self.reading.limit is None:
            return limit
        return self.reading.limit if limit is None else min(limit, self.reading.limit)

    # -- rows --------------------------------------------------------------------------------------
    @property
    def problem(self) -> Problem:
        """What the outputs of the head mean."""
        return problem_of(self.task)

    def head_arguments(self) -> dict[str, Any]:
        return self.problem.head_arguments()

    @property
    def truncated(self) -> str | None:
        return "text" if self.task.truncate else None

    @property
    def loses(self) -> str:
        return {
            "head": "its end (--set training.truncation=auto can keep it)",
            "head-tail": "its middle",
            "auto": "its end or its middle, whichever part predicts validation rows better",
        }[wanted(self.recipe)]

    def lengths(self, rows: Dataset) -> Mapping[str, np.ndarray]:
        texts = [self.task.format_example(row)["text"] for row in rows]
        return {
            "text": np.array([len(ids) for ids in self.token_ids(texts, cut=False)], dtype=np.int32)
        }

    def features(self, row: Row) -> list[dict[str, list[int]]]:
        return [{"input_ids": self.token_ids([self.task.format_example(row)["text"]])[0]}]

    def token_ids(self, texts: Sequence[str], *, cut: bool = True) -> list[list[int]]:
        """The tokens of texts, cut as :attr:`reading` says."""
        limit = self.max_length if cut and self.truncated else None
        truncation = self._truncation
        ids: list[list[int]] = self.tokenizer(
            list(texts),
            truncation=limit is not None and truncation == "head",
            max_length=limit,
            verbose=False,
        )["input_ids"]
        return [reading.cut(one, limit, truncation) for one in ids]

    @property
    def _truncation(self) -> str:
        """How texts are cut; while that is to be chosen, they lose their ends."""
        if self.reading is not None:
            return self.reading.truncation
        asked = reading.wanted(self.recipe)
        return "head" if asked == "auto" else asked

    def explain(self, row: Row) -> list[dict[str, Any]]:
        ids = self.features(row)[0]["input_ids"]
        return [{"text": text, "loss": False} for text in self.pieces(ids)]

    def target_of(self, row: Row) -> str | None:
        return self.problem.target(self.task.format_example(row)["label"])

    def tokenized(self, rows: Dataset) -> Dataset:
        import datasets

        examples, problem = [self.task.format_example(row) for row in rows], self.problem
        return datasets.Dataset.from_dict(
            {
                "input_ids": self.token_ids([e["text"] for e in examples]),
                "labels": [problem.label(e["label"]) for e in examples],
            }
        )

    @property
    def weights(self) -> Any:
        """What the option stands for, in the loss and in the linear probe; ``None``: nothing.

        For classes the weight of each, for labels those of rows without it and with it.
        """
        return self.task.state.get(CLASS_WEIGHTS)

    def fit_state(self, train: Dataset) -> dict[str, Any]:
        option = self.task.options.get(CLASS_WEIGHTS)
        if option is None:
            return {}
        return {CLASS_WEIGHTS: self.problem.weights(option, train)}

    def loss(self, arguments: Any) -> Callable[[Any, torch.Tensor], torch.Tensor]:
        return self.problem.loss(arguments, self.weights)

    # -- the model ---------------------------------------------------------------------------------
    def new_model(self) -> Any:
        model = super().new_model()
        if getattr(model.config, "is_encoder_decoder", False):
            self._check_ends(model.config.eos_token_id)
        # A decoder's head reads the last token that is not this one: the model must know what its
        # texts are padded with here, whatever its configuration names, if anything.
        self._pads_otherwise = model.config.pad_token_id != self.tokenizer.pad_token_id
        model.config.pad_token_id = self.tokenizer.pad_token_id
        return model

    def _check_ends(self, end: int | None) -> None:
        """Refuse a tokenizer that does not end texts with the token at which the head reads."""
        ids = self.token_ids(["text"])[0]
        if end is None or ids.count(end) != 1 or self.tokenizer.eos_token_id != end:
            raise ModelError(
                f"{self.recipe.model!r} is an encoder-decoder, which classifies at the "
                "end-of-sequence token, and its tokenizer puts none behind a text; give --model an "
                "encoder such as BERT"
            )

    # -- prediction --------------------------------------------------------------------------------
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Classified]:
        texts = [self.task.format_example(row)["text"] for row in rows]
        features = [{"input_ids": ids} for ids in (self.token_ids(texts) if texts else ())]
        if not adapter and (self.variant or self.probe is None) and self.mean_probe is not None:
            return self._by_means(features, progress)
        results: list[Classified | None] = [None] * len(features)
        # Before training, the base and the probe on means predict the same rows in turn.
        keep = not adapter and self.tuned is None and self.mean_probe is not None
        with self._hidden_states(keep) as hidden:
            for batch, out, seconds in self.forward(features, adapter=adapter, progress=progress):
                for i, logits in zip(batch, out.logits.float().cpu().numpy(), strict=True):
                    own = logits[self.label_order] if adapter and self.label_order else logits
                    results[i] = self.output_of(own, seconds)
                if keep:
                    for i, mean in zip(batch, _means(hidden, features, batch), strict=True):
                        self._seen[tuple(features[i]["input_ids"])] = (mean, seconds)
        return [result for result in results if result is not None]

    def output_of(self, logits: np.ndarray, seconds: float) -> Classified:
        return self.problem.output(logits, seconds)

    def _by_means(
        self, features: Sequence[Mapping[str, Sequence[int]]], progress: Progress | None
    ) -> list[Classified]:
        assert self.mean_probe is not None
        keys = [tuple(piece["input_ids"]) for piece in features]
        new = [piece for key, piece in zip(keys, features, strict=True) if key not in self._seen]
        found = dict(self._seen)
        with self._hidden_states(bool(new)) as hidden:
            for batch, _, seconds in self.forward(new, adapter=False, progress=progress):
                for i, mean in zip(batch, _means(hidden, new, batch), strict=True):
                    found[tuple(new[i]["input_ids"])] = (mean, seconds)
        if not features:
            return []
        logits = self.mean_probe.logits(np.stack([found[key][0] for key in keys]))
        return [self.output_of(one, found[key][1]) for one, key in zip(logits, keys, strict=True)]

    @contextlib.contextmanager
    def _hidden_states(self, wanted: bool = True) -> Iterator[list[Any]]:
        """Within the context, each pass of the base appends its last states to the list."""
        self.load()
        hidden: list[Any] = []
        if not wanted:
            yield hidden
            return
        hook = self.model.base_model.register_forward_hook(
            lambda module, given, out: hidden.append(out.last_hidden_state)
        )
        try:
            yield hidden
        finally:
            hook.remove()

    def drop_adapter(self) -> None:
        self._seen.clear()
        super().drop_adapter()

    # -- further systems ---------------------------------------------------------------------------
    def variants(self, *, adapter: bool) -> Mapping[str, str]:
        if adapter or self.mean_probe is None:
            return {}
        return {"mean-probe": "a linear probe on the means of the frozen encoder's states"}

    @contextlib.contextmanager
    def as_variant(self, name: str) -> Iterator[None]:
        self.variant = name
        try:
            yield
        finally:
            self.variant = None

    # -- the base ----------------------------------------------------------------------------------
    def fit_base(self, train: Dataset, folder: Path, validation: Dataset | None = None) -> None:
        if (folder / READING).is_file():  # a stopped run has predicted with it
            self.reading = Reading(**read_json(folder / READING))
        self.settle_reading(train, validation)
        write_json(folder / READING, self._settled.document())
        self.begin_from(self.fitted(train))
        assert self.probe is not None and self.mean_probe is not None
        self.probe.save(folder / HEAD)
        self.mean_probe.save(folder / PROBE)

    def load_base(self, folder: Path) -> None:
        if (folder / READING).is_file():
            self.reading = Reading(**read_json(folder / READING))
        # A run of an earlier version has a probe on means alone, which is then its base.
        if (folder / PROBE).is_file():
            self.mean_probe = Probe.load(folder / PROBE)
        if (folder / HEAD).is_file():
            self.begin_from(Probe.load(folder / HEAD))

    def fitted_probe(self, train: Dataset) -> Probe:
        few = train.select(Probe.sample(len(train)))
        encoded = self.tokenized(few)
        read = [{"input_ids": ids} for ids in encoded["input_ids"]]
        entering, means = self.states(read)
        labels = np.asarray(encoded["labels"])
        self.mean_probe = Probe.fit(
            means, labels, classes=self.problem.classes, weights=self.weights
        )
        return self.fit_head(entering, labels)

    def fit_head(self, states: np.ndarray, labels: np.ndarray) -> Probe:
        """A probe for the head's last layer, from what enters it."""
        bias = heads.has_bias(self.model, self.layer(self.model))
        return Probe.fit(
            states, labels, classes=self.problem.classes, intercept=bias, weights=self.weights
        )

    def states(
        self, features: Sequence[Mapping[str, Sequence[int]]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """What enters the head's last layer, and the means of the untouched encoder's states.

        Both have the shape (rows, hidden) and may be computed in bfloat16: a fit does not depend on
        the third digit.
        """
        self.load()
        both: list[tuple[np.ndarray, np.ndarray] | None] = [None] * len(features)
        passing = heads.passing(self.model, self.layer(self.model))
        with self._hidden_states() as hidden, passing:
            for batch, out, _ in self.forward(features, adapter=False, fast=True):
                entering = out.logits.float().cpu().numpy()
                means = _means(hidden, features, batch)
                for i, *pair in zip(batch, entering, means, strict=True):
                    both[i] = (pair[0], pair[1])
        found = [pair for pair in both if pair is not None]
        return np.stack([one for one, _ in found]), np.stack([mean for _, mean in found])

    def prepare_base(self, splits: DatasetDict) -> None:
        self.settle_reading(splits["train"], splits["validation"])
        super().prepare_base(splits)

    def choices(self) -> list[str]:
        return [self.reading.note] if self.reading is not None and self.reading.note else []

    def reading_state(self) -> Mapping[str, Any]:
        head = self.head_arguments()
        if self._pads_otherwise:  # who loads the base by itself must set it too
            head["pad_token_id"] = self.tokenizer.pad_token_id
        return {"reading": self._settled.document(), "head": head}

    def load_adapter(self, folder: Path) -> None:
        stored = read_json(folder / "toolkit.json")
        kept = stored.get("reading")
        self.reading = Reading(**kept) if kept else Reading()
        super().load_adapter(folder)
        self.label_order = stored.get(LABEL_ORDER)

    # -- how texts are read ------------------------------------------------------------------------
    @property
    def _settled(self) -> Reading:
        return self.reading or Reading(self._truncation)

    def settle_reading(self, train: Dataset, validation: Dataset | None) -> None:
        """Decide how long texts are read, once for base, adapter and predictions."""
        if self.reading is None and self.truncated and self.max_length is not None:
            self.reading = reading_choice.settled(self, train, validation)


def _means(
    hidden: list[Any], features: Sequence[Mapping[str, Sequence[int]]], batch: Sequence[int]
) -> list[np.ndarray]:
    """The means of a batch's states over the tokens of each text; empties the list."""
    states = hidden.pop().float().cpu().numpy()
    return [
        state[: len(features[i]["input_ids"])].mean(axis=0)
        for i, state in zip(batch, states, strict=True)
    ]
