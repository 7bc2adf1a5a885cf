"""The causal-LM kind: one model in memory, trained with TRL and PEFT, read by the one generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit import backends, precision
from toolkit.errors import ModelError, UsageError
from toolkit.kinds.base import Kind, Progress, Trained, TrainingWatch
from toolkit.kinds.causal_lm import CausalLMTask, Generated, NumericLMTask
from toolkit.kinds.causal_lm.prompt import Renderer
from toolkit.kinds.causal_lm.writing import Writing
from toolkit.task import Row

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

NUMBER_ROOM, ANSWER_ROOM = 8, 64


class CausalLM(Writing, Kind):
    """See :class:`toolkit.kinds.base.Kind`; the tokenizer is loaded at once, the model later."""

    task: CausalLMTask
    auto_class = "AutoModelForCausalLM"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.tokenizer = backends.load_tokenizer(
            self.recipe.model, trust_remote_code=self.trust_remote_code
        )
        self.renderer = Renderer(self.tokenizer)
        self.model: Any = None
        self.has_adapter = False
        self._reader: Any = None

    # -- settings --------------------------------------------------------------------------------
    @classmethod
    def training_arguments(cls) -> type:
        from trl import SFTConfig

        return SFTConfig  # type: ignore[no-any-return]

    @property
    def max_length(self) -> int | None:
        # SFTConfig's own default is 1024; rows are never cut by TRL, so only what is asked counts.
        limit = self.recipe.training.get("max_length", 1024)
        return None if limit is None else int(limit)

    @property
    def shortened(self) -> str | None:
        return "prompt" if self.task.shortens else None

    @property
    def answer_room(self) -> int:
        """Tokens kept free for the answer, the same in training and prediction."""
        default = NUMBER_ROOM if isinstance(self.task, NumericLMTask) else ANSWER_ROOM
        return int(self.recipe.generation.get("max_new_tokens", default))

    @property
    def reduced(self) -> bool:
        # As in training: where the recipe computes in bfloat16 and the machine does so itself.
        return bool(self.recipe.training.get("bf16")) and precision.bfloat16_pays()

    # -- before a model is loaded ------------------------------------------------------------------
    def lengths(self, rows: Dataset) -> Mapping[str, np.ndarray]:
        prompts = np.empty(len(rows), dtype=np.int32)
        completions = np.empty(len(rows), dtype=np.int32)
        for i, row in enumerate(rows):
            example = self.task.format_example(row)
            prompt = self.renderer.prompt(example)
            prompts[i] = len(prompt)
            completions[i] = len(self.renderer.completion(example, prompt))
        return {"prompt": prompts, "completion": completions}

    def explain(self, row: Row) -> list[dict[str, Any]]:
        example = self.example(row)
        self.renderer.check(example)
        return self.renderer.explain(example)

    def example(self, row: Row) -> dict[str, Any]:
        """The task's example; where the prompt is too long, with the end of a column left out."""
        example = self.task.format_example(row)
        column, limit = self.task.shortens, self.max_length
        # A token has at least one character: most rows need not be tokenized to see that they fit.
        if column is None or limit is None or _characters(example) + self.answer_room <= limit:
            return example
        prompt = self.renderer.prompt(example)
        room = self.answer_room
        if len(example["completion"]) >= room:  # a token has at least one character, and EOS
            room = max(room, len(self.renderer.completion(example, prompt)))
        text = str(row[column])
        while (excess := len(prompt) + room - limit) > 0 and text:
            ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            shorter = self.tokenizer.decode(ids[: max(0, len(ids) - excess)])
            # A cut within a character decodes to a replacement sign, which may not get shorter.
            text = shorter if len(shorter) < len(text) else text[: len(text) // 2]
            example = self.task.format_example({**row, column: text})
            prompt = self.renderer.prompt(example)
        return example

    # -- the model ---------------------------------------------------------------------------------
    def load(self) -> None:
        if self.model is None:
            self.model = backends.load_model(
                self.auto_class,
                self.recipe.model,
                init=self.recipe.training.get("model_init_kwargs"),
                quantization=self.recipe.quantization,
                trust_remote_code=self.trust_remote_code,
            )

    def load_adapter(self, folder: Path) -> None:
        import json

        self.load()
        self.drop_adapter()
        stored = json.loads((folder / "toolkit.json").read_text(encoding="utf-8"))
        self._check_prompts(stored, folder)
        self.model = backends.attach_adapter(self.model, folder)
        self.has_adapter = True
        self.check_effect(stored["canaries"])

    def drop_adapter(self) -> None:
        """Back to the untouched base."""
        if self.has_adapter:
            self.model = self.model.unload()
            self.has_adapter = False

    def _check_prompts(self, stored: Mapping[str, Any], folder: Path) -> None:
        prompts = self._canary_prompts(stored["canaries"])
        if self.renderer.digest(prompts) != stored["prompt_sha"]:
            raise ModelError(
                f"the adapter in {folder} was trained on another prompt than the task renders now; "
                "use the plugin version it was trained with, or train again"
            )

    def _canary_prompts(self, canaries: Sequence[Row]) -> list[list[int]]:
        return [self.renderer.prompt(self.example(row)) for row in canaries]

    def check_effect(self, canaries: Sequence[Row]) -> None:
        """Raise :class:`ModelError` where the adapter leaves the base's logits as they are."""
        import torch

        from toolkit.kinds.batches import pad_left

        ids, mask = pad_left(
            self._canary_prompts(canaries), self.tokenizer.pad_token_id, self.model.device
        )
        with torch.inference_mode():
            tuned = self.model(input_ids=ids, attention_mask=mask, logits_to_keep=1).logits
            with self.model.disable_adapter():
                base = self.model(input_ids=ids, attention_mask=mask, logits_to_keep=1).logits
        difference = float((tuned - base).abs().max())
        if not difference > 1e-6:
            raise ModelError(
                "the adapter does nothing: on the canary prompts its logits are the base model's "
                f"(largest difference {difference:.1g}); was it trained at all, and for this base?"
            )

    # -- prediction --------------------------------------------------------------------------------
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Generated]:
        import contextlib

        self.load()
        examples = [self.few_shot_example(row, shots) for row in rows]
        prompts = [self.renderer.prompt(example) for example in examples]
        if adapter and not self.has_adapter:
            raise UsageError("no adapter is loaded")
        state: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        if self.has_adapter:
            state = backends.merged(self.model) if adapter else self.model.disable_adapter()
        with state:
            return self._read(prompts, [self.task.answer_tokens(row) for row in rows], progress)

    def _read(
        self,
        prompts: Sequence[Sequence[int]],
        limits: Sequence[int | None],
        progress: Progress | None,
    ) -> list[Generated]:
        generation = self.recipe.generation
        if isinstance(self.task, NumericLMTask):
            if self._reader is None:
                from toolkit.kinds.causal_lm.numbers import NumberReader

                self._reader = NumberReader(
                    self.tokenizer, self.task.largest_number, reduced=self.reduced
                )
            outputs: list[Generated] = self._reader.read(
                self.model, prompts, generation=generation, progress=progress
            )
            return outputs
        from toolkit.kinds.causal_lm.generate import generate

        return generate(
            self.model, self.tokenizer, prompts,
            generation=generation, limits=limits, progress=progress,
        )  # fmt: skip

    def few_shot_example(self, row: Row, shots: Sequence[Row]) -> dict[str, Any]:
        """The row's example with solved examples of other rows before its prompt."""
        example = self.example(row)
        if not shots:
            return example
        solved = [self.example(shot) for shot in shots]
        if isinstance(example["prompt"], str):
            before = "".join(f"{s['prompt']}{s['completion']}\n\n" for s in solved)
            return {**example, "prompt": before + example["prompt"]}
        turns = [message for s in solved for message in (*s["prompt"], *s["completion"])]
        return {**example, "prompt": [*turns, *example["prompt"]]}

    # -- training ----------------------------------------------------------------------------------
    def train(
        self, splits: DatasetDict, *, checkpoints: Path, adapter: Path, watch: TrainingWatch
    ) -> Trained:
        from toolkit.kinds.causal_lm.training import fine_tune

        return fine_tune(self, splits, checkpoints=checkpoints, adapter=adapter, watch=watch)

    def tokenized(self, rows: Dataset) -> Dataset:
        """Rows as training sees them: ``input_ids``, ``labels``, ``number`` for numeric tasks."""
        numeric = self.task if isinstance(self.task, NumericLMTask) else None

        def encode(row: dict[str, Any]) -> dict[str, Any]:
            ids, labels = self.renderer.example(self.example(row))
            extra: dict[str, Any] = {"number": numeric.number(row)} if numeric else {}
            if self.task.joined:
                extra["group"] = self.task.group(row)
            return {"input_ids": ids, "labels": labels, **extra}

        return rows.map(encode, remove_columns=rows.column_names, load_from_cache_file=False)


def _characters(example: Mapping[str, Any]) -> int:
    """An upper bound of the tokens of prompt and completion: bytes, and some for the template."""
    parts = (example["prompt"], example["completion"])
    return sum(len(p.encode()) if isinstance(p, str) else 10**9 for p in parts) + 8
