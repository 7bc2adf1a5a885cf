"""The causal-LM kind: one model in memory, trained with TRL and PEFT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from toolkit.data import tables
from toolkit.kinds.base import Progress
from toolkit.kinds.causal_lm.readings import averaged, readings
from toolkit.kinds.causal_lm.task import CausalLMTask, NumericLMTask
from toolkit.kinds.dry_run import DryRun, DryRunRequest
from toolkit.kinds.language.conversation import refusal
from toolkit.kinds.language.model import LanguageModel
from toolkit.kinds.language.outputs import Generated
from toolkit.kinds.language.prompt import Renderer
from toolkit.models.limits import smallest
from toolkit.system import precision
from toolkit.task import Row, group_of

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

NUMBER_ROOM, ANSWER_ROOM = 8, 64


class CausalLM(LanguageModel):
    """See :class:`~toolkit.kinds.language.model.LanguageModel`."""

    task: CausalLMTask
    auto_class = "AutoModelForCausalLM"
    task_type = "CAUSAL_LM"
    backends = ("transformers", "unsloth")
    mixed = "bfloat16"  # SFTConfig's default
    spoken = (*LanguageModel.spoken, "_reader", "_prompt")
    # TRL gets rows that are tokenized and labelled, and packed where the recipe asks for it.
    fixed_arguments: ClassVar[Mapping[str, Any]] = {
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "packing": False,
        "assistant_only_loss": False,
        # The loss is computed here. TRL 1.14 otherwise puts its own into the model's forward pass,
        # which an adapter on the head forbids.
        "loss_type": "nll",
    }

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._reader: Any = None
        self._prompt: Any = None  # one of the task's, behind which numbers are written

    def make_renderer(self) -> Renderer:
        return Renderer(self.tokenizer, self.limits)

    # -- arguments and limits --------------------------------------------------------------------
    @classmethod
    def training_arguments(cls) -> type:
        from trl import SFTConfig

        return SFTConfig  # type: ignore[no-any-return]

    @classmethod
    def dry_run(cls, request: DryRunRequest) -> DryRun:
        from toolkit.kinds.causal_lm.dry_run import CausalDryRun

        task: Any = request.task  # a CausalLMTask, or the class of one
        if isinstance(task, NumericLMTask) and request.tokenizer is not None:
            from toolkit.kinds.causal_lm.number_distribution import NumberReader

            walks = not NumberReader(request.tokenizer, task.largest_number).one_pass
        else:
            own = task if isinstance(task, type) else type(task)
            walks = issubclass(own, NumericLMTask) and not request.one_token_numbers
        packed = bool(request.recipe.training.get("packing"))
        return CausalDryRun(walks=walks, joined=packed or bool(task.joined))

    @property
    def shares_sequences(self) -> bool:
        return bool(self.recipe.training.get("packing") or self.task.joined)

    @property
    def max_length(self) -> int | None:
        # 1024 is the default of SFTConfig. TRL never cuts these rows.
        limit = self.recipe.training.get("max_length", 1024)
        return smallest(None if limit is None else int(limit), self.limits.positions)

    @property
    def answer_room(self) -> int:
        """Tokens reserved for the answer, the same in training and prediction."""
        default = NUMBER_ROOM if isinstance(self.task, NumericLMTask) else ANSWER_ROOM
        return int(self.recipe.generation.get("max_new_tokens", default))

    @property
    def reads_text(self) -> bool:
        return super().reads_text and not isinstance(self.task, NumericLMTask)

    @property
    def reduced(self) -> bool:
        # As in training: the recipe asks for bfloat16, and the machine has instructions for it.
        return bool(self.recipe.training.get("bf16")) and precision.bfloat16_pays()

    def answer_tokens_beside(self, example: Mapping[str, Any], prompt: Sequence[int]) -> int:
        room = self.answer_room
        if len(example["completion"]) >= room:  # a token has at least one character, and EOS
            room = max(room, len(self.renderer.completion(example, prompt)))
        return room

    # -- prediction --------------------------------------------------------------------------------
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Generated]:
        with self.as_side(adapter):
            if isinstance(self.task, NumericLMTask) and rows and self._prompt is None:
                self._prompt = self.example(self.staged(rows[:1])[0])["prompt"]
            return self._read_out(rows, adapter=adapter, shots=shots, progress=progress)

    def _read_out(
        self, rows: Sequence[Row], *, adapter: bool, shots: Sequence[Row],
        progress: Progress | None,
    ) -> list[Generated]:  # fmt: skip
        count = int(self.task.options.get("readings", 1))
        # An untrained model has not learned that the readings mean the same.
        if not isinstance(self.task, NumericLMTask) or count < 2 or not adapter:
            return super().predict(rows, adapter=adapter, shots=shots, progress=progress)
        read = [readings(self.task, row, count) for row in rows]
        flat = [row for one in read for row in one]
        outputs = iter(super().predict(flat, adapter=adapter, shots=shots, progress=progress))
        return [averaged([next(outputs) for _ in one]) for one in read]

    def first_logits(self, ids: Any, mask: Any) -> Any:
        return self.model(input_ids=ids, attention_mask=mask, logits_to_keep=1).logits

    def labelled_logits(self, encoded: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Any:
        from toolkit.kinds.causal_lm.trainer import Collator

        rows = [{"input_ids": ids, "labels": labels} for ids, labels in encoded]
        batch = Collator(self.tokenizer.pad_token_id)(rows)
        ids, mask, labels = (
            batch[name].to(self.model.device) for name in ("input_ids", "attention_mask", "labels")
        )
        logits = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        return logits[:, :-1], labels[:, 1:]

    def read(
        self,
        prompts: Sequence[Sequence[int]],
        limits: Sequence[int | None],
        progress: Progress | None,
    ) -> list[Generated]:
        if not isinstance(self.task, NumericLMTask):
            return super().read(prompts, limits, progress)
        if self._reader is None:
            from toolkit.kinds.causal_lm.number_distribution import NumberReader
            from toolkit.kinds.causal_lm.number_tree import Writing

            prompt = self._prompt
            self._reader = NumberReader(
                self.tokenizer, self.task.largest_number, reduced=self.reduced, bounds=self.limits,
                writing=None if prompt is None
                else Writing.behind(self.renderer, prompt, self.task.completion),
            )  # fmt: skip
        outputs: list[Generated] = self._reader.read(
            self.model, prompts, generation=self.recipe.generation, progress=progress
        )
        return outputs

    def few_shot_example(self, row: Row, shots: Sequence[Row]) -> dict[str, Any]:
        example = self.example(row)
        if not shots:
            return example
        solved = [self.example(shot) for shot in shots]
        if isinstance(example["prompt"], str):
            before = "".join(f"{s['prompt']}{s['completion']}\n\n" for s in solved)
            return {**example, "prompt": before + example["prompt"]}
        for examples in (solved, [s for s in solved if not s["completion"][-1].get("tool_calls")]):
            turns = [message for s in examples for message in (*s["prompt"], *s["completion"])]
            messages = [*turns, *example["prompt"]]
            # Behind a call some templates take nothing but its result.
            if not refusal(self.renderer.chat, messages, example.get("tools") or ()):
                return {**example, "prompt": messages}
        return example

    # -- training ----------------------------------------------------------------------------------
    def training_notes(self) -> list[str]:
        from toolkit.kinds.causal_lm.sequences import number_scale

        unused = self.task.options.get("rank_weight") and isinstance(self.task, NumericLMTask)
        if unused and number_scale(self.tokenizer, self.task) is None:
            return ["task.rank_weight has no effect: this model's numbers have several tokens each"]
        return []

    def tokenized(self, rows: Dataset) -> Dataset:
        """Rows as training sees them: ``input_ids``, ``labels``, ``number`` for numeric tasks."""
        numeric = self.task if isinstance(self.task, NumericLMTask) else None

        def encode(row: dict[str, Any]) -> dict[str, Any]:
            ids, labels = self.encoded(row)
            extra: dict[str, Any] = {"number": numeric.number(row)} if numeric else {}
            if self.task.joined:
                extra["group"] = group_of(self.task, row)
            return {"input_ids": ids, "labels": labels, **extra}

        return tables.mapped(rows, encode, remove_columns=rows.column_names)

    def arranged(
        self, splits: DatasetDict, train: Dataset, lengths: np.ndarray
    ) -> tuple[Dataset, np.ndarray]:
        from toolkit.kinds.causal_lm.sequences import joined, packed

        if self.recipe.training.get("packing"):
            return packed(self.model, train, lengths, self.max_length)
        # Unsloth leaves masks out in training.
        if not self.task.joined or self.backend.name == "unsloth":
            return train, lengths
        collate = self.collator(splits["train"])
        return joined(self.model, train, lengths, collate, self.max_length)

    def trainer_class(self) -> Any:
        from toolkit.kinds.causal_lm.trainer import LabelTrainer

        return LabelTrainer

    def collator(self, train: Dataset) -> Any:
        from toolkit.kinds.causal_lm.sequences import collator

        return collator(self.renderer, self.task, train)
