"""Tasks for causal language models: prompt in, completion out.

Importing this loads no model library; that happens when a run needs it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from toolkit import decoding
from toolkit.kinds.causal_lm.smollm2 import SMOLLM2
from toolkit.kinds.language.outputs import Generated as Generated
from toolkit.kinds.language.outputs import Numbers as Numbers
from toolkit.kinds.language.task import LanguageTask
from toolkit.recipe import Recipe
from toolkit.task import Decoder, Row, Task, untuned

EMBEDDED = Recipe(
    name="embedded",
    summary="the 3-million-parameter model of the wheel, for a first try on a few hundred rows",
    model="embedded:causal-lm",
    training={
        "per_device_train_batch_size": 8,
        "num_train_epochs": 6,
        "learning_rate": 2e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "eval_strategy": "epoch",
        "logging_steps": 10,
        "max_length": 512,
        "model_init_kwargs": {"dtype": "float32", "attn_implementation": "eager"},
    },
    lora={"r": 16, "lora_alpha": 32, "target_modules": "all-linear"},
    early_stopping={"early_stopping_patience": 3},
)
"""The recipe of tasks that name none."""


class CausalLMTask(LanguageTask):
    """A task for a causal language model, trained by TRL's ``SFTTrainer``.

    ``format_example`` gives TRL's own columns, ``prompt`` and ``completion``: two strings, or two
    lists of chat messages, and with these, where a row has them, ``tools`` and
    ``chat_template_kwargs``. The completion is learned; of a prompt of messages also each answer
    with a ``weight`` above 0. :meth:`postprocess` gets a :class:`Generated`.
    """

    kind: ClassVar[str] = "causal-lm"
    recipes: ClassVar[tuple[Recipe, ...]] = (EMBEDDED, SMOLLM2)
    few_shot: ClassVar[int] = 4
    joined: ClassVar[bool] = False
    """Whether the examples of one :meth:`~toolkit.Task.group` are trained as one sequence, in which
    the text that their prompts begin with is read once. Each example is computed as if it were
    alone; the batch size then counts groups."""


class NumericLMTask(CausalLMTask):
    """A causal-LM task whose completion is one whole number.

    It adds losses and four decoders. ``loss = "regression-aware"`` trains the number's tokens
    against a target smoothed over neighbouring numbers (a Gaussian of width ``sigma`` in the
    logarithm of the number), ``"cross-entropy"`` is TRL's own. ``rank_weight`` above 0 adds the
    continuous ranked probability score of the number's distribution to either, with that weight,
    where a number is one token: it learns faster how far off a number is. ``decoder`` is
    ``greedy``, ``top-k``, ``mean``, ``median``, or ``auto``: the best of them on the validation
    split. With ``readings`` above 1 the adapter also reads each row as
    :meth:`~toolkit.Task.augment` changes it, so often in all, and the number distributions are
    averaged; its predictions take as many
    times longer.
    """

    distribution_decoders: ClassVar[frozenset[str]] = frozenset({"top-k", "mean", "median"})
    """The decoders that read the distribution of the number. ``auto`` takes none of them where it
    covers less than 98 % of what the model may write (the median of the validation rows)."""
    options = {
        "loss": "regression-aware",
        "sigma": 0.15,
        "rank_weight": 0.0,
        "decoder": "auto",
        "k": 3,
        "readings": 1,
    }

    fallback = Task.fallback  # no number stands for none: the task says which one counts

    @abstractmethod
    def number(self, row: Row) -> int:
        """The number in the row's completion, at least 1."""

    @abstractmethod
    def from_number(self, number: float) -> Any:
        """A prediction from a (not necessarily whole) number in the completion's unit."""

    @property
    @abstractmethod
    def largest_number(self) -> int:
        """The largest number of the training split; bounds the search for numbers."""

    def writable(self, number: int) -> int:
        """The nearest number that completions of this task can contain."""
        return number

    def completion(self, number: int) -> str:
        """The completion for a number."""
        return str(number)

    def postprocess(self, output: Generated, row: Row) -> Any | None:
        number = decoding.first_number(output.text)
        return None if number is None or number <= 0 else self.from_number(number)

    def decoders(self) -> Mapping[str, Decoder]:
        k = int(self.options["k"])
        return {
            "greedy": untuned(self.postprocess),
            "top-k": self._number_decoder(
                lambda n: decoding.top_k_mean(n.values, n.probabilities, k)
            ),
            "mean": self._number_decoder(lambda n: decoding.mean(n.values, n.probabilities)),
            "median": self._number_decoder(lambda n: decoding.median(n.values, n.probabilities)),
        }

    def _number_decoder(self, reduce: Callable[[Numbers], float]) -> Decoder:
        def decoder(output: Generated, row: Row, tuned: Mapping[str, Any]) -> Any | None:
            numbers = output.numbers
            if numbers is None or not numbers.values.size or numbers.mass <= 0:
                return None
            return self.from_number(reduce(numbers))

        return decoder
