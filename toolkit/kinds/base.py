"""What the model of every kind of task can do. Importing this loads no heavy library."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import ModelError
from toolkit.kinds.watching import Trained, TrainingWatch
from toolkit.models.limits import Limits
from toolkit.recipe import Recipe
from toolkit.system import precision
from toolkit.task import Row, Task

if TYPE_CHECKING:
    import numpy as np
    from datasets import Dataset, DatasetDict

    from toolkit.kinds.dry_run import DryRun, DryRunRequest
    from toolkit.models.backend import Backend

Progress = Callable[[int, int], None]
"""Called with (done, total) during long work."""

PRIVATE = "an example"
"""What stands for each text of private data that must not be stored."""

BASE = "__base__"
"""PEFT's name for the base model without an adapter."""


class TaskModel(ABC):
    """One model in memory, with everything that the stages of a run need of it.

    Args:
        task: the task, with its options and state.
        recipe: the resolved recipe.
        seed: seeds the adapter's initial weights, dropout and the order of the rows.
        trust_remote_code: run code that comes with the model; off by default.
        private: whether texts of the data must not be stored with the adapter.
        backend: what loads the model; transformers by default.

    Attributes:
        on_note: receives a sentence on what is done otherwise than one would expect.

    Raises:
        ModelError: the recipe's model is of another kind, such as an encoder for a task that
            writes.
    """

    role = "adapter"
    auto_class: ClassVar[str]
    """The transformers class that loads the base, such as ``AutoModelForCausalLM``."""
    task_type: ClassVar[str]
    """PEFT's name of the kind, such as ``CAUSAL_LM``."""
    needs: ClassVar[str] = ""
    """What kind of model it takes, for the sentence that refuses others; empty: any is tried."""
    windowed: ClassVar[bool] = False
    """Whether texts that are too long are read in windows, so that nothing of them is cut."""
    backends: ClassVar[tuple[str, ...]] = ("transformers",)
    """The backends that can train it."""
    mixed: ClassVar[str | None] = None
    """The type that training computes in where a recipe names none, besides the parameters'."""
    stored: ClassVar[str] = "auto"
    """The parameters' type where a recipe names none; ``auto``: that of the file."""
    full_copies: ClassVar[int] = 1
    """Whole models in memory where all parameters are trained; 2: the untouched one is kept too."""
    folds: ClassVar[bool] = False
    """Whether scoring folds the adapter into the weights where that is exact."""
    base_note: ClassVar[str] = ""
    """What the base system is, where it is not the untouched model itself."""
    tokenizer: Any = None
    """The model's tokenizer."""
    limits: Limits = Limits()
    """What the model's files say of its stop tokens, positions and vocabulary."""
    model: Any = None
    """The untouched base, or (of language models) the base with its adapters; ``None``: not loaded
    yet."""

    def __init__(
        self,
        task: Task,
        recipe: Recipe,
        *,
        seed: int = 0,
        trust_remote_code: bool = False,
        private: bool = False,
        backend: Backend | None = None,
    ) -> None:
        from toolkit.models import suitability
        from toolkit.models.backend import Transformers

        suitability.require(
            recipe.model, self.auto_class, trust_remote_code=trust_remote_code, needs=self.needs
        )
        self.task = task
        self.recipe = recipe
        self.seed = seed
        self.trust_remote_code = trust_remote_code
        self.private = private
        self.backend: Backend = backend or Transformers()
        self.on_note: Callable[[str], None] = lambda sentence: None

    def keepable(self, row: Row) -> Row:
        """The row as it may be stored with the adapter: with private data, its texts replaced."""
        if not self.private:
            return row
        return {k: PRIVATE if isinstance(v, str) else v for k, v in row.items()}

    @classmethod
    @abstractmethod
    def training_arguments(cls) -> type:
        """The upstream dataclass whose fields ``[training]`` names."""

    @classmethod
    def trains_in(cls, recipe: Recipe) -> str | None:
        """The reduced type that a recipe's training computes in; ``None``: the parameters' type."""
        if recipe.training.get("fp16"):
            return "float16"
        return "bfloat16" if recipe.training.get("bf16", cls.mixed == "bfloat16") else None

    @classmethod
    def computes_in(cls, recipe: Recipe, *, gpu: bool) -> str | None:
        """As :meth:`trains_in`, but for a processor without bfloat16 instructions.

        It imitates them, ten times slower than float32, which is taken there instead. Quantized
        models stay as they are: their layers compute in what the quantization names.
        """
        wanted = cls.trains_in(recipe)
        if wanted != "bfloat16" or gpu or recipe.quantization or precision.bfloat16_pays():
            return wanted
        return None

    @classmethod
    def lora_fields(cls, recipe: Recipe, model: Any) -> Mapping[str, Any]:
        """The ``LoraConfig`` fields that a recipe's adapter on a model has in the end."""
        return recipe.lora or {}

    @classmethod
    @abstractmethod
    def dry_run(cls, request: DryRunRequest) -> DryRun:
        """The dry run, by which the memory of training and of scoring is estimated."""

    @property
    @abstractmethod
    def max_length(self) -> int | None:
        """Tokens an example may have before it is cut; ``None``: no limit but the model's."""

    @property
    def written(self) -> int | None:
        """Tokens that an answer may have; ``None``: the model writes no text."""
        return None

    @property
    def few_shot(self) -> int:
        """Solved examples before the prompt of the system ``few-shot``; 0: no such system."""
        return 0

    def shots_used(self, rows: Sequence[Row], shots: Sequence[Row]) -> list[int]:
        """How many of the solved examples fit before the prompt of each row."""
        return [len(shots)] * len(rows)

    @property
    def perplexity(self) -> bool:
        """Whether the report gives the perplexity of the right answers."""
        return False

    @property
    def shares_sequences(self) -> bool:
        """Whether training puts several rows into one sequence of up to :attr:`max_length`."""
        return False

    @property
    def reduced(self) -> bool:
        """Whether predictions are computed in bfloat16; they then vary slightly with the batch."""
        return False

    @property
    def truncated(self) -> str | None:
        """The part of :meth:`lengths` that is shortened where an example is too long."""
        return None

    @property
    def loses(self) -> str:
        """What :attr:`truncated` loses where it is too long, in words."""
        return "its end"

    @property
    def own_limits(self) -> Mapping[str, int]:
        """Parts of :meth:`lengths` that have a limit of their own instead of ``max_length``."""
        return {}

    @abstractmethod
    def lengths(self, rows: Dataset) -> Mapping[str, np.ndarray]:
        """Tokens of each row's parts (``prompt``, ``completion``), arrays of shape (rows,)."""

    def unusable(self, rows: Dataset) -> Mapping[str, Sequence[int]]:
        """Rows that this model has no way to read, before they are split: reason → their numbers.

        They are left out and counted. It is asked before the task's state is known.
        """
        return {}

    def most_learned(self, rows: Dataset, lengths: Mapping[str, np.ndarray]) -> int:
        """The most tokens with a loss that a row has, where they are more than its answer; else 0.

        Args:
            rows: the rows.
            lengths: what :meth:`lengths` returned for them.
        """
        return 0

    def notes(self, rows: Dataset) -> list[str]:
        """What is made of these rows for this model, as sentences for preflight."""
        return []

    def cautions(self, rows: Dataset) -> list[str]:
        """What this kind cannot handle in these rows, as sentences for preflight."""
        return []

    def fit_state(self, train: Dataset) -> dict[str, Any]:
        """Values from the training split that the kind adds to the task's state (JSON values).

        It is called once a run, after :meth:`Task.fit`, and refuses options that do not go with the
        data.
        """
        return {}

    @abstractmethod
    def tokenized(self, rows: Dataset) -> Dataset:
        """Rows as training sees them: ``input_ids``, ``labels`` and what the collator needs."""

    @abstractmethod
    def explain(self, row: Row) -> list[dict[str, Any]]:
        """The row's tokens as ``{"text": …, "loss": bool}``, as training sees them."""

    def passages(self, row: Row) -> list[dict[str, Any]]:
        """The row as training sees it in passages of tokens that are treated alike, for a reader.

        Returns:
            ``{"text": …, "loss": bool, "unknown": bool}`` each; ``unknown`` stands for what the
            tokenizer cannot read.
        """
        pieces = self.explain(row)
        unknown = str(self.tokenizer.unk_token or "")

        def alike(piece: dict[str, Any]) -> tuple[bool, bool]:
            return piece["loss"], bool(unknown) and piece["text"].strip() == unknown

        return [
            {"text": "".join(piece["text"] for piece in run), "loss": loss, "unknown": unread}
            for (loss, unread), run in itertools.groupby(pieces, alike)
        ]

    def target_of(self, row: Row) -> str | None:
        """The row's target in words, where it is not one of the row's tokens."""
        return None

    def head_arguments(self) -> dict[str, Any]:
        """Further arguments of ``from_pretrained``, which define the head, as JSON values."""
        return {}

    @abstractmethod
    def load(self) -> None:
        """Load the base model, unless it is loaded already."""

    @abstractmethod
    def drop_adapter(self) -> None:
        """Return to the untouched base."""

    def fit_base(  # noqa: B027 – most need none
        self, train: Dataset, folder: Path, validation: Dataset | None = None
    ) -> None:
        """Fit what the untouched model needs for predictions, such as a linear probe, and save it.

        Args:
            train: the training rows.
            folder: for what is fitted.
            validation: rows by which choices are made, such as how long texts are read.
        """

    def choices(self) -> list[str]:
        """What :meth:`fit_base` has chosen for the run, as sentences."""
        return []

    def load_base(self, folder: Path) -> None:  # noqa: B027
        """Load what :meth:`fit_base` has saved, if anything."""

    def variants(self, *, adapter: bool) -> Mapping[str, str]:
        """Further systems beside the base, or beside the adapter: name → a note on it."""
        return {}

    def as_variant(self, name: str) -> AbstractContextManager[None]:
        """Within the context, predictions are those of one of the :meth:`variants`."""
        raise NotImplementedError(f"{type(self).__name__} has no variant {name!r}")

    @abstractmethod
    def predict(
        self,
        rows: Sequence[Row],
        *,
        adapter: bool,
        shots: Sequence[Row] = (),
        progress: Progress | None = None,
    ) -> list[Any]:
        """The kind's output for each row, in the order of the rows.

        Args:
            rows: the rows.
            adapter: whether the adapter is used, or the untouched base.
            shots: solved examples for the prompt.
            progress: called with (done, total).
        """

    def target_losses(self, rows: Sequence[Row], *, adapter: bool) -> list[tuple[float, int]]:
        """For each row the summed cross-entropy of its answer's tokens, and their number."""
        raise ModelError(f"{type(self).__name__} writes no text, so no token of it has a loss")

    @abstractmethod
    def train(
        self,
        splits: DatasetDict,
        *,
        recipe: Recipe | None = None,
        checkpoints: Path,
        adapter: Path,
        watch: TrainingWatch,
    ) -> Trained:
        """Fine-tune, resume from the newest valid checkpoint, and save the best adapter.

        Args:
            splits: ``train`` is trained on, ``validation`` decides which checkpoint is the best.
            recipe: how to train; :attr:`recipe` by default. It may differ from that one in steps,
                checkpoints and trackers, but not in the model or in how rows are read.
            checkpoints: the folder of the checkpoints, also of those of an interrupted training.
            adapter: the folder for what has been trained.
            watch: receives steps and logs.
        """

    @abstractmethod
    def load_adapter(self, folder: Path) -> None:
        """Put a saved adapter on the loaded base.

        Raises:
            ModelError: it has no effect or does not fit.
        """

    @abstractmethod
    def digest(self, rows: Sequence[Row]) -> str:
        """A hash of the model's inputs for rows: what was trained on other inputs is refused."""

    def add_adapter(self, folder: Path, name: str) -> None:
        """Put a further adapter beside the first, on the same base; :meth:`select` switches."""
        raise ModelError(f"{type(self).__name__} holds one adapter at a time")

    def select(self, name: str) -> None:
        """The adapter that ``predict(adapter=True)`` uses from now on."""
        if name != "default":
            raise ModelError(f"{type(self).__name__} holds one adapter at a time")
