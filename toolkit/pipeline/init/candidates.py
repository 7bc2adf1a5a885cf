"""Which tasks may go with a file: installed ones that recognise it, and kinds of task files.

A candidate is a proposal; :mod:`toolkit.pipeline.init.trying` lets the task load the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.data import chat_formats, columns, guessing, several_labels
from toolkit.data.guessing import Fit, Scored, Wanted
from toolkit.data.profiles import Profile
from toolkit.data.table_texts import row_text
from toolkit.errors import UsageError
from toolkit.pipeline.init.seen import Seen
from toolkit.plugins import discovery
from toolkit.plugins.toml_kinds import KINDS

TEXTS = ("text", "sentence", "content", "body", "message", "comment", "review", "tweet", "question",
         "utterance", "document", "article", "description", "title", "input")  # fmt: skip
CLASSES = ("label", "class", "category", "target", "sentiment", "topic", "intent", "emotion",
           "type", "status", "tag", "outcome", "result", "spam", "fraud", "churn", "survived",
           "default", "approved", "decision", "priority", "department", "rating", "stars",
           "y")  # fmt: skip
NUMBERS = ("target", "score", "value", "label", "y", "amount", "rating", "points", "number",
           "duration", "age")  # fmt: skip
ASKED = ("question", "prompt", "instruction", "input", "source", "query", "text", "article",
         "original", "context", "body")  # fmt: skip
ANSWERED = ("answer", "response", "completion", "output", "target", "reply", "translation",
            "summary", "result", "subject", "title", "corrected")  # fmt: skip
WRITING = ("causal-lm", "seq2seq-lm")
"""The kinds whose answers are written, the likelier first."""
FEWEST = 2
"""Words of a text, on average."""
KNOWN, ONLY, UNSURE = 0.7, 0.45, 0.3
"""How sure a kind is whose target has a telling name; is the only one; is one of several."""
FIELDS = 0.1
"""How much less sure of a table of fields, of which any could be the target."""


@dataclass(frozen=True)
class Candidate:
    """A task that may go with the file.

    Args:
        name: an installed task, or a kind of task files.
        sure: how surely, from 0 to 1.
        kind: whether it is a kind.
        text: the columns of the text; empty: the task finds them.
        target: the column to predict; ``None``: the task finds it.
        others: columns that could be the target too, the likeliest first.
        keys: further keys of the task file.
        refusal: why it cannot be, in a sentence; empty: it may.
    """

    name: str
    sure: float
    kind: bool = False
    text: tuple[str, ...] = ()
    target: str | None = None
    others: tuple[str, ...] = ()
    keys: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""


def candidates(
    seen: Seen,
    *,
    task: str | None = None,
    text: Sequence[str] = (),
    target: str | None = None,
) -> list[Candidate]:
    """The tasks that may go with a file, the likeliest first.

    Args:
        seen: the file.
        task: an installed task, a kind or ``None``: the only one that is wanted.
        text: the columns of the text, where they are given.
        target: the column to predict, where it is given.

    Raises:
        UsageError: there is no such task.
        DataError: there is no such column.
    """
    names = list(seen.columns)
    if target is not None:
        target = columns.resolve(names, target, "target")
    if len(text) != 1 or "{" not in text[0]:
        text = tuple(columns.resolve(names, name, "text") for name in text)
    fit = fits_any_answer if task in WRITING else fits_answer
    found = [*_of_kinds(seen, tuple(text), target, fit), *_installed(seen, tuple(text), target)]
    if task is not None:
        found = [c for c in found if c.name == task] or [_asked(task, tuple(text), target)]
    return sorted(found, key=lambda candidate: -candidate.sure)


def _asked(task: str, text: tuple[str, ...], target: str | None) -> Candidate:
    """A task that the user names, though the file does not look like it."""
    if task in KINDS:
        return Candidate(task, 1.0, True, text, target)
    discovery.load().installed(task)
    return Candidate(task, 1.0, False, text, target)


def _installed(seen: Seen, text: tuple[str, ...], target: str | None) -> list[Candidate]:
    """The installed tasks that recognise the file; a plugin that fails recognises nothing."""
    plugins = discovery.load()
    found = []
    for name, task in plugins.tasks.items():
        origin = plugins.origins.get(name)
        if origin is not None and origin.file:
            continue
        try:
            sure = float(task.recognises(seen.columns))
        except Exception:  # a plugin may raise anything
            continue
        if sure > 0:
            found.append(Candidate(name, min(sure, 1.0), False, text, target))
    return found


# -- kinds -----------------------------------------------------------------------------------------
def _of_kinds(seen: Seen, text: tuple[str, ...], target: str | None, fit: Fit) -> list[Candidate]:
    form = chat_formats.recognise(seen.dataset)
    if form is not None and not text and target is None:
        return [Candidate("causal-lm", 0.9, True), Candidate("seq2seq-lm", 0.5, True)]
    found = [c for make in (_classes, _numbers) for c in make(seen, text, target)]
    found += _texts(seen, text, target, fit)
    clear = target is not None or any(c.sure >= KNOWN - FIELDS for c in found)
    # Of several labels no one can be taken for the target unless the user names it.
    several = None if clear else several_labels.in_columns(seen.dataset)
    if several:
        return [Candidate("sequence-classification", ONLY, True, refusal=several)]
    return found


def fits_classes(profile: Profile) -> float:
    """Whether a few values come again, which are neither dates nor codes."""
    if not profile.of_classes or profile.constant or profile.identifies or profile.dates >= 0.5:
        return 0.0
    if profile.words > 6 or profile.filled < 0.5:
        return 0.0
    return 1.0 if profile.distinct <= 20 else 0.6


def fits_number(profile: Profile) -> float:
    """Whether numbers are measured, rather than counted on or a few of a kind."""
    if profile.identifies or profile.dates >= 0.5 or profile.numbers < 0.8 or profile.distinct < 3:
        return 0.0
    return 0.4 if profile.of_classes else 1.0


def fits_answer(profile: Profile) -> float:
    """Whether there are words, most of them different ones."""
    if not profile.written or profile.of_classes or profile.identifies:
        return 0.0
    return min(1.0, 0.3 + profile.words / 10)


def fits_any_answer(profile: Profile) -> float:
    """Whether it may be an answer where the user says that answers are written: few values too."""
    if profile.constant or profile.identifies or profile.filled < 0.5:
        return 0.0
    return max(fits_answer(profile), 0.3)


def _classes(seen: Seen, text: tuple[str, ...], target: str | None) -> list[Candidate]:
    best, sure = _targets(seen, Wanted("target", CLASSES, fits_classes), target, text)
    if not best:
        return []
    return _made(seen, "sequence-classification", best, sure, text)


def _numbers(seen: Seen, text: tuple[str, ...], target: str | None) -> list[Candidate]:
    best, sure = _targets(seen, Wanted("target", NUMBERS, fits_number), target, text)
    # A number whose name says nothing is rather a feature than what is to be predicted.
    return _made(seen, "sequence-regression", best, sure - 0.05, text) if best else []


def _texts(seen: Seen, text: tuple[str, ...], target: str | None, fit: Fit) -> list[Candidate]:
    best, sure = _targets(seen, Wanted("target", ANSWERED, fit), target, text)
    asked = Wanted("text", ASKED, guessing.some_text)
    texts: list[Scored] = []
    while best and not text:
        ranked = guessing.ranked(seen.columns, asked, {best[0].column})
        if texts := [scored for scored in ranked if _is_text(seen, scored.column)]:
            break
        best = best[1:]  # the only text is what is read, and not what is written
    if not best:
        return []
    answer = best[0].column
    chosen = text or (texts[0].column,)
    both = bool(best[0].name) and (bool(text) or bool(texts[0].name))
    sure = 0.65 if both else min(sure, 0.35)
    others = tuple(s.column for s in best[1:4] if s.column not in chosen)
    return [
        Candidate(kind, sure - less, True, chosen, answer, others)
        for kind, less in zip(WRITING, (0.0, 0.05), strict=True)
    ]


def _targets(
    seen: Seen, wanted: Wanted, target: str | None, text: tuple[str, ...]
) -> tuple[list[Scored], float]:
    """The columns that may be the target, the best first, and how sure the first one is."""
    if target is not None:
        fit = wanted.fit(seen.columns[target])
        return ([Scored(target, 1.0, fit)], 0.8 * fit) if fit > 0 else ([], 0.0)
    best = guessing.ranked(seen.columns, wanted, set(text))
    if not best:
        return [], 0.0
    if best[0].name:
        return best, KNOWN
    # Where no name speaks, the target of a table is mostly its last column.
    places = list(seen.columns)
    best = sorted(best, key=lambda scored: (-scored.fit, -places.index(scored.column)))
    return best, ONLY if len(best) == 1 else UNSURE


def _made(
    seen: Seen,
    kind: str,
    best: Sequence[Scored],
    sure: float,
    text: tuple[str, ...],
) -> list[Candidate]:
    target = best[0].column
    chosen = text or _text_for(seen, target)
    if not chosen:
        return []
    others = tuple(scored.column for scored in best[1:4] if scored.column not in chosen)
    if len(chosen) > 1 and not text:
        sure -= FIELDS
    return [Candidate(kind, sure, True, chosen, target, others)]


def _text_for(seen: Seen, target: str) -> tuple[str, ...]:
    """The one column of texts, or the fields of a table without any."""
    wanted = Wanted("text", TEXTS, guessing.some_text)
    best = [
        scored.column
        for scored in guessing.ranked(seen.columns, wanted, {target})
        if _is_text(seen, scored.column)
    ]
    if best:
        return (best[0],)
    made = row_text(seen.columns, titles=(), bodies=TEXTS, fields=(), excluded=(target,))
    return made.columns if made is not None else ()


def _is_text(seen: Seen, name: str) -> bool:
    profile = seen.columns[name]
    return profile.words >= FEWEST and profile.written and not profile.of_classes


def known(name: str) -> str:
    """A task or a kind by its name; raises :class:`UsageError` where there is none."""
    try:
        return _asked(name, (), None).name
    except UsageError as error:
        raise UsageError(f"{error}; or a kind: {', '.join(KINDS)}") from error
