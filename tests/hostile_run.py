"""Run folders as somebody who means harm would send them.

Each of :data:`ATTACKS` changes a copy of a finished run. Code in it, were it to run, would write
the file :data:`MARK` beside the runs; paths in it lead to the folder :data:`OUTSIDE`, which nobody
may write to.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

MARK, OUTSIDE = "EVIL-CODE-RAN", "outside"
RUN_ID = "20260101-000000-hostile"
EVIL = """
from pathlib import Path

Path({mark!r}).write_text("it ran")

from toolkit_price_regression.task import PriceRegression


class Evil(PriceRegression):
    name = "price-regression"
"""
PAYLOAD = (
    '"><img src=x onerror="window.hit=1"><script>window.hit=1</script>'
    "</textarea></title></style></pre><svg onload=window.hit=1>"
    "[x](javascript:window.hit=1) ![y](javascript:window.hit=1) `</code>"
)
"""What would become an element, a script or a link wherever it is not escaped."""


@dataclass
class Hostile:
    """A hostile run folder.

    Args:
        path: the run's folder.
        place: holds all of the attacker's and the victim's files.
    """

    path: Path
    place: Path

    @property
    def mark(self) -> Path:
        return self.place / MARK

    @property
    def outside(self) -> Path:
        return self.place / OUTSIDE

    @property
    def evil(self) -> Path:
        return self.place / "evil.py"

    def change(self, name: str, change: Callable[[Any], Any]) -> None:
        """Change a JSON file of the run; what the function returns takes its place."""
        file = self.path / name
        content = json.loads(file.read_text())
        changed = change(content)
        file.write_text(json.dumps(content if changed is None else changed))


def copied(finished: Path, place: Path) -> Hostile:
    """A copy of a finished run among the runs of ``place``, with what attacks need beside it."""
    path = place / "runs" / finished.parent.name / RUN_ID
    shutil.copytree(finished, path)
    made = Hostile(path, place)
    made.outside.mkdir()
    (made.outside / "kept.txt").write_text("the victim's")
    made.evil.write_text(EVIL.format(mark=str(made.mark)))
    made.change("run.json", lambda info: info.update(id=RUN_ID))
    return made


def snapshot(made: Hostile) -> dict[str, str]:
    """The files outside of the run folder, with hashes, and what is in it by name."""
    found = {}
    for folder, names, files in os.walk(made.place):
        if Path(folder) == made.path:
            names.clear()
            continue
        for name in files:
            file = Path(folder, name)
            if not file.is_symlink():
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                found[str(file.relative_to(made.place))] = digest
    return found


class _Pickled:
    """Writes the mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.mark, "it ran")


# -- attacks ---------------------------------------------------------------------------------------
def task_file(made: Hostile) -> None:
    """The task is a Python file."""
    made.change("run.json", lambda info: info.update(plugin={"file": str(made.evil)}))


def task_class(made: Hostile) -> None:
    """The task is a class of a Python file."""
    made.change("run.json", lambda info: info.update(plugin={"file": f"{made.evil}:Evil"}))


def task_name(made: Hostile) -> None:
    """The task's name is a Python file."""
    made.change("run.json", lambda info: info.update(task=str(made.evil)))


def toml_task(made: Hostile) -> None:
    """The task is a TOML file that names Python."""
    file = made.place / "evil.toml"
    file.write_text(f"task = {json.dumps(str(made.evil))}\n")
    made.change("run.json", lambda info: info.update(plugin={"file": str(file)}))


def remote_code(made: Hostile) -> None:
    """The model brings code, and the run says that it may run."""
    folder = made.place / "model"
    folder.mkdir()
    (folder / "evil_code.py").write_text(made.evil.read_text() + "\n\nclass Config: ...\n")
    names = dict.fromkeys(("AutoConfig", "AutoModelForCausalLM"), "evil_code.Config")
    config = {"model_type": "evil", "auto_map": names}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = {"auto_map": {"AutoTokenizer": ["evil_code.Config", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))

    def change(info: dict[str, Any]) -> None:
        info["options"]["trust_remote_code"] = True
        info["recipe"]["model"] = str(folder)

    made.change("run.json", change)


def model_settings(made: Hostile) -> None:
    """The recipe gives consent by the arguments that the model is loaded with."""

    def change(info: dict[str, Any]) -> None:
        init = {"trust_remote_code": True, "attn_implementation": "evil/kernel"}
        info["recipe"]["training"]["model_init_kwargs"] = init

    made.change("run.json", change)


def uploads(made: Hostile) -> None:
    """The recipe writes logs elsewhere and sends the model away."""

    def change(info: dict[str, Any]) -> None:
        info["recipe"]["training"] |= {
            "push_to_hub": True, "hub_model_id": "evil/loot", "logging_dir": str(made.outside),
            "report_to": "tensorboard",
        }  # fmt: skip

    made.change("run.json", change)


def climbing_id(made: Hostile) -> None:
    """The ID leads out of the runs folder."""
    made.change("run.json", lambda info: info.update(id=f"../../{OUTSIDE}/run"))


def climbing_system(made: Hostile) -> None:
    """A system's file lies outside."""
    lines = made.path / "predictions" / "adapter.jsonl"
    shutil.copy(lines, made.outside / "adapter.jsonl")

    def change(entries: list[dict[str, Any]]) -> None:
        entries[-1]["file"] = f"../../../../{OUTSIDE}/adapter.jsonl"

    made.change("predictions/systems.json", change)


def climbing_name(made: Hostile) -> None:
    """A system's name leads outside."""

    def change(entries: list[dict[str, Any]]) -> None:
        entries[0]["name"] = f"../../../../{OUTSIDE}/new"

    made.change("predictions/systems.json", change)


def links(made: Hostile) -> None:
    """Folders and files that are written to are links to outside."""
    for name in ("report.html", "badge.svg", "metrics.json", "sheet.json", "forgetting.json"):
        (made.path / name).unlink(missing_ok=True)
        (made.path / name).symlink_to(made.outside / "kept.txt")
    (made.path / "checkpoints").symlink_to(made.outside, target_is_directory=True)


def pickled_adapter(made: Hostile) -> None:
    """The adapter's weights are a pickle."""
    import torch

    weights = made.path / "adapter" / "adapter_model.safetensors"
    weights.unlink()
    torch.save({"evil": _Pickled(made.mark)}, made.path / "adapter" / "adapter_model.bin")


def imported_module(made: Hostile) -> None:
    """The adapter's configuration names a module to import."""
    (made.place / "evil_module.py").write_text(made.evil.read_text())
    megatron = {"megatron_config": {"a": 1}, "megatron_core": "evil_module"}
    made.change("adapter/adapter_config.json", lambda config: config.update(megatron))


def pickled_checkpoint(made: Hostile) -> None:
    """The run is to be resumed from a checkpoint whose states are pickles."""
    import torch
    from transformers import TrainerState

    folder = made.path / "checkpoints" / "adapter" / "checkpoint-3"
    folder.parent.mkdir(parents=True)
    shutil.move(made.path / "adapter", folder)
    state = TrainerState(
        global_step=3, max_steps=12, train_batch_size=4, best_model_checkpoint=str(made.outside)
    )
    state.save_to_json(str(folder / "trainer_state.json"))
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"):
        torch.save({"evil": _Pickled(made.mark)}, folder / name)

    def change(info: dict[str, Any]) -> None:
        for stage in ("train", "predict", "score", "report"):
            del info["stages"][stage]

    made.change("run.json", change)


def all_in_one(made: Hostile) -> None:
    """All that goes together in one folder: whatever is refused first, the rest lies behind it."""
    for attack in (
        remote_code, model_settings, uploads, imported_module, climbing_system, climbing_name,
        links, pickled_adapter, task_file, climbing_id,
    ):  # fmt: skip
        attack(made)


ATTACKS: tuple[Callable[[Hostile], None], ...] = (
    all_in_one, task_file, task_class, task_name, toml_task, remote_code, model_settings, uploads,
    climbing_id, climbing_system, climbing_name, links, pickled_adapter, imported_module,
    pickled_checkpoint,
)  # fmt: skip
"""All in one, and each by itself: the first that is refused would hide the others."""


# -- payloads --------------------------------------------------------------------------------------
def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all texts in JSON values."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(inside, (*path, key))
    elif isinstance(value, list):
        for i, inside in enumerate(value):
            yield from leaves(inside, (*path, i))


def put(value: Any, path: tuple[Any, ...], text: str) -> None:
    """Put a text in a place of JSON values."""
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = text


def with_payloads(
    content: Any, show: Callable[[Any], None], places: list[tuple[Any, ...]] | None = None
) -> int:
    """Show content with a payload in all its texts; returns in how many of them it was shown.

    Where that cannot be shown, as some text is a name that others refer to, each half of them is
    tried by itself.

    Args:
        content: JSON values.
        show: raises ``AssertionError`` where the payload is more than text, and any other exception
            where nothing is shown at all.
        places: only these texts.
    """
    places = list(leaves(content)) if places is None else places
    changed = copy.deepcopy(content)
    for place in places:
        put(changed, place, f"{at(content, place)}{PAYLOAD}")
    try:
        show(changed)
    except AssertionError:
        raise
    except Exception:
        half = len(places) // 2
        if not half:
            return 0
        parts = places[:half], places[half:]
        return sum(with_payloads(content, show, part) for part in parts)
    return len(places)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


class Injected(HTMLParser):
    """Finds what the payload would make of a page: elements, attributes, links.

    The sandboxed pages within a page are read too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"<{tag} {name}={value}>")
            if name == "srcdoc":
                self.found += injected(value or "")

    def handle_data(self, data: str) -> None:
        if self._script and "window.hit" in data:
            self.found.append(f"<script>{data}")

    def handle_endtag(self, tag: str) -> None:
        self._script = False


def injected(page: str) -> list[str]:
    """What of the payload has become part of a page, and is not only its text."""
    parser = Injected()
    parser.feed(page)
    parser.close()
    return parser.found
