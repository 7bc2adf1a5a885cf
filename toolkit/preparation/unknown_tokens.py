"""What the tokenizer loses: characters that it does not know, and texts that become the same.

A tokenizer of word pieces has one token for all that it does not know. Two emoji that mean the
opposite, or two sentences of another script, are then the same to the model. Byte-level tokenizers
know every character.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.data import splits as splitting
from toolkit.data import tables
from toolkit.data.normalization import normalized
from toolkit.errors import PreflightError
from toolkit.preparation.examined import answer_of, text_of

if TYPE_CHECKING:
    from toolkit.kinds.base import TaskModel
    from toolkit.preparation.prepare import Prepared
    from toolkit.task import Task

PARTS = {"training": ("train",), "validation": ("validation", "calibration"), "test": ("test",)}
"""Parts of the rows → their splits; each is judged by itself, as they may come from other files."""
SAMPLE = 1_500
"""Rows of each part that are looked at."""
NOTED = 0.001
"""The share of texts with unknown characters from which on there is a note."""
TEXTS = 0.05
"""The share of texts with unknown characters from which on there is a warning."""
TOKENS = 0.01
"""The share of unknown tokens from which on there is a warning."""
UNREADABLE = 0.5
"""The share of unknown tokens from which on the model cannot read the texts, and the run ends."""
CONFUSED = 0.01
"""The share of rows that look like one with another answer, from which on there is a warning."""
BATCH = 256
LONGEST = 20_000
"""Characters of a text that are looked at."""
SHOWN = 5


@dataclass
class Unknown:
    """Counts of unknown tokens in one part of the rows.

    Args:
        texts: texts looked at.
        affected: texts with an unknown token.
        tokens: all tokens.
        unknown: unknown tokens.
        pieces: what stands in the texts for unknown tokens, with its count.
    """

    texts: int = 0
    affected: int = 0
    tokens: int = 0
    unknown: int = 0
    pieces: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """The share of unknown tokens."""
        return self.unknown / self.tokens if self.tokens else 0.0

    @property
    def affected_share(self) -> float:
        """The share of texts with an unknown token."""
        return self.affected / self.texts if self.texts else 0.0

    def document(self) -> dict[str, Any]:
        return {
            "texts": self.texts,
            "affected": self.affected,
            "tokens": self.tokens,
            "unknown": self.unknown,
        }


@dataclass
class TokenizerFindings:
    """What a tokenizer loses, as sentences and as figures."""

    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)


def check_tokenizer(task: Task, prepared: Prepared, model: TaskModel) -> TokenizerFindings:
    """Look for what the tokenizer loses of the rows, in a sample of them.

    Args:
        task: makes the examples.
        prepared: the rows.
        model: its tokenizer, and how it reads rows.

    Raises:
        PreflightError: most tokens of the texts are unknown.
    """
    found = TokenizerFindings()
    tokenizer = getattr(model, "tokenizer", None)
    if tokenizer is None:
        return found
    rows = {name: list(_sampled(prepared, splits)) for name, splits in PARTS.items()}
    if tokenizer.unk_token_id is not None:
        for what, read in (("texts", text_of), ("answers", answer_of)):
            parts = {
                name: unknown_in(tokenizer, [read(task, row) for row in part])
                for name, part in rows.items()
            }
            _judge(found, tokenizer, what, parts)
            found.document[what] = {name: part.document() for name, part in parts.items()}
    if tokenizer.unk_token_id is not None or hasattr(model, "features"):
        # Where every byte has a token and nothing is cut, different texts stay different.
        _judge_confused(found, task, model, [row for part in rows.values() for row in part])
    return found


def _sampled(prepared: Prepared, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Some rows of splits, drawn at random."""
    for name in names:
        split = prepared.splits[name]
        drawn = splitting.sample(len(split), SAMPLE // len(names), 0)
        yield from tables.rows(split if drawn is None else split.select(drawn))


def unknown_in(tokenizer: Any, texts: Sequence[str]) -> Unknown:
    """Count the unknown tokens of texts.

    Args:
        tokenizer: one with a token for what is unknown.
        texts: empty ones are left out.
    """
    found = Unknown()
    unknown = tokenizer.unk_token_id  # looked up once: transformers searches for it each time
    wanted = [text[:LONGEST] for text in texts if text]
    for batch in _batches(wanted):
        encoded = tokenizer(
            batch, add_special_tokens=False, truncation=False, verbose=False,
            return_offsets_mapping=tokenizer.is_fast,
        )  # fmt: skip
        offsets = encoded.get("offset_mapping") or [()] * len(batch)
        for text, ids, places in zip(batch, encoded["input_ids"], offsets, strict=True):
            at = [i for i, token in enumerate(ids) if token == unknown]
            found.texts += 1
            found.affected += bool(at)
            found.tokens += len(ids)
            found.unknown += len(at)
            found.pieces.update(text[slice(*places[i])] for i in at if places)
    return found


def _batches(items: Sequence[Any]) -> Iterator[list[Any]]:
    return (list(items[at : at + BATCH]) for at in range(0, len(items), BATCH))


def lost_characters(tokenizer: Any, pieces: Counter[str]) -> Counter[str]:
    """The characters for which pieces of text are unknown, with their counts.

    A piece whose characters are all known on their own, such as a very long word, counts as itself.
    """
    alphabet = sorted({character for piece in pieces for character in piece})
    if not alphabet:
        return Counter()
    ids = tokenizer(alphabet, add_special_tokens=False)["input_ids"]
    lost = {
        character
        for character, tokens in zip(alphabet, ids, strict=True)
        if tokenizer.unk_token_id in tokens
    }
    found: Counter[str] = Counter()
    for piece, number in pieces.items():
        characters = [character for character in piece if character in lost]
        found.update(dict.fromkeys(characters or [piece[:12]], number))
    return found


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "under 0.1 %"


def _judge(found: TokenizerFindings, tokenizer: Any, what: str, parts: dict[str, Unknown]) -> None:
    """A note, a warning or an error on unknown tokens, by their share."""
    most = max(part.affected_share for part in parts.values())
    share = max(part.share for part in parts.values())
    if most < NOTED:
        return
    pieces = sum((part.pieces for part in parts.values()), Counter[str]())
    lost = lost_characters(tokenizer, pieces).most_common(SHOWN)
    named = ", ".join(f"{text!r} ({number:,} times)" for text, number in lost)
    shares = ", ".join(f"{part.affected_share:.1%} of {name}" for name, part in parts.items())
    sentence = (
        f"{what} ({shares}) have characters that the model's tokenizer does not know "
        f"({_percent(share)} of the tokens{f', most often {named}' if named else ''})"
    )
    if share >= UNREADABLE:
        raise PreflightError(
            f"{sentence}: the model cannot read them; take a model for this language or script "
            "with --model"
        )
    if what == "answers":
        found.warnings.append(f"{sentence}: the model can never write them")
    elif most >= TEXTS or share >= TOKENS:
        found.warnings.append(
            f"{sentence}: they are all the same to the model ({tokenizer.unk_token}), so that what "
            "they tell is lost; another model may know them (--model)"
        )
    else:
        found.notes.append(f"{sentence}; they are all the same to the model")


# -- texts that become the same --------------------------------------------------------------------


def _judge_confused(
    found: TokenizerFindings, task: Task, model: TaskModel, rows: Sequence[dict[str, Any]]
) -> None:
    """A note or a warning on different texts that are the same tokens."""
    same: dict[Any, list[tuple[str, str]]] = defaultdict(list)
    for row, tokens in zip(rows, _read(task, model, rows), strict=True):
        same[tokens].append((normalized(text_of(task, row)), repr(task.reference(row))))
    mixed = {
        tokens: group for tokens, group in same.items() if len({text for text, _ in group}) > 1
    }
    number = sum(map(len, mixed.values()))
    clashing = [group for group in mixed.values() if len({target for _, target in group}) > 1]
    other = sum(map(len, clashing))
    found.document["same_tokens"] = {"rows": len(rows), "same": number, "clashing": other}
    if not number:
        return
    sentence = (
        f"{number:,} of {len(rows):,} rows have another text than a row with the same tokens "
        f"({_reason(model, mixed)})"
    )
    if other >= max(2, CONFUSED * len(rows)):
        found.warnings.append(
            f"{sentence}; {other:,} of them have another answer, and the model cannot tell them "
            "apart"
        )
    else:
        found.notes.append(sentence)


def _reason(model: TaskModel, mixed: Iterable[tuple[tuple[int, ...], ...]]) -> str:
    """Why different texts have the same tokens."""
    unknown = cut = other = 0
    for pieces in mixed:
        if any(model.tokenizer.unk_token_id in ids for ids in pieces):
            unknown += 1
        elif model.max_length and max(map(len, pieces)) >= model.max_length:
            cut += 1
        else:
            other += 1
    reasons = {
        "characters that the tokenizer does not know": unknown,
        "what tells them apart is cut off": cut,
        "marks that the tokenizer drops, such as accents": other,
    }
    return "; ".join(reason for reason, times in reasons.items() if times)


def _read(
    task: Task, model: TaskModel, rows: Sequence[dict[str, Any]]
) -> Iterator[tuple[tuple[int, ...], ...]]:
    """The tokens that the model reads of each row, in one or several pieces."""
    features = getattr(model, "features", None)
    for batch in _batches(rows):
        if features is not None:  # as encoders read them, cut and in windows
            for row in batch:
                yield tuple(tuple(piece["input_ids"]) for piece in features(row))
        else:
            texts = [text_of(task, row) for row in batch]
            yield from ((tuple(ids),) for ids in model.tokenizer(texts, verbose=False)["input_ids"])
