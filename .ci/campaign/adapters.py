"""Adapters of other tools, judged: are they asked as they are asked in plain transformers and PEFT?

    python .ci/campaign/adapters.py --unsloth PYTHON --llama-factory PYTHON [--bases A,B]
        [--tools trl,peft,unsloth,llama-factory] [--smollm2] [--steps N] [--log FILE]

Each tool trains an adapter in an interpreter of its own (``trainers/``). Then 200 test rows are
answered one by one by ``PeftModel.from_pretrained`` and ``generate``, and ``toolkit evaluate``'s
answers must be the same on all of them. The adapter merged into its base is judged beside it, and
the adapter in memory by ``toolkit.evaluate``, which must give the figures of the folder and leave
the model as it was. An adapter of a run of the toolkit is judged without ``toolkit.json`` and must
have the figures of its run. The log is a table for the docs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TRAINERS = Path(__file__).parent / "trainers"
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "plugins"), str(ROOT / "playground")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from toolkit.system import environment  # noqa: E402

environment.prepare(offline=True)

import evaluations as judging  # noqa: E402
from toolkit.testing.layouts import build_layout  # noqa: E402

TOOLS = {"trl": "task", "peft": "task", "unsloth": "adapter", "llama-factory": "adapter"}
"""Each tool, and whose prompts its adapter was trained with."""
LIBRARIES = "transformers peft trl unsloth llamafactory"
PARTS = ("answers", "merged", "memory", "here")
"""Answers and the verdict; the merged model; the model in memory; an adapter of a run."""
COLUMNS = (
    "base", "tool", "answers equal", "different answers", "merged: answers equal",
    "metric, adapter and merged", "in memory", "verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A folder with the task, its rows and a base."""

    folder: Path
    base: Path
    steps: int
    tokens: int

    @property
    def task(self) -> Path:
        return self.folder / "q.toml"

    @property
    def test(self) -> Path:
        return self.folder / "test.csv"


def main() -> int:
    """Run the cases; 1 where one fails."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--unsloth", help="an interpreter that has Unsloth")
    options.add_argument("--llama-factory", help="an interpreter that has LLaMA-Factory")
    options.add_argument("--bases", default="llama-3-instruct,qwen2.5-instruct")
    options.add_argument("--tools", default=",".join(TOOLS))
    options.add_argument("--parts", default=",".join(PARTS), help="what is looked at")
    options.add_argument("--smollm2", action="store_true", help="SmolLM2-135M too, in few steps")
    options.add_argument("--steps", type=int, help="of each training")
    options.add_argument("--log", type=Path, help="write the table here")
    given = options.parse_args()
    pythons = {
        "trl": sys.executable, "peft": sys.executable, "unsloth": given.unsloth,
        "llama-factory": given.llama_factory,
    }  # fmt: skip
    tools = [tool for tool in given.tools.split(",") if pythons[tool]]
    warnings.simplefilter("ignore")
    started, work = time.time(), Path(tempfile.mkdtemp(prefix="toolkit-adapters-"))
    lines, faults = [], []
    parts = given.parts.split(",")
    names = [name for name in given.bases.split(",") if name]
    for name in [*names, *(["smollm2-135m"] if given.smollm2 else [])]:
        place = _place(work / name, name, given.steps)
        if "here" in parts:
            lines.append(_trained_here(place, name))
        for tool in tools:
            try:
                cells, wrong = _case(place, tool, pythons[tool], parts)
            except Exception as error:
                cells, wrong = [], [" ".join(f"{type(error).__name__}: {error}".split())[:400]]
            lines.append([name, tool, *cells])
            faults += [f"{name}, {tool}: {what}" for what in wrong]
            print(*lines[-1], *wrong, sep=" | ", flush=True)
    shutil.rmtree(work, ignore_errors=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    head = (
        f"commit {commit}, {time.strftime('%Y-%m-%d %H:%M')}, {time.time() - started:.0f} s; "
        f"{len(faults)} faults"
    )
    versions = [f"- {tool}: {_versions(pythons[tool])}" for tool in tools]
    table = [COLUMNS, ["---"] * len(COLUMNS), *lines]
    rows = [f"| {' | '.join([*line, *[''] * (len(COLUMNS) - len(line))])} |" for line in table]
    text = "\n".join([head, "", *versions, "", *rows, "", *(f"- {fault}" for fault in faults)])
    print(text)
    if given.log:
        given.log.write_text(f"{text.rstrip()}\n", encoding="utf-8")
    return int(bool(faults))


def _place(folder: Path, name: str, steps: int | None) -> Place:
    folder.mkdir(parents=True)
    judging.questions(folder / "train.csv", range(40))
    judging.questions(folder / "test.csv", range(100, 150))
    real = name == "smollm2-135m"
    tokens = 4 if real else 8
    (folder / "q.toml").write_text(judging.PROMPTS.replace("= 8", f"= {tokens}"))
    if real:
        from toolkit.models import packaged

        base = Path(shutil.copytree(packaged.path(name), folder / "base"))
    else:
        base = judging.lively(build_layout(name, folder / "random"), folder / "base")
    _in_float32(base)
    return Place(folder, base, steps or (4 if real else 12), tokens)


def _in_float32(base: Path) -> None:
    """Save a model anew, so that two ways to the same answer do not differ where tokens tie."""
    import torch
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).save_pretrained(str(base))


def _versions(python: str) -> str:
    code = (
        "from importlib.metadata import version, PackageNotFoundError\n"
        f"for name in {LIBRARIES!r}.split():\n"
        "    try: print(name, version(name))\n"
        "    except PackageNotFoundError: pass"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=_plain())
    return ", ".join(done.stdout.splitlines())


def _plain() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


# -- one adapter ----------------------------------------------------------------------------------
def _trained_here(place: Place, name: str) -> list[str]:
    """An adapter of a run, without ``toolkit.json``: the figures of its run."""
    run = judging.trained_here(
        place.task, place.base, place.folder / "train.csv", place.test, place.folder / "here"
    )
    plain = judging.stripped(run.path, place.folder / "plain")
    found = judging.judge(
        place.task, [plain], place.test, place.folder / "runs-here", base=place.base,
        train=place.folder / "train.csv", prompt="task",
    )  # fmt: skip
    equal = _equal(found.predictions("adapter"), run.predictions("adapter"))
    same = (
        found.metrics["systems"]["adapter"]["metrics"]
        == run.metrics["systems"]["adapter"]["metrics"]
    )
    figures = "figures equal" if same else "FIGURES DIFFER"
    return [name, f"toolkit run; {figures}", f"{equal} of 200"]


def _case(
    place: Place, tool: str, python: str, parts: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The cells of the table, and what is wrong."""
    way, wrong = TOOLS[tool], []
    adapter = place.folder / tool
    _train(place, tool, python, adapter, way)
    found = judging.judge(
        place.task, [adapter], place.test, place.folder / f"runs-{tool}", base=place.base,
        prompt=way,
    )  # fmt: skip
    answers = found.predictions("adapter")
    expected = _generated(place, adapter, way)
    equal = sum(a == b for a, b in zip(answers.values(), expected, strict=True))
    if equal < len(expected):
        pairs = zip(answers.values(), expected, strict=True)
        wrong.append(f"answers differ, such as {next(p for p in pairs if p[0] != p[1])}")
    share, figures, memory = "", "", ""
    if "merged" in parts:
        share, figures = _merged(place, tool, adapter, way)
    if "memory" in parts:
        memory = _in_memory(place, tool, adapter, way, found)
    if memory not in ("", "same, unchanged"):
        wrong.append(memory)
    verdict = {True: "worth it", False: "not worth it", None: "cannot tell"}
    cells = [
        f"{equal} of {len(expected)}", str(len(set(expected))), share, figures, memory,
        verdict[found.metrics["verdict"]["worth_it"]],
    ]  # fmt: skip
    return cells, wrong


def _train(place: Place, tool: str, python: str, out: Path, way: str) -> None:
    script = TRAINERS / f"by_{tool.replace('-', '_')}.py"
    chat = ["chat"] if way == "adapter" else []
    done = subprocess.run(
        [python, str(script), str(place.base), str(place.folder / "train.csv"), str(out),
         str(place.steps), *chat],
        cwd=place.folder, env=_plain(), capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{script.name} failed: {done.stderr[-300:]}")


def _loaded(place: Place, adapter: Path) -> tuple[Any, Any]:
    """The adapter in plain transformers and PEFT, with its own tokenizer where it has one."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    own = adapter if (adapter / "tokenizer_config.json").is_file() else place.base
    base = AutoModelForCausalLM.from_pretrained(place.base, dtype="auto")
    return PeftModel.from_pretrained(base, str(adapter)), AutoTokenizer.from_pretrained(own)


def _generated(place: Place, adapter: Path, way: str) -> list[str]:
    """The answers of plain transformers and PEFT, row by row."""
    import torch

    model, tokenizer = _loaded(place, adapter)
    model.eval()
    stops = model.generation_config.eos_token_id
    stops = {tokenizer.eos_token_id, *(stops if isinstance(stops, list) else [stops])} - {None}
    answers = []
    for row in judging.read(place.test):
        text = f"{row['q']}\n"
        if way == "adapter":
            chat = [{"role": "user", "content": text}]
            text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        plain = way == "task"
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=plain)
        with torch.inference_mode():
            out = model.generate(
                **ids, max_new_tokens=place.tokens, do_sample=False, eos_token_id=sorted(stops),
                pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        answer = out[0][ids["input_ids"].shape[1] :]
        answers.append(tokenizer.decode(answer, skip_special_tokens=True).strip())
    return answers


def _merged(place: Place, tool: str, adapter: Path, way: str) -> tuple[str, str]:
    """Equal answers of adapter and merged model, and the metric of both."""
    whole = judging.merged(place.base, adapter, place.folder / f"{tool}-merged")
    if (adapter / "tokenizer_config.json").is_file():
        for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            if (adapter / file).is_file():
                shutil.copyfile(adapter / file, whole / file)
    found = judging.judge(
        place.task, [adapter, whole], place.test, place.folder / f"runs-{tool}-merged",
        base=place.base, prompt=way,
    )  # fmt: skip
    mine, theirs = found.predictions(tool), found.predictions(whole.name)
    figures = f"{found.figure(tool):.4f}, {found.figure(whole.name):.4f}"
    return f"{_equal(mine, theirs)} of 200", figures


def _in_memory(place: Place, tool: str, adapter: Path, way: str, found: judging.Judged) -> str:
    """What ``toolkit.evaluate`` makes of the loaded model: the folder's answers, and no change."""
    import toolkit

    model, tokenizer = _loaded(place, adapter)
    before = _state(model)
    said = toolkit.evaluate(
        model, tokenizer, place.task, place.test, prompt=way, runs=place.folder / f"memory-{tool}"
    )
    if _state(model) != before:
        return "THE MODEL HAS CHANGED"
    mine = judging.Judged(said.path, said.metrics)
    equal = _equal(mine.predictions("adapter"), found.predictions("adapter"))
    same = mine.figure("adapter") == found.figure("adapter")
    return "same, unchanged" if same and equal == 200 else f"{equal} answers of 200 are equal"


def _state(model: Any) -> tuple[Any, ...]:
    """Weights, modes, active adapters and generation settings."""
    total = hashlib.sha256()
    for name, weight in model.state_dict().items():
        total.update(name.encode() + weight.detach().float().contiguous().numpy().tobytes())
    return (
        total.hexdigest(), [module.training for module in model.modules()],
        list(model.active_adapters), model.generation_config.to_dict(), sorted(model.peft_config),
    )  # fmt: skip


def _equal(mine: dict[int, Any], theirs: dict[int, Any]) -> int:
    return sum(mine[row] == theirs[row] for row in mine)


if __name__ == "__main__":
    sys.exit(main())
