"""``--system``: what it names, checked when a run is started, and how it stands in ``run.json``."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from toolkit.errors import MissingExtra, RunError, UsageError
from toolkit.kinds.language.task import LanguageTask
from toolkit.models.endpoint import Settings
from toolkit.models.paths import is_local
from toolkit.runs.run import Run
from toolkit.task import Task

KEY = "systems"
"""The key of ``run.json`` with what is named here."""
OPENAI = "https://api.openai.com/v1"
ADDRESS = "OPENAI_BASE_URL"
API_KEY = "OPENAI_API_KEY"
PARALLEL = 8
PREFIXES = {"openai": "chat", "openai-text": "text", "run": "run"}
"""What stands before the colon → the kind of system."""

Kind = Literal["chat", "text", "run", "model"]


@dataclass(frozen=True)
class Rung:
    """One further system.

    Args:
        kind: ``chat`` and ``text`` ask an API for completions of a chat or of a text, ``run`` is
            another run's adapter, ``model`` another untouched model.
        of: the model at the API, the folder of the run, or the model.
        system: the name of the system.
    """

    kind: Kind
    of: str
    system: str

    @property
    def asks(self) -> bool:
        """Whether it sends rows to an API."""
        return self.kind in ("chat", "text")


@dataclass(frozen=True)
class Asking:
    """How APIs are asked.

    Args:
        max_cost: the most that all of them together may cost; ``None``: no cap.
        prices_in, prices_out: model → price of a million tokens; ``""`` stands for all models.
        parallel: requests at a time.
        max_tokens: the most tokens of an answer; ``None``: those of the task.
        cache: the file of answers; ``None``: ``.answers.sqlite`` in the folder of runs.
    """

    max_cost: float | None = None
    prices_in: Mapping[str, float] = field(default_factory=dict)
    prices_out: Mapping[str, float] = field(default_factory=dict)
    parallel: int = PARALLEL
    max_tokens: int | None = None
    cache: str | None = None

    def settings(self, model: str, *, cache: Path | None, max_tokens: int = 64) -> Settings:
        """How one model is asked; address and key are those of the environment.

        Raises:
            UsageError: a price is missing, or the address or the key cannot be used.
        """
        url = (os.environ.get(ADDRESS) or OPENAI).strip()
        if url == OPENAI and not os.environ.get(API_KEY):
            raise UsageError(
                f"{API_KEY} is not set; for another server than OpenAI's, set {ADDRESS} to its "
                "address, up to and including /v1"
            )
        made = Settings(
            url=url, model=model, budget=self.max_cost, price_in=self._price("in", model),
            price_out=self._price("out", model), max_tokens=self.max_tokens or max_tokens,
            cache=cache, key=API_KEY, called="the endpoint", named=ADDRESS,
        )  # fmt: skip
        made.headers()
        return made

    def _price(self, which: str, model: str) -> float:
        prices: Mapping[str, float] = getattr(self, f"prices_{which}")
        return prices.get(model, prices.get("", 0.0))


def rungs(task: type[Task], texts: Sequence[str], runs: Path) -> list[Rung]:
    """What ``--system`` names.

    Args:
        task: the run's task.
        texts: the options' values.
        runs: the folder of all runs.

    Raises:
        UsageError: one is named twice, or cannot answer this task.
    """
    found: list[Rung] = []
    for text in texts:
        prefix, colon, rest = text.partition(":")
        kind = PREFIXES.get(prefix) if colon else None
        if kind == "run":
            one = _of_run(task, rest, runs)
        elif kind is not None:
            one = _of_api(task, kind, rest)
        else:
            one = _of_model(text)
        if any(one.system == other.system for other in found):
            raise UsageError(f"--system {text!r:.100} is named twice")
        found.append(one)
    return found


def _of_api(task: type[Task], kind: str, model: str) -> Rung:
    if not model.strip() or not model.isprintable():
        raise UsageError("--system openai: needs the name of a model, such as openai:gpt-4o-mini")
    if not issubclass(task, LanguageTask):
        raise UsageError(
            f"--system openai:{model:.100} cannot answer {task.name}, whose model writes no text"
        )
    if missing := [n for n in ("httpx", "tenacity") if importlib.util.find_spec(n) is None]:
        raise MissingExtra(f"--system openai: (without {missing[0]})", "api")
    made: Kind = "text" if kind == "text" else "chat"
    return Rung(made, model, _name("api", model))


def _of_run(task: type[Task], name: str, runs: Path) -> Rung:
    if not name.strip():
        raise UsageError("--system run: needs the ID or the folder of a run")
    run = Run.find(name, runs)
    if run.info["task"] != task.name:
        raise UsageError(
            f"--system run:{name:.100} is a run of {run.info['task']}, and this one of {task.name}"
        )
    if not run.done("train"):
        raise UsageError(f"run {run.id} has no adapter yet; go on: toolkit resume {run.path}")
    return Rung("run", str(run.path.resolve()), _name("run", run.id))


def _of_model(model: str) -> Rung:
    if not model.strip() or not model.isprintable():
        raise UsageError("--system needs a model, run:ID or openai:MODEL")
    looks = Path(model).expanduser()
    if model.startswith((".", "/", "~")) and not looks.is_dir():
        raise UsageError(f"--system {model:.200}: there is no such folder")
    of = str(looks.resolve()) if looks.is_dir() else model
    return Rung("model", of, _name("model", model))


def _name(prefix: str, called: str) -> str:
    last = called.rstrip("/").rpartition("/")[2]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.")[:60]
    return f"{prefix}-{stem or 'model'}"


def prices(texts: Sequence[str], option: str) -> dict[str, float]:
    """Prices of ``0.15`` (of all models) or ``MODEL=0.15``.

    Raises:
        UsageError: one is no number from 0 up.
    """
    found = {}
    for text in texts:
        model, _, number = text.rpartition("=")
        try:
            price = float(number)
        except ValueError:
            price = math.nan
        if not 0 <= price < math.inf:
            raise UsageError(f"{option} {text!r:.100}: give a price from 0 up, or MODEL=PRICE")
        found[model] = price
    return found


# -- run.json --------------------------------------------------------------------------------------
def noted(found: Sequence[Rung], asking: Asking) -> dict[str, Any]:
    """What ``run.json`` holds of them; raises :class:`UsageError` where one cannot be asked."""
    if not found:
        if asking != Asking():
            raise UsageError("options of an API need one: --system openai:MODEL")
        return {}
    for rung in found:
        if rung.asks:
            asking.settings(rung.of, cache=None)
    return {
        KEY: {"named": [dataclasses.asdict(rung) for rung in found],
              "asking": dataclasses.asdict(asking)}
    }  # fmt: skip


def of_run(run: Run) -> tuple[list[Rung], Asking]:
    """The further systems of a run, and how APIs are asked.

    Raises:
        RunError: ``run.json`` has no usable list of them.
    """
    found = run.info.get(KEY)
    if found is None:
        return [], Asking()
    try:
        named = [Rung(**entry) for entry in found["named"]]
        asking = Asking(**found["asking"])
        usable = all(
            rung.kind in ("chat", "text", "run", "model") and isinstance(rung.of, str)
            and re.fullmatch(r"(api|run|model)-[A-Za-z0-9._-]{1,60}", rung.system)
            for rung in named
        ) and 1 <= int(asking.parallel) <= 256  # fmt: skip
    except (KeyError, TypeError, ValueError):
        usable = False
    if not usable:
        raise RunError(f"{run.path / 'run.json'} has no usable {KEY}; was it edited?")
    return named, asking


def on_hub(info: Mapping[str, Any]) -> bool:
    """Whether a further system of ``run.json`` is a model on the Hugging Face Hub."""
    named = (info.get(KEY) or {}).get("named") or ()
    return any(one["kind"] == "model" and not is_local(one["of"]) for one in named)
