"""A pretrained encoder with a task's head: the base model, and what was trained from it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import ModelError, RecipeError, UsageError
from toolkit.kinds import fit
from toolkit.kinds.base import Progress, TaskModel
from toolkit.kinds.batching import batch_tokens, batches, pad_right
from toolkit.kinds.dry_run import DryRun, DryRunRequest
from toolkit.kinds.encoder import head as heads
from toolkit.kinds.encoder import head_lora
from toolkit.kinds.encoder.linear_probe import LinearProbe
from toolkit.kinds.encoder.trainer import Collator, EncoderTrainer
from toolkit.kinds.watching import Trained, TrainingWatch
from toolkit.models import adapters, base_digest, base_weights, limits, loading
from toolkit.models.loading import LoadRequest
from toolkit.recipe import Recipe
from toolkit.system import distributed, precision
from toolkit.system.monitor import Monitor
from toolkit.task import Row

if TYPE_CHECKING:
    import torch
    from datasets import Dataset, DatasetDict

Features = Mapping[str, Sequence[int]]
"""The inputs of the model: ``input_ids`` and, where it reads two texts, ``token_type_ids``."""


class Encoder(TaskModel):
    """See :class:`toolkit.kinds.base.TaskModel`. Subclasses define the head and its arguments.

    ``model`` is the untouched encoder; the last layer of its head is the linear probe that
    :meth:`fit_base` has fitted to the untouched encoder, so that this is the base. ``tuned`` is
    what was trained: a ``PeftModel`` around ``model`` or, where the recipe has no ``lora``, a
    second model. It begins from the same probe: before its first step it predicts what the base
    predicts, and that counts as a checkpoint, so that the best one is not below the base on
    validation.
    """

    stored = "float32"
    full: bool
    """Whether all parameters are trained, or were: of a loaded folder, its files tell."""
    labels_tokens: ClassVar[bool] = False
    """Whether ``labels`` of the tokenized rows has a number for each token; -100: no loss."""
    full_copies = 2  # the untouched encoder stays, for the base and for what training has changed

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.full = self.recipe.lora is None
        self.role = "full" if self.full else "adapter"
        self.tokenizer, self.limits = loading.load_tokens(
            self.recipe.model, trust_remote_code=self.trust_remote_code, padding_side="right"
        )
        self.limits.check_vocabulary(self.tokenizer, self.recipe.model)
        self.tokenizer.split_special_tokens = True  # a text never becomes a control token
        self.tuned: Any = None
        self.probe: LinearProbe | None = None
        self._fresh: list[str] = []

    # -- what a subclass defines -------------------------------------------------------------------
    @abstractmethod
    def head_arguments(self) -> dict[str, Any]:
        """Keyword arguments of ``from_pretrained`` that decide the head, as JSON values."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Outputs of the head's last layer."""

    @abstractmethod
    def fitted_probe(self, train: Dataset) -> LinearProbe:
        """A linear probe on what enters the head's last layer, from the training rows."""

    @abstractmethod
    def features(self, row: Row) -> list[dict[str, list[int]]]:
        """The inputs of the model for a row, in one or several pieces, without padding."""

    @abstractmethod
    def loss(self, arguments: Any) -> Callable[[Any, torch.Tensor], torch.Tensor]:
        """The loss, see :data:`toolkit.kinds.encoder.trainer.Loss`.

        Args:
            arguments: the training arguments, such as label smoothing.
        """

    # -- arguments and limits ----------------------------------------------------------------------
    @classmethod
    def training_arguments(cls) -> type:
        from toolkit.kinds.encoder.arguments import EncoderArguments

        return EncoderArguments

    @classmethod
    def dry_run(cls, request: DryRunRequest) -> DryRun:
        from toolkit.kinds.encoder.dry_run import EncoderDryRun

        return EncoderDryRun()

    @classmethod
    def lora_fields(cls, recipe: Recipe, model: Any) -> Mapping[str, Any]:
        fresh = heads.new_modules(model)
        return head_lora.fields(recipe.lora or {}, model, fresh, cls.task_type)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text of each token; a token that begins a word has a blank before it."""
        tokens = self.tokenizer.convert_ids_to_tokens(list(ids))
        if any(token.startswith(("Ġ", "▁")) for token in tokens):
            return [token.replace("Ġ", " ").replace("▁", " ") for token in tokens]
        return [
            token.removeprefix("##") if token.startswith("##") or at == 0 else f" {token}"
            for at, token in enumerate(tokens)
        ]

    @property
    def unread(self) -> tuple[str, ...]:
        """Inputs that what is trained never sees, and the base therefore does not see either."""
        return ()

    @property
    def max_length(self) -> int | None:
        requested = self.recipe.training.get("max_length")
        return limits.smallest(
            None if requested is None else int(requested),
            limits.tokenizer_limit(self.tokenizer),
            self.limits.positions,
        )

    def check_recipe(self) -> None:
        """Raise :class:`RecipeError` for a recipe that cannot be trained."""
        if self.full and self.recipe.quantization:
            raise RecipeError(
                "a quantized model cannot be trained whole; take [quantization] out of the recipe, "
                "or give it [lora]"
            )

    # -- the model ---------------------------------------------------------------------------------
    def new_model(self) -> Any:
        """The base with a head drawn from the kind's seed, or with the probe in its head.

        What stands before the probe is drawn from the seed that it was fitted with: runs of several
        training seeds begin from the same base.
        """
        seed = self.seed if self.probe is None else self.probe.seed
        request = LoadRequest(
            self.auto_class,
            self.recipe.model,
            init={
                **self.head_arguments(),
                **(self.recipe.training.get("model_init_kwargs") or {}),
            },
            quantization=self.recipe.quantization,
            trust_remote_code=self.trust_remote_code,
        )
        model, self._fresh = loading.load_encoder(request, seed=seed)
        if self.probe is not None:
            self._set_head(model, self.probe)
        return model

    def _set_head(self, model: Any, probe: LinearProbe) -> None:
        """The probe as the head of a model; a recipe that names dropout keeps the head's."""
        heads.put(model, self.layer(model), probe)
        named = self.recipe.training.get("model_init_kwargs") or {}
        if not any("drop" in name for name in named):
            heads.without_dropout(model, encoder=not self.recipe.training.get("dropout", True))

    def layer(self, model: Any) -> str:
        """The name of the last layer of a model's head."""
        return heads.output_layer(model, self.outputs)

    def entering(self) -> contextlib.AbstractContextManager[list[torch.Tensor]]:
        """Within the context, each pass of the base appends what enters its head's last layer."""
        self.load()
        return heads.entering(self.model, self.layer(self.model))

    def load(self) -> None:
        if self.model is None:
            self.model = self.new_model()

    def fitted(self, train: Dataset) -> LinearProbe:
        """:meth:`fitted_probe` on the untouched model, with the seed of that model."""
        self.load()
        return dataclasses.replace(self.fitted_probe(train), seed=self.seed)

    def begin_from(self, probe: LinearProbe) -> None:
        """Put a probe into the head of the base; what is trained begins from it."""
        self.probe = probe
        if self.model is not None and self.tuned is None and probe.seed != self.seed:
            self.model = None  # its layers before the last one are those of another seed
        if self.model is not None:
            self._set_head(self.model, probe)

    def drop_adapter(self) -> None:
        # A new model has an untrained head; PEFT's unload() would leave the trained one.
        self.model = self.tuned = None
        self.load()

    def trainable(self) -> Any:
        """The model to train: the base with a new adapter, or a second model as a whole."""
        self.load()
        if self.full:
            return self.new_model()
        last = self.layer(self.model)
        fields = head_lora.fields(
            self.recipe.lora or {}, self.model, [*dict.fromkeys([*self._fresh, last])],
            self.task_type,
        )  # fmt: skip
        return adapters.add_lora(self.model, fields, seed=self.seed, task_type=self.task_type)

    def load_adapter(self, folder: Path) -> None:
        self.drop_adapter()
        self.full = not (folder / "adapter_config.json").is_file()
        stored = json.loads((folder / "toolkit.json").read_text(encoding="utf-8"))
        if self.digest(stored["canaries"]) != stored["prompt_sha"]:
            raise ModelError(
                f"the adapter in {folder} was trained on other inputs than the task makes now; "
                "use the plugin version it was trained with, or train again"
            )
        if not self.full:
            base_digest.check(stored, self.recipe.model, folder)
            heads.check_saved(self._fresh if stored.get("foreign") else (), folder)
            self.tuned = adapters.attach_adapter(self.model, folder)
        else:
            self.tuned = loading.load_trained(
                self.auto_class, loading.weights_of(stored, folder),
                trust_remote_code=self.trust_remote_code,
            )  # fmt: skip
            self.tuned.config.pad_token_id = self.tokenizer.pad_token_id
        if stored.get("best_step") != 0:  # the best of training may be the base that it began from
            self.check_effect(stored["canaries"])

    def digest(self, rows: Sequence[Row]) -> str:
        """A hash of the model's inputs for rows: an adapter trained on other inputs is refused."""
        read = [self.features(row) for row in rows]
        return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()

    def check_effect(self, canaries: Sequence[Row]) -> None:
        """Raise :class:`ModelError` where training has not changed the encoder's states."""
        read = [piece for row in canaries for piece in self.features(row)]
        tuned, base = (
            [out.last_hidden_state for _, out, _ in self.forward(read, adapter=on, head=False)]
            for on in (True, False)
        )
        difference = max(float((a - b).abs().max()) for a, b in zip(tuned, base, strict=True))
        if not difference > 1e-6:
            raise ModelError(
                "the adapter does nothing: on the canary rows the encoder's states are the base "
                f"model's (largest difference {difference:.1g}); was it trained at all, and for "
                "this base?"
            )

    # -- prediction --------------------------------------------------------------------------------
    def forward(
        self,
        features: Sequence[Features],
        *,
        adapter: bool,
        head: bool = True,
        fast: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[tuple[list[int], Any, float]]:
        """The model's outputs in batches of similar length, longest first.

        Args:
            features: the inputs of each piece, without padding.
            adapter: whether what was trained is used, or the untouched base.
            head: whether outputs are those of the whole model, or of its encoder
                (``last_hidden_state``).
            fast: compute in bfloat16 where that is faster; the last digits then depend on the
                batch size.
            progress: called with (done, total).

        Yields:
            indices of the pieces, their outputs in that order, padded on the right to at least the
            longest, and the seconds for each piece.
        """
        self.load()
        if adapter and self.tuned is None:
            raise UsageError("no adapter is loaded")
        done = 0
        for batch in batches([len(f["input_ids"]) for f in features], batch_tokens(self.model)):
            started = time.perf_counter()
            with precision.autocast(self.model) if fast else contextlib.nullcontext():
                out = self._forward([features[i] for i in batch], adapter, head)
            done += len(batch)
            yield batch, out, (time.perf_counter() - started) / len(batch)
            if progress:
                progress(done, len(features))

    def _forward(self, features: Sequence[Features], adapter: bool, head: bool) -> Any:
        import torch

        whole = self.tuned if adapter else self.model
        off = self.tuned is not None and not self.full and not adapter
        model = whole if head else adapters.without_peft(whole).base_model
        inputs = {
            name: value.to(self.model.device)
            for name, value in pad_right(features, self.tokenizer.pad_token_id).items()
            if name not in self.unread
        }
        if not head and hasattr(model, "_shift_right"):  # T5's own decoder asks for its inputs
            inputs["decoder_input_ids"] = model._shift_right(inputs["input_ids"])
        with (
            torch.inference_mode(),
            base_weights.untouched(self.tuned) if off else contextlib.nullcontext(),
        ):
            return model(**inputs)

    # -- training ----------------------------------------------------------------------------------
    def train(
        self,
        splits: DatasetDict,
        *,
        recipe: Recipe | None = None,
        checkpoints: Path,
        adapter: Path,
        watch: TrainingWatch,
    ) -> Trained:
        recipe = self.saving(recipe or self.recipe)
        self.on_note = watch.on_note
        self.check_recipe()
        self.prepare_base(splits)
        self.drop_adapter()
        train, lengths = fit.tokenized_train(self, recipe, splits["train"])
        validation = self.tokenized(splits["validation"])
        self.tuned = self.trainable()
        for note in [] if self.full else adapters.notes(self.tuned, recipe.lora or {}):
            watch.on_note(note)
        # Weights that are in parts on several devices are put together within the loop alone.
        start = not distributed.sharded_by_accelerate()
        arguments = fit.arguments(self, recipe, checkpoints, eval_on_start=start)

        def build(monitor: Monitor) -> EncoderTrainer:
            return EncoderTrainer(
                model=self.tuned,
                args=arguments,
                train_dataset=train,
                eval_dataset=validation,
                processing_class=self.tokenizer,
                data_collator=Collator(self.tokenizer.pad_token_id, of_tokens=self.labels_tokens),
                lengths=lengths,
                judge=fit.judge(self, splits["validation"], validation),
                monitor=monitor,
                loss=self.loss(arguments),
            )

        trained = fit.fit(
            self.tuned, build, early_stopping=recipe.early_stopping,
            lengths=lengths, checkpoints=checkpoints, watch=watch,
        )  # fmt: skip
        self._save(splits, adapter, trained.info["best_step"])
        self.after_training(recipe, checkpoints, adapter)
        return trained

    def prepare_base(self, splits: DatasetDict) -> None:
        """Fit the base where no stage before training has done so."""
        if self.probe is None:
            self.begin_from(self.fitted(splits["train"]))

    def reading_state(self) -> Mapping[str, Any]:
        """What a subclass stores in an adapter's ``toolkit.json``, as JSON values."""
        return {}

    def saving(self, recipe: Recipe) -> Recipe:
        """The recipe with as many checkpoints kept as :meth:`after_training` needs."""
        return recipe

    def after_training(self, recipe: Recipe, checkpoints: Path, adapter: Path) -> None:
        """What a subclass adds to a saved adapter, such as further checkpoints."""

    def _save(self, splits: DatasetDict, adapter: Path, step: int) -> None:
        canaries = fit.canary_rows(self, splits)
        if step:
            self.check_effect(canaries)
        extra: Mapping[str, Any] = {
            "task": self.task.name,
            "model": self.recipe.model,
            "prompt_sha": self.digest(canaries),
            "head": self.head_arguments(),
            "head_seed": self.seed,
            "task_state": self.task.state,
            "task_options": self.task.options,
            "canaries": canaries,
            "best_step": step,
            **self.reading_state(),
        }
        adapters.save_adapter(self.tuned, self.tokenizer, adapter, extra)
