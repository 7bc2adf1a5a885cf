"""``toolkit augment review-augmentation``: write training data as files for any trainer.

    reviews → near duplicates out → balanced → split by review → five examples each → files

All examples of a review, and of its perturbed copies, go into one split. Nothing is trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from toolkit import DataError, Source, UsageError
from toolkit.runs import write_json, write_jsonl, write_text
from toolkit_review_augmentation import balancing, examples, instructions, perturb, reviews
from toolkit_review_augmentation.balancing import Review
from toolkit_review_augmentation.examples import Teacher

if TYPE_CHECKING:
    from collections.abc import Callable

SPLITS: Final = ("train", "validation", "test")
SHARES: Final = (0.8, 0.1, 0.1)
WORKERS: Final = 4
"""Requests to a teacher at one time."""
SHOWN: Final = 3
"""Number of reviews in the preview."""


@dataclass(frozen=True)
class Options:
    """How the data is augmented.

    Args:
        balance: sentiment → its share of the reviews; ``None`` keeps the shares of the source.
        fill: fill up rare classes with perturbed copies.
        near: cosine from which on a review counts as a copy; ``None`` keeps all reviews.
        perturb: share of training reviews, 0 to 1, that get a perturbed copy.
        wordings: draw one of several wordings for each instruction.
        form: format of the files: ``prompt``, ``messages`` or ``alpaca``.
        number: number of synthetic reviews, used if no data is named.
        seed: of all random choices.
    """

    balance: Mapping[str, float] | None = None
    fill: bool = False
    near: float | None = balancing.SAME
    perturb: float = 0.0
    wordings: bool = True
    form: str = "prompt"
    number: int = 500
    seed: int = 0


@dataclass
class Augmented:
    """The result: examples by split, and counts for ``summary.json``."""

    splits: dict[str, list[dict[str, Any]]]
    summary: dict[str, Any] = field(default_factory=dict)


def augment(
    source: Source,
    options: Options,
    teacher: Teacher | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Augmented:
    """Make the examples of a source's reviews, or of synthetic ones, in three splits.

    Args:
        source: the reviews; without data, synthetic ones are generated.
        options: see :class:`Options`.
        teacher: writes the answers that neither facts nor ratings give; rules do if ``None``.
        progress: called with (reviews done, number of reviews) while a teacher answers.

    Raises:
        UsageError: an option is out of range, or the shares of sentiments cannot be reached.
        DataError: too few reviews can be used.
    """
    if options.form not in FORMS:
        raise UsageError(f"--form {options.form!r}: there are {', '.join(FORMS)}")
    if not 0 <= options.perturb <= 1:
        raise UsageError(f"--perturb {options.perturb:g} must be a share of reviews, from 0 to 1")
    parts = _loaded(source, options)
    before = [review for rows in parts.values() for review in rows]
    kept = {name: _cleaned(rows, options) for name, rows in parts.items()}
    splits = _split(kept["all"], options.seed) if "all" in kept else kept
    copied = _perturbed(splits["train"], options)
    splits["train"] = [*splits["train"], *copied]
    chosen = [review for rows in splits.values() for review in rows]
    known = _ask(chosen, teacher, progress)
    made = {
        name: [e for r in rows for e in examples.examples(r, known, wordings=options.wordings)]
        for name, rows in splits.items()
    }
    return Augmented(made, _summary(source, before, kept, splits, copied, made))


def _loaded(source: Source, options: Options) -> dict[str, list[Review]]:
    """Load the reviews, by split if the source has splits of its own, else as ``all``."""
    import datasets

    if source.given:
        loaded = reviews.load(source, _sizes(0), stars=False)
        if isinstance(loaded, datasets.Dataset):
            return {"all": loaded.to_list()}
        return {name: loaded[name].to_list() if name in loaded else [] for name in SPLITS}
    made = reviews.synthetic(source, _sizes(options.number))
    return {name: made[name].to_list() for name in SPLITS}


def _sizes(number: int) -> reviews.Sizes:
    train, validation, _ = (round(number * share) for share in SHARES)
    return reviews.Sizes(train, validation, number - train - validation)


def _cleaned(rows: Sequence[Review], options: Options) -> list[Review]:
    """The reviews without near duplicates, balanced."""
    kept = list(rows)
    if options.near is not None:
        if not 0 < options.near <= 1:
            raise UsageError(f"--near {options.near:g} must be a cosine above 0 and at most 1")
        copies = balancing.near_duplicates(kept, options.near)
        kept = [review for place, review in enumerate(kept) if place not in copies]
    if options.balance is not None and kept:
        kept = balancing.balance(kept, options.balance, fill=options.fill, seed=options.seed)
    return kept


def _split(rows: Sequence[Review], seed: int) -> dict[str, list[Review]]:
    """Split the reviews; those of one group stay together.

    Raises:
        DataError: there are fewer groups than splits.
    """
    import numpy as np

    from toolkit.data import splits as splitting

    if len({review["group"] for review in rows}) < len(SPLITS):
        raise DataError(f"{len(rows)} usable reviews are too few to be split into three")
    groups = np.array([splitting.group_hash(review["group"]) for review in rows], dtype=np.uint64)
    held = {"validation": round(len(rows) * SHARES[1]), "test": round(len(rows) * SHARES[2])}
    owners = splitting.assign(groups, {k: max(1, n) for k, n in held.items()}, seed, rest="train")
    names = {splitting.SPLITS.index(a): b for a, b in zip(("train", "validation", "test"), SPLITS,
                                                        strict=True)}  # fmt: skip
    found: dict[str, list[Review]] = {name: [] for name in SPLITS}
    for review, owner in zip(rows, owners.tolist(), strict=True):
        found[names[owner]].append(review)
    return found


def _perturbed(train: Sequence[Review], options: Options) -> list[Review]:
    """Perturbed copies of a share of the training reviews, with each perturbation in turn."""
    from random import Random

    number = round(len(train) * options.perturb)
    names = list(perturb.PERTURBATIONS)
    drawn = Random(options.seed).sample(list(train), number)
    return [balancing.perturbed(r, names[i % len(names)]) for i, r in enumerate(drawn)]


# -- a teacher -------------------------------------------------------------------------------------
class _KnownAnswers:
    """Answers that a teacher has given before."""

    def __init__(self, known: Mapping[str, Mapping[str, str] | None]) -> None:
        self.known = known

    def answers(self, review: str) -> Mapping[str, str] | None:
        return self.known.get(review)


def _ask(
    rows: Sequence[Review],
    teacher: Teacher | None,
    progress: Callable[[int, int], None] | None,
) -> Teacher | None:
    """Get the teacher's answers to all texts, several at a time."""
    if teacher is None:
        return None
    unanswered = list(dict.fromkeys(r["text"] for r in rows if not r["known"]))
    known: dict[str, Mapping[str, str] | None] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        answers = pool.map(teacher.answers, unanswered)
        for done, (text, answer) in enumerate(zip(unanswered, answers, strict=True), start=1):
            known[text] = answer
            if progress:
                progress(done, len(unanswered))
    return _KnownAnswers(known)


# -- files -----------------------------------------------------------------------------------------
def _prompt(example: Mapping[str, Any]) -> dict[str, Any]:
    prompt = instructions.PROMPT.format(review=example["review"], question=example["question"])
    return {"prompt": prompt, "completion": f" {example['answer']}"}


def _messages(example: Mapping[str, Any]) -> dict[str, Any]:
    question = f"Review: {example['review']}\n{example['question']}"
    turns = (("user", question), ("assistant", example["answer"]))
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def _alpaca(example: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "instruction": example["question"],
        "input": example["review"],
        "output": example["answer"],
    }


FORMS: Final = {"prompt": _prompt, "messages": _messages, "alpaca": _alpaca}
"""Format of a line: TRL's prompt and completion, chat messages, Alpaca's three fields."""


def write(made: Augmented, folder: Path, form: str) -> list[Path]:
    """Write a JSONL file per split, ``summary.json`` and ``preview.md``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, rows in made.splits.items():
        path = folder / f"{name}.jsonl"
        write_jsonl(path, (FORMS[form](row) | row for row in rows))
        written.append(path)
    write_json(folder / "summary.json", made.summary)
    write_text(folder / "preview.md", preview(made))
    return [*written, folder / "summary.json", folder / "preview.md"]


def _summary(
    source: Source,
    before: Sequence[Review],
    kept: Mapping[str, Sequence[Review]],
    splits: Mapping[str, Sequence[Review]],
    copied: Sequence[Review],
    made: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    every = [example for rows in made.values() for example in rows]
    chosen = [review for rows in kept.values() for review in rows]
    return {
        "version": 1,
        "synthetic": source.synthetic,
        "reviews": {"read": len(before), "kept": len(chosen), "perturbed copies": len(copied),
                    **{name: len(rows) for name, rows in splits.items()}},
        "examples": {name: len(rows) for name, rows in made.items()},
        "sources": dict(Counter(example["source"] for example in every)),
        "by_instruction": {
            name: dict(Counter(e["source"] for e in every if e["instruction"] == name))
            for name in instructions.INSTRUCTIONS
        },
        "sentiments_before": balancing.shares_of(before),
        "sentiments": balancing.shares_of(chosen),
        "left_out": {reason: len(rows) for reason, rows in source.left_out.items()},
        "notes": list(source.notes),
    }  # fmt: skip


def preview(made: Augmented) -> str:
    """A few training reviews with all their examples, as Markdown for people to read."""
    lines = ["# Preview", ""]
    if made.summary.get("synthetic"):
        lines += ["**SYNTHETIC DATA**: these reviews were generated by a program.", ""]
    for rows in _first(made.splits["train"]):
        lines += [f"> {_one_line(rows[0]['review'])}", ""]
        lines += [
            f"- *{row['question']}* – {_one_line(row['answer'])} (from {row['source']})"
            for row in rows
        ]
        lines += [""]
    return "\n".join(lines)


def _first(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["group"] not in groups and len(groups) == SHOWN:
            break
        groups.setdefault(row["group"], []).append(row)
    yield from groups.values()


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
