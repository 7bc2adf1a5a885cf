"""Folders as other tools leave them, and evaluations of them in this process."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli_runner import write_csv

PROMPTS = """kind = "causal-lm"
prompt = "{q}\\n"
target = "a"
metrics = ["token_f1"]

[recipe.generation]
max_new_tokens = 8
"""
CLASSES = ("shop", "car", "home")
"""The classes in the order that the scripts below train them in, which is not sorted."""
WORDS = {"shop": ("red", "cup", "cost"), "car": ("blue", "lamp"), "home": ("chair", "bed", "desk")}
GOODS = ("cup", "lamp", "chair", "desk", "bed")


@dataclass(frozen=True)
class Judged:
    """A finished evaluation: its folder and ``metrics.json``."""

    path: Path
    metrics: Mapping[str, Any]

    def predictions(self, system: str, split: str = "test") -> dict[int, Any]:
        """Row number → prediction of a system."""
        text = (self.path / "predictions" / f"{system}.jsonl").read_text()
        lines = map(json.loads, text.splitlines())
        return {line["row_id"]: line["prediction"] for line in lines if line["split"] == split}

    def figure(self, system: str) -> float:
        """A system's primary metric."""
        entry = self.metrics["systems"][system]["metrics"][self.metrics["primary_metric"]]
        return float(entry["value"])

    def warnings(self) -> str:
        """What the checks before predicting say, in one text."""
        found = json.loads((self.path / "data" / "preflight.json").read_text())
        return " ".join([*found["notes"], *found["warnings"]])


def judge(
    task: Path, names: Sequence[Path], data: Path, runs: Path, *, base: Path | None = None,
    train: Path | None = None, validation: Path | None = None, **options: Any,
) -> Judged:  # fmt: skip
    """What ``toolkit evaluate`` does, in this process."""
    from toolkit.pipeline import evaluate
    from toolkit.pipeline.run import execute
    from toolkit.system.console import Console

    found, source = _found(task, data, train, validation)
    run = evaluate.start(
        found, [str(name) for name in names], source, base=str(base) if base else None,
        untrained=train is None, runs=runs,
        options={"seed": 0, "seeds": 1, "store_data": True, "allow_truncation": True}, **options,
    )  # fmt: skip
    execute(run, Console(quiet=True))
    return Judged(run.path, json.loads((run.path / "metrics.json").read_text()))


def _found(task: Path, data: Path, train: Path | None, validation: Path | None) -> tuple[Any, Any]:
    from toolkit.pipeline import evaluate
    from toolkit.plugins import file_options, lookup

    found = lookup.find(str(task))
    given = file_options.merged(found, {"data": str(data)})
    return found, evaluate.source_of(
        given, data=str(data), train=str(train) if train else None,
        validation=str(validation) if validation else None,
    )  # fmt: skip


def trained_here(
    task: Path, model: Path, train: Path, test: Path, runs: Path, *sets: str, seeds: int = 1
) -> Judged:
    """What ``toolkit run`` does, in this process and in a few steps."""
    from toolkit.pipeline import start
    from toolkit.pipeline.run import execute
    from toolkit.plugins import file_options, lookup, recipes
    from toolkit.system.console import Console

    found = lookup.find(str(task))
    quick = [
        "training.max_steps=6", "training.eval_strategy=steps", "training.eval_steps=6",
        "training.save_steps=6", "training.per_device_train_batch_size=8", "training.bf16=false",
        "training.report_to=none", "training.learning_rate=0.001", "training.max_length=128",
        "training.model_init_kwargs=none",
    ]  # fmt: skip
    run = start.start(
        found, recipes.resolve(found, model=str(model), sets=[*quick, *sets]),
        file_options.merged(found, {"train": str(train), "test": str(test)}), runs=runs,
        options={"seed": 0, "seeds": seeds, "store_data": True},
    )  # fmt: skip
    execute(run, Console(quiet=True))
    return Judged(run.path, json.loads((run.path / "metrics.json").read_text()))


def stripped(run: Path, folder: Path) -> Path:
    """An adapter of a run without anything of the toolkit's: what plain PEFT would have saved."""
    folder.mkdir(parents=True)
    for file in (run / "adapter").iterdir():
        if file.is_file() and file.name not in (
            "toolkit.json", "training.json", "test_results.json",
        ):  # fmt: skip
            shutil.copyfile(file, folder / file.name)
    return folder


# -- rows --------------------------------------------------------------------------------------
def questions(path: Path, numbers: range) -> Path:
    """Questions whose answers follow from a number; four for each number."""
    return write_csv(
        path,
        [{"q": f"how many {colour} in {n}", "a": str(n * 7 % 10)}
         for n in numbers for colour in ("red", "blue", "green", "white")],
    )  # fmt: skip


def sorts(path: Path, rows: int, seed: int) -> Path:
    """Texts of three classes."""
    source = random.Random(seed)
    made = []
    for number in range(rows):
        label = CLASSES[number % 3]
        words = source.choices([*WORDS[label], "the", "is", "a"], k=7)
        made.append({"text": f"{' '.join(words)} {number + 1000 * seed}", "label": label})
    return write_csv(path, made)


def spans(path: Path, rows: int, seed: int) -> Path:
    """Contexts with the name of a good in them, in SQuAD's form."""
    source = random.Random(seed)
    paragraphs = []
    for number in range(rows):
        good = source.choice(GOODS)
        context = f"a {source.choice(('red', 'blue'))} {good} is the home {number + 1000 * seed}"
        answer = {"text": good, "answer_start": context.index(good)}
        asked = {"id": str(number), "question": "which good?", "answers": [answer]}
        paragraphs.append({"title": f"{number}", "paragraphs": [{"context": context,
                                                                  "qas": [asked]}]})  # fmt: skip
    path.write_text(json.dumps({"version": "1.1", "data": paragraphs}))
    return path


def lively(base: Path, out: Path, factor: float = 6.0) -> Path:
    """A random model whose answers differ from row to row: its weights are larger."""
    import torch
    from transformers import AutoModelForCausalLM

    shutil.copytree(base, out)
    model = AutoModelForCausalLM.from_pretrained(base)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(factor)
    model.save_pretrained(str(out))
    return out


# -- scripts of other tools ------------------------------------------------------------------------
def plain_trl(base: Path, out: Path, *, chat: bool) -> Path:
    """An adapter as TRL's ``SFTTrainer`` saves it."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    rows = [(f"how many red in {n}", str(n * 7 % 10)) for n in range(64)]
    if chat:
        examples = [
            {"prompt": [{"role": "user", "content": q}],
             "completion": [{"role": "assistant", "content": a}]} for q, a in rows
        ]  # fmt: skip
    else:
        examples = [{"prompt": f"{q}\n", "completion": f" {a}"} for q, a in rows]
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(base),
        args=SFTConfig(output_dir=str(out.with_name(f"{out.name}-steps")), max_steps=12,
                       learning_rate=2e-3, per_device_train_batch_size=8, report_to="none",
                       save_strategy="no", bf16=False, use_cpu=True, disable_tqdm=True),
        train_dataset=Dataset.from_list(examples),
        processing_class=AutoTokenizer.from_pretrained(base),
        peft_config=LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"),
    )  # fmt: skip
    trainer.train()
    trainer.save_model(str(out))
    return out


def plain_peft(base: Path, out: Path, *, scale: float = 0.3, **fields: Any) -> Path:
    """An adapter as plain PEFT saves it; its second factors are random, or zero at scale 0."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = {"r": 4, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **fields}
    torch.manual_seed(0)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**config))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=scale)
    model.save_pretrained(str(out))
    return out


def merged(base: Path, adapter: Path, out: Path) -> Path:
    """A whole model with an adapter merged into its weights, as PEFT and transformers save it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(adapter))
    model.merge_and_unload().save_pretrained(str(out))
    AutoTokenizer.from_pretrained(base).save_pretrained(str(out))
    return out


def plain_classifier(base: Path, out: Path, rows: Path, *, lora: bool, named: bool = True) -> Path:
    """A classifier as transformers' ``Trainer`` and PEFT leave it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    names = dict(enumerate(CLASSES))
    extra: dict[str, Any] = {"num_labels": 3}
    if named:
        extra = {"id2label": names, "label2id": {name: i for i, name in names.items()}}
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(base, **extra)
    if lora:
        model = get_peft_model(
            model, LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"])
        )
    examples = [
        {**tokenizer(row["text"]), "labels": CLASSES.index(row["label"])} for row in read(rows)
    ]
    _fit(model, tokenizer, examples, out)
    return out


def plain_reader(base: Path, out: Path, rows: Path) -> Path:
    """A model for spans as transformers' ``Trainer`` leaves it."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    torch.manual_seed(2)
    model = AutoModelForQuestionAnswering.from_pretrained(base)
    examples = []
    for document in json.loads(rows.read_text())["data"]:
        (paragraph,) = document["paragraphs"]
        answer = paragraph["qas"][0]["answers"][0]
        read_in = tokenizer(
            "which good?", paragraph["context"], max_length=48, padding="max_length",
            truncation="only_second",
        )  # fmt: skip
        at = read_in.char_to_token(answer["answer_start"], sequence_index=1)
        examples.append({**read_in, "start_positions": at, "end_positions": at})
    _fit(model, tokenizer, examples, out)
    return out


def _fit(model: Any, tokenizer: Any, examples: Sequence[Mapping[str, Any]], out: Path) -> None:
    from datasets import Dataset
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(out.with_name(f"{out.name}-steps")), max_steps=40, learning_rate=1e-2,
            per_device_train_batch_size=16, report_to="none", save_strategy="no", use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([dict(one) for one in examples]),
        data_collator=DataCollatorWithPadding(tokenizer),
    )  # fmt: skip
    trainer.train()
    trainer.save_model(str(out))
    tokenizer.save_pretrained(str(out))


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    import csv

    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
