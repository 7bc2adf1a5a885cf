"""One language model in memory with its adapters: what the language kinds share."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toolkit.errors import PreflightError, RecipeError, UsageError
from toolkit.kinds import checkpoint_ensemble
from toolkit.kinds.base import Progress
from toolkit.kinds.batching import batch_tokens, batches
from toolkit.kinds.language import label_check, room
from toolkit.kinds.language.chat_model import ChatModel
from toolkit.kinds.language.foreign import SPEAKS
from toolkit.kinds.language.label_check import LabelCheck
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.language.prompt import IGNORED, Renderer
from toolkit.kinds.language.task import LanguageTask
from toolkit.kinds.watching import Trained, TrainingWatch
from toolkit.models import adapters, base_digest, loading
from toolkit.models.adapters import LoraRequest
from toolkit.models.loading import LoadRequest
from toolkit.recipe import Recipe
from toolkit.runs.files import read_json
from toolkit.task import Row

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from toolkit.system.monitor import Monitor


class LanguageModel(ChatModel):
    """See :class:`toolkit.kinds.base.TaskModel`; the tokenizer is loaded first, the model later."""

    task: LanguageTask
    parts: ClassVar[tuple[str, str]] = ("prompt", "completion")
    """The names of what :meth:`lengths` counts: what is read, and the answer."""
    folds = True
    fixed_arguments: ClassVar[Mapping[str, Any]] = {}
    """Training arguments that a recipe cannot change."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.tokenizer, self.limits = loading.load_tokens(
            self.recipe.model,
            trust_remote_code=self.trust_remote_code,
            padding_side=self.padding_side,
        )
        self.limits.check_vocabulary(self.tokenizer, self.recipe.model)
        self.renderer = self.make_renderer()
        self.tell_date(self.task.state)
        self._labels = LabelCheck(self.renderer)

    # -- what a subclass defines -------------------------------------------------------------------
    @abstractmethod
    def make_renderer(self) -> Renderer:
        """The renderer, which turns the kind's examples into tokens."""

    @abstractmethod
    def answer_tokens_beside(self, example: Mapping[str, Any], prompt: Sequence[int]) -> int:
        """Tokens of ``max_length`` that a prompt must leave for its answer."""

    @abstractmethod
    def labelled_logits(self, encoded: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Any:
        """Logits and the labels that they predict, shapes (rows, n, vocabulary) and (rows, n).

        Args:
            encoded: for each row the result of :meth:`Renderer.example`.
        """

    @abstractmethod
    def few_shot_example(self, row: Row, shots: Sequence[Row]) -> dict[str, Any]:
        """The row's example with solved examples of other rows before its prompt."""

    def arranged(
        self, splits: DatasetDict, train: Dataset, lengths: np.ndarray
    ) -> tuple[Dataset, np.ndarray]:
        """Tokenized rows and their lengths, shape (variants, rows), as they are trained on.

        A kind may put several rows into one sequence.
        """
        return train, lengths

    @abstractmethod
    def trainer_class(self) -> Any:
        """The kind's trainer, a subclass of :class:`~toolkit.kinds.trainer.JudgedTrainer`."""

    @abstractmethod
    def collator(self, train: Dataset) -> Any:
        """The collator, which makes batches of the rows that :meth:`tokenized` returns.

        Args:
            train: the training rows, not tokenized.
        """

    # -- before a model is loaded ------------------------------------------------------------------
    @property
    def few_shot(self) -> int:
        return self.task.few_shot

    @property
    def perplexity(self) -> bool:
        return self.task.perplexity

    @property
    def truncated(self) -> str | None:
        return "prompt" if self.task.truncate else None

    def lengths(self, rows: Dataset) -> Mapping[str, np.ndarray]:
        self._labels = LabelCheck(self.renderer)  # the rows' tokens are there: they are looked at
        tokens = [self._labels.measured(row, self.task.format_example(row)) for row in rows]
        return dict(zip(self.parts, np.array(tokens, dtype=np.int32).reshape(-1, 2).T, strict=True))

    def cautions(self, rows: Dataset) -> list[str]:
        if len(self._labels.prompts) != len(rows):
            self.lengths(rows)
        if not self.task.truncate and (problem := room.too_long(self, self._labels.prompts)):
            raise PreflightError(problem)
        return [*self.limits.notes, *room.lowered(self), *self._labels.sentences()]

    def explain(self, row: Row) -> list[dict[str, Any]]:
        return self.renderer.explain(self.example(row))

    def passages(self, row: Row) -> list[dict[str, Any]]:
        example = self.example(row)
        self.renderer.check(example)
        return self.renderer.passages(example)

    def example(self, row: Row) -> dict[str, Any]:
        """The task's example; where the prompt is too long, a column is shortened at its end."""
        return room.shortened(self, row)

    def encoded(self, row: Row) -> tuple[list[int], list[int]]:
        """A row as training sees it, see :func:`label_check.encoded`."""
        return label_check.encoded(self.renderer, row, self.example(row))

    def shots_used(self, rows: Sequence[Row], shots: Sequence[Row]) -> list[int]:
        if self.limits.positions is None:
            return super().shots_used(rows, shots)
        return [room.prompt_with(self, row, shots)[1] for row in rows]

    # -- the model ---------------------------------------------------------------------------------
    def load(self) -> None:
        if self.model is None:
            self.model = self.backend.load(
                LoadRequest(
                    self.auto_class,
                    self.recipe.model,
                    init=self.recipe.training.get("model_init_kwargs"),
                    quantization=self.recipe.quantization,
                    trust_remote_code=self.trust_remote_code,
                    max_length=self.max_length,
                )
            )

    def load_adapter(self, folder: Path) -> None:
        self.load()
        self.drop_adapter()
        stored = read_json(folder / "toolkit.json")
        base_digest.check(stored, self.recipe.model, folder)
        self.speak(folder, stored.get(SPEAKS))
        self.check_prompts(stored, folder)
        self.tell_date(stored.get("task_state") or {}, stored=True)
        if (folder / "adapter_config.json").is_file():
            self.model = self.backend.attach(self.model, folder)
            self.has_adapter = True
        else:
            self.load_whole(folder, stored)
        self.canaries = stored["canaries"]
        self.check_effect(stored["canaries"])
        self.load_members(folder)

    def drop_adapter(self) -> None:
        if self.has_adapter:
            self.model = self.backend.detach(self.model)
            self.has_adapter = False
            self._members = 0
        self.whole = None
        self.speak_as_base()
        self.forget_comparison()

    def digest(self, rows: Sequence[Row]) -> str:
        return self.renderer.digest(self.canary_prompts(rows))

    def answer_limit(self, row: Row) -> int:
        limit = self.task.answer_tokens(row)
        return min(limit, self.answer_room) if limit else self.answer_room

    # -- prediction --------------------------------------------------------------------------------
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Generated]:
        self.load()
        with self.as_side(adapter):
            return self._predicted(rows, adapter, shots, progress)

    def _predicted(
        self, rows: Sequence[Row], adapter: bool, shots: Sequence[Row], progress: Progress | None
    ) -> list[Generated]:
        rows = self.staged(rows)
        names = [row.get("row_id", number) for number, row in enumerate(rows, 1)]
        prompts = []
        for name, row in zip(names, rows, strict=True):
            with label_check.of_row(name):
                prompts.append(room.prompt_with(self, row, shots)[0])
        if problem := room.too_long(self, zip(names, map(len, prompts), strict=True)):
            raise UsageError(problem)
        with self.side(adapter):
            return self.read(prompts, [self.task.answer_tokens(row) for row in rows], progress)

    def target_losses(self, rows: Sequence[Row], *, adapter: bool) -> list[tuple[float, int]]:
        self.load()
        with self.as_side(adapter):
            return self._target_losses(rows, adapter)

    def _target_losses(self, rows: Sequence[Row], adapter: bool) -> list[tuple[float, int]]:
        examples = [self.example(row) for row in self.staged(rows)]
        encoded = [self.renderer.example(example, last=True) for example in examples]
        fit = [room.within(self.limits, *one) for one in encoded]
        with self.side(adapter):
            losses = iter(self.token_losses(list(itertools.compress(encoded, fit))))
        return [next(losses) if fits else (0.0, 0) for fits in fit]

    def token_losses(
        self, encoded: Sequence[tuple[Sequence[int], Sequence[int]]]
    ) -> list[tuple[float, int]]:
        """The summed cross-entropy of each row's labels, and their number.

        Args:
            encoded: for each row the result of :meth:`Renderer.example`.
        """
        import torch

        found: list[tuple[float, int]] = [(0.0, 0)] * len(encoded)
        lengths = [max(len(ids), len(labels)) for ids, labels in encoded]
        for batch in batches(lengths, batch_tokens(self.model)):
            with torch.inference_mode():
                logits, labels = self.labelled_logits([encoded[i] for i in batch])
                losses = torch.nn.functional.cross_entropy(
                    logits.float().transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
                ).sum(1)
                counts = labels.ne(IGNORED).sum(1)
            for i, loss, count in zip(batch, losses.tolist(), counts.tolist(), strict=True):
                found[i] = (float(loss), int(count))
        return found

    def read(
        self,
        prompts: Sequence[Sequence[int]],
        limits: Sequence[int | None],
        progress: Progress | None,
    ) -> list[Generated]:
        """The outputs for prompts, by the model with the adapters that are active.

        Args:
            prompts: token ids, one list a prompt.
            limits: the most new tokens of each.
            progress: called with (done, total).
        """
        from toolkit.kinds.language.generate import generate

        return generate(
            self.model, self.tokenizer, prompts,
            generation={"max_new_tokens": self.answer_room, **self.recipe.generation},
            limits=limits, progress=progress, bounds=self.limits,
        )  # fmt: skip

    # -- training ----------------------------------------------------------------------------------
    def training_notes(self) -> list[str]:
        """What a user should know of how this task will be trained on this model, as sentences."""
        return []

    def train(
        self,
        splits: DatasetDict,
        *,
        recipe: Recipe | None = None,
        checkpoints: Path,
        adapter: Path,
        watch: TrainingWatch,
    ) -> Trained:
        from toolkit.kinds import fit

        recipe = recipe or self.recipe
        if recipe.lora is None:
            raise RecipeError(
                "this recipe has no [lora]: language models are trained with an adapter only; "
                "give [lora] fields, such as --set lora.r=16"
            )
        self.on_note = watch.on_note
        count = checkpoint_ensemble.wanted(self.task, recipe, mixed=True)
        for note in self.training_notes():
            watch.on_note(note)
        self.load()
        self.drop_adapter()
        train, lengths = fit.tokenized_train(self, recipe, splits["train"])
        validation = room.only_within(self.limits, self.tokenized(splits["validation"]))
        self.model = self.backend.add_lora(
            self.model,
            LoraRequest(
                recipe.lora,
                seed=self.seed,
                task_type=self.task_type,
                checkpointing=bool(recipe.training.get("gradient_checkpointing")),
                computing=self.trains_in(recipe),
            ),
        )
        self.has_adapter = True
        for note in adapters.notes(self.model, recipe.lora):
            watch.on_note(note)
        self.canaries = fit.canary_rows(self, splits)
        rows, single = lengths.shape[1], train
        train, lengths = self.arranged(splits, train, lengths)
        saving = checkpoint_ensemble.saving(recipe, count)

        def build(monitor: Monitor) -> Any:
            return self.trainer(
                splits, train, validation, recipe=saving, checkpoints=checkpoints,
                lengths=lengths, judge=fit.judge(self, splits["validation"], validation),
                monitor=monitor, rows=single,
            )  # fmt: skip

        trained = fit.fit(
            self.model, build, early_stopping=recipe.early_stopping,
            lengths=lengths, checkpoints=checkpoints, watch=watch,
        )  # fmt: skip
        self._save(splits, adapter)
        if count:
            kept_or_why = checkpoint_ensemble.kept_or_why
            if reason := kept_or_why(checkpoints, adapter, count, recipe.model):
                trained.info["no_ensemble"] = reason
        trained.info["rows"] = rows
        return trained

    def trainer(
        self,
        splits: DatasetDict,
        train: Dataset,
        validation: Dataset,
        *,
        recipe: Recipe,
        checkpoints: Path,
        **arguments: Any,
    ) -> Any:
        """The kind's trainer, a :class:`~toolkit.kinds.trainer.JudgedTrainer`.

        Args:
            splits: the rows, not tokenized.
            train, validation: rows as :meth:`tokenized` returns them.
            recipe: how to train, see :meth:`train`.
            checkpoints: the trainer's output folder.
            arguments: further arguments of the trainer.
        """
        from toolkit.kinds import fit

        return self.trainer_class()(
            model=self.model,
            args=fit.arguments(self, recipe, checkpoints, **self.fixed_arguments),
            train_dataset=train,
            eval_dataset=validation,
            processing_class=self.tokenizer,
            data_collator=self.collator(splits["train"]),
            **arguments,
        )

    def _save(self, splits: DatasetDict, adapter: Path) -> None:
        from toolkit.kinds import fit

        canaries = fit.canary_rows(self, splits)
        self.check_effect(canaries)
        extra: Mapping[str, Any] = {
            "task": self.task.name,
            "model": self.recipe.model,
            "prompt_sha": self.digest(canaries),
            "chat_template": self.tokenizer.chat_template,
            "task_state": self.task.state,
            "task_options": self.task.options,
            "canaries": canaries,
        }
        adapters.save_adapter(self.model, self.tokenizer, adapter, extra)
