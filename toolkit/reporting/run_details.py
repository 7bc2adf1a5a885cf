"""The report's sections on data, settings and environment: from ``run.json`` and preflight.

Other stages write both files, and earlier versions wrote less, so every value may be absent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from toolkit import formatting
from toolkit.models import hub_id, packaged
from toolkit.reporting.render import Markdown

Info = Mapping[str, Any]

MOST_TOKENS = 1500
"""The most tokens of the prompt that are shown."""
MOST_ROWS = 30
"""The most row numbers that are listed for one reason why rows are left out."""


def content(doc: Info, info: Info, preflight: Info) -> dict[str, Any]:
    """The values of this module by the names that the templates use.

    Args:
        doc: ``metrics.json``.
        info: ``run.json``.
        preflight: ``data/preflight.json``; empty where there is none.
    """
    checks = data_checks(preflight, info)
    return {
        "prompt": prompt(preflight),
        "preflight": checks,
        "settings": flat(info.get("recipe", {})),
        "surroundings": surroundings(info, doc),
        "load": load_snippet(info),
        "card": Markdown(front_matter(info, doc)),
        "base_note": Markdown(base_note(info)),
        "sizes": [(name, formatting.number(n)) for name, n in checks["sizes"].items()],
    }


def prompt(preflight: Info) -> dict[str, Any] | None:
    """The tokens of one example with the loss mask, and how many there are."""
    tokens = preflight.get("prompt_tokens") or []
    if not tokens:
        return None
    return {
        "tokens": [
            {"text": visible(t["text"]), "loss": bool(t["loss"])} for t in tokens[:MOST_TOKENS]
        ],
        "total": len(tokens),
        "target": preflight.get("prompt_target"),
        "judged": bool(preflight.get("judged")),
        "trained": sum(bool(t["loss"]) for t in tokens),
        "cut": len(tokens) > MOST_TOKENS,
    }


def visible(token: str) -> str:
    """A token with a sign before each line break; the page's CSS keeps the other blanks."""
    return token.replace("\n", "⏎\n")


def lengths(preflight: Info) -> tuple[list[float], list[int], int | None] | None:
    """The histogram of token counts: edges, counts and limit."""
    found = preflight.get("lengths") or {}
    if not found.get("counts"):
        return None
    return list(found["edges"]), list(found["counts"]), found.get("limit")


def data_checks(preflight: Info, info: Info) -> dict[str, Any]:
    """Preflight's findings on the data, in sentences, with sizes and fingerprint."""
    left_out = []
    for reason, rows in (preflight.get("left_out") or {}).items():
        listed = ", ".join(f"{row:,}" for row in rows[:MOST_ROWS])
        more = f" and {len(rows) - MOST_ROWS:,} more" if len(rows) > MOST_ROWS else ""
        left_out.append({"reason": reason, "n": len(rows), "rows": listed + more})
    leak = preflight.get("leak") or {}
    return {
        "left_out": left_out,
        "notes": [formatting.sentence(note) for note in preflight.get("notes") or []],
        "warnings": [formatting.sentence(warning) for warning in preflight.get("warnings") or []],
        "no_leak": formatting.sentence(leak["sentence"]) if leak and not leak["serious"] else None,
        "sizes": info.get("data", {}).get("sizes") or {},
        "fingerprint": info.get("data", {}).get("fingerprint"),
    }


def flat(settings: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as pairs of name and value, such as ``training.learning_rate`` and 0.001."""
    rows: list[tuple[str, str]] = []
    for key, value in settings.items() if isinstance(settings, Mapping) else ():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            rows += flat(value, f"{name}.")
        elif value not in (None, {}, []):
            rows.append((name, value if isinstance(value, str) else json.dumps(value, default=str)))
    return rows


def surroundings(info: Info, doc: Info) -> dict[str, list[tuple[str, str]]]:
    """Training in figures, time by stage, versions, hardware: tables of two columns."""
    training = info.get("training") or {}
    stages = [
        (name, formatting.duration(stage.get("seconds")))
        for name, stage in info.get("stages", {}).items()
        if name != "report"  # which writes this page and is not finished
    ]
    return {
        "Training": _training(training),
        "Training all parameters instead (estimated, not run)": _full_training(doc),
        "Time by stage": stages,
        "Versions": flat(info.get("versions") or {}),
        "Hardware": flat(info.get("hardware") or {}),
    }


def _training(training: Info) -> list[tuple[str, str]]:
    rows = []
    trained, total = training.get("parameters_trained"), training.get("parameters_total")
    if trained is not None:
        share = f" of {total:,} ({trained / total:.1%})" if total else ""
        if total and trained < total:
            share += f", {1 - trained / total:.1%} fewer than full fine-tuning"
        rows.append(("parameters trained", f"{trained:,}{share}"))
    for key, name, form in (
        ("rows", "rows", formatting.number),
        ("steps", "steps", formatting.number),
        ("seconds", "time", formatting.duration),
        ("tokens", "tokens", formatting.number),
        ("tokens_per_second", "tokens per second", lambda v: formatting.number(v, ",.0f")),
        ("peak_memory_mb", "peak memory", lambda v: formatting.figure(v, ",.0f", "MB")),
        ("gpu_peak_memory_mb", "GPU memory", lambda v: formatting.figure(v, ",.0f", "MB")),
        ("gpu_percent", "GPU used", lambda v: formatting.figure(v, ",.0f", "%")),
        ("gpu_watts", "GPU power", lambda v: formatting.figure(v, ",.0f", "W")),
        ("planned_steps", "planned steps", formatting.number),
        ("minutes", "time limit", lambda v: formatting.duration(60 * v)),
        ("best_step", "checkpoint kept", _kept),
        ("stopped_early", "stopped early", lambda v: "yes" if v else "no"),
        ("unfinished", "unfinished", lambda v: f"{v['share']:.0%} done; {v['reason']}"),
    ):
        if training.get(key) is not None:
            rows.append((name, form(training[key])))
    return rows


def _kept(step: int) -> str:
    return f"step {step:,}" if step else "the start: no step was better than the linear probe"


def _full_training(doc: Info) -> list[tuple[str, str]]:
    """What full fine-tuning would take beside what the run took; empty where nothing is known.

    Both figures of memory are estimates, so that they are comparable.
    """
    found = doc.get("full_fine_tuning")
    if not found:
        return []

    def line(key: str, form: Callable[[Any], str], what: str = "") -> str:
        mine, full = found[key]["run"], found[key]["full"]
        here = "" if mine is None else f" ({what}this run {form(mine)})"
        return f"about {form(full)}{here}"

    def size(value: float) -> str:
        return formatting.figure(value, ",.0f" if value >= 10 else ",.1f", "MB")

    return [
        ("parameters trained", formatting.number(found["parameters"]["full"])),
        ("peak memory", line("memory_mb", size, "estimated in the same way, ")),
        ("time", line("seconds", formatting.duration)),
        ("checkpoint", line("checkpoint_mb", size)),
        (
            "the estimate of the time",
            f"the same tokens at {1 / found['times_longer']:.0%} of the measured speed: 6 "
            "operations a parameter and token where all are trained, about 4 with an adapter",
        ),
    ]


def load_snippet(info: Info) -> str:
    """Five lines of Python that load the adapter with PEFT, or three for a fully trained model."""
    cls = str(info.get("auto_class", ""))
    if not cls.isidentifier():  # a reader will paste it
        cls = "AutoModelForCausalLM"
    # The base of an encoder has no head, so ``from_pretrained`` needs the head's size.
    labels = (info.get("head") or {}).get("num_labels")
    head = f", num_labels={labels}" if isinstance(labels, int) and labels else ""
    source = str(info.get("recipe", {}).get("model", ""))
    embedded, in_package = source.startswith("embedded:"), source in packaged.NAMES
    if info.get("recipe", {}).get("lora", {}) is None:
        weights = json.dumps(str((info.get("training") or {}).get("weights") or "adapter"))
        return (
            f"from transformers import {cls}, AutoTokenizer\n"
            f"model = {cls}.from_pretrained({weights})\n"
            'tokenizer = AutoTokenizer.from_pretrained("adapter")'
        )
    named = json.dumps(source.removeprefix("embedded:"))
    imports = [
        "from peft import PeftModel",
        *(["from toolkit import models"] if embedded or in_package else []),
        f"from transformers import {cls}, AutoTokenizer",
    ]
    place = f"models.path({named})" if embedded else named
    place = f"models.model_path({named})" if in_package else place
    base = f"{cls}.from_pretrained({place}{head})"
    load = (
        [f'model = PeftModel.from_pretrained({base}, "adapter")']
        if (embedded or in_package) and not head
        else [f"base = {base}", 'model = PeftModel.from_pretrained(base, "adapter")']
    )
    return "\n".join([*imports, *load, 'tokenizer = AutoTokenizer.from_pretrained("adapter")'])


def base_note(info: Info) -> str:
    """What the base's name stands for, where this toolkit has given it; else nothing."""
    named = packaged.NAMES.get(str(info.get("recipe", {}).get("model", "")))
    return f"`{info['recipe']['model']}`: {named.meaning}." if named else ""


def front_matter(info: Info, doc: Info) -> str:
    """The model card's YAML; it names the base model only where that is on the Hub."""
    whole = info.get("recipe", {}).get("lora", {}) is None
    lines = [f"library_name: {'transformers' if whole else 'peft'}"]
    model = str(info.get("recipe", {}).get("model", ""))
    if found := hub_id(model):
        lines.append(f"base_model: {json.dumps(found)}")
    return "\n".join([*lines, "tags:", "- adapter-toolkit", f"- {json.dumps(doc['task'])}"])
