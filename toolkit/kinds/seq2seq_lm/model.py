"""The seq2seq kind: an encoder–decoder, trained with ``Seq2SeqTrainer`` and PEFT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.data import tables
from toolkit.kinds.dry_run import DryRun, DryRunRequest
from toolkit.kinds.language.model import LanguageModel
from toolkit.kinds.seq2seq_lm.prompt import Seq2SeqRenderer
from toolkit.kinds.seq2seq_lm.task import Seq2SeqLMTask
from toolkit.models import limits
from toolkit.task import Row

if TYPE_CHECKING:
    from datasets import Dataset

TARGET_ROOM = 128


class Seq2SeqLM(LanguageModel):
    """See :class:`~toolkit.kinds.language.model.LanguageModel`.

    Text and target have separate limits: ``max_length`` is that of the text, for the encoder.
    """

    task: Seq2SeqLMTask
    auto_class = "AutoModelForSeq2SeqLM"
    task_type = "SEQ_2_SEQ_LM"
    padding_side = "right"
    parts = ("text", "target")

    def make_renderer(self) -> Seq2SeqRenderer:
        return Seq2SeqRenderer(self.tokenizer, self.target_limit, self.limits)

    @classmethod
    def dry_run(cls, request: DryRunRequest) -> DryRun:
        from toolkit.kinds.seq2seq_lm.dry_run import Seq2SeqDryRun

        return Seq2SeqDryRun()

    # -- arguments and limits --------------------------------------------------------------------
    @classmethod
    def training_arguments(cls) -> type:
        from toolkit.kinds.seq2seq_lm.arguments import Seq2SeqArguments

        return Seq2SeqArguments

    @property
    def max_length(self) -> int | None:
        requested = self.recipe.training.get("max_length")
        limit = limits.tokenizer_limit(self.tokenizer) if requested is None else int(requested)
        return limits.smallest(limit, self.limits.positions)

    @property
    def target_limit(self) -> int:
        """Tokens of a target, the end-of-sequence token included."""
        requested = self.recipe.training.get("max_target_length")
        limit = int(requested) if requested is not None else self.answer_room
        able = self.limits.answer_positions
        return limit if able is None else min(limit, able)

    @property
    def own_limits(self) -> Mapping[str, int]:
        return {"target": self.target_limit}

    @property
    def answer_room(self) -> int:
        default = self.recipe.training.get("max_target_length") or TARGET_ROOM
        return int(self.recipe.generation.get("max_new_tokens", default))

    @property
    def truncated(self) -> str | None:
        return "text" if self.task.truncate else None

    def answer_tokens_beside(self, example: Mapping[str, Any], prompt: Sequence[int]) -> int:
        return 0

    # -- rows --------------------------------------------------------------------------------------
    def few_shot_example(self, row: Row, shots: Sequence[Row]) -> dict[str, Any]:
        example = self.example(row)
        if not shots:
            return example
        solved = [self.example(shot) for shot in shots]
        before = "".join(f"{s['text']}\n{s['text_target']}\n\n" for s in solved)
        return {**example, "text": before + example["text"]}

    def tokenized(self, rows: Dataset) -> Dataset:
        """Rows as training sees them: ``input_ids`` of the text, ``labels`` of the target."""

        def encode(row: dict[str, Any]) -> dict[str, Any]:
            ids, labels = self.encoded(row)
            return {"input_ids": ids, "labels": labels}

        return tables.mapped(rows, encode, remove_columns=rows.column_names)

    # -- the model ---------------------------------------------------------------------------------
    def first_logits(self, ids: Any, mask: Any) -> Any:
        start = ids.new_full((len(ids), 1), self.model.config.decoder_start_token_id)
        return self.model(input_ids=ids, attention_mask=mask, decoder_input_ids=start).logits

    def labelled_logits(self, encoded: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Any:
        from toolkit.kinds.seq2seq_lm.trainer import Collator

        rows = [{"input_ids": ids, "labels": labels} for ids, labels in encoded]
        batch = {
            name: value.to(self.model.device)
            for name, value in Collator(self.tokenizer.pad_token_id)(rows).items()
        }
        decoder_ids = self.model.prepare_decoder_input_ids_from_labels(labels=batch["labels"])
        logits = self.model(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"],
            decoder_input_ids=decoder_ids, use_cache=False,
        ).logits  # fmt: skip
        return logits, batch["labels"]

    def trainer_class(self) -> Any:
        from toolkit.kinds.seq2seq_lm.trainer import TargetTrainer

        return TargetTrainer

    def collator(self, train: Dataset) -> Any:
        from toolkit.kinds.seq2seq_lm.trainer import Collator

        return Collator(self.tokenizer.pad_token_id)
