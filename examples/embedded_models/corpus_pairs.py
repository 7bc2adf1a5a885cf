"""The pairs of an input and its target that the embedded encoder–decoder is pre-trained on.

Four fifths are records with the text that states them and texts with their one-sentence gist, of
everyday domains that no task of the toolkit is about; the rest is T5's span corruption (Raffel et
al. 2020) on any text of the corpora, and copying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from examples.embedded_models import corpus_copies, corpus_records, corpus_text
from examples.embedded_models.corpus_common import COMMON
from examples.embedded_models.corpus_fields import VALUES
from examples.embedded_models.corpus_records import draw, stated

SENTINELS = tuple(f"<extra_id_{i}>" for i in range(16))
"""T5's names for the gaps of span corruption."""
NOISE = 0.15
MEAN_SPAN = 3
_ASIDES = ("{p} had hoped for more.", "{q} will look at it again next week.",
           "Nobody in {l} was surprised.", "There had been talk of it for a while.",
           "A few people stayed to watch.", "{p} did not want to add anything.",
           "Last time it had taken {n} days.", "About {n} people asked for more.",
           "The street to {l} was quiet.", "Some of the {t}s will be kept.",
           "Tea was served at {c}.", "{q}, who is {n}, was there too.",
           "It was the first time since {y}.", "A {t} was found later.",
           "Photographs are at the library in {l}.", "The music came from {q}.",
           "Children were let in free.", "The bus to {l} was full.", "It stayed dry.",
           "{p} said so to {q}.", "More will be known on {d}.")  # fmt: skip
_DEEDS = (
    ("opened", "{p} opened a {t} in {l} on {d}", "In {l}, {p} opened a {t} on {d}"),
    ("won", "{p} won the {m} in {l}", "The {m} in {l} was won by {p}"),
    ("sold", "{f} sold {n} {t}s to {l} for {x}", "{l} bought {n} {t}s from {f} for {x}"),
    ("closed", "the {t} in {l} closed on {d}", "On {d} the {t} in {l} closed"),
    ("found", "{p} found {n} {t}s near {l}", "{n} {t}s were found near {l} by {p}"),
    ("named", "{f} named {p} as head of its {m}", "{p} became head of the {m} at {f}"),
    ("built", "{f} built a {t} for {x} in {l}", "A {t} for {x} was built in {l} by {f}"),
    ("moved", "{f} moved from {l} to {k} in {y}", "In {y}, {f} left {l} for {k}"),
    ("gave", "{p} gave {x} for the {m}", "For the {m}, {x} came from {p}"),
    ("planned", "{l} plans a {t} for {y}", "A {t} is planned in {l} for {y}"),
    ("record", "{p} ran {s} in {c}", "In {c}, {p} covered {s}"),
    ("taught", "{p} teaches {n} pupils the {m} in {l}", "{n} pupils in {l} learn the {m} from {p}"),
)  # fmt: skip
_FRAMES = ("It was said that {}.", "As {q} reports, {}.", "It is now certain: {}.", "{}.",
           "{}.", "{}.", "{q} writes that {}.", "According to {f}, {}.")  # fmt: skip
_ASKS = ("gist", "shorten", "in a single sentence", "in brief", "tl;dr", "sum up", "main point")
_TYPES = {"p": "person", "q": "person", "l": "place", "k": "place", "d": "date", "t": "thing",
          "m": "matter", "f": "firm", "n": "count", "x": "money", "y": "year", "s": "size",
          "c": "clock"}  # fmt: skip


def _values(random: Random) -> dict[str, str]:
    return {key: VALUES[kind](random) for key, kind in _TYPES.items()}


def gist(random: Random) -> tuple[str, str]:
    """Several sentences about one event, and one sentence with the main point."""
    values = _values(random)
    _, first, second = random.choice(_DEEDS)
    if random.random() < 0.5:
        first, second = second, first
    frame = random.choice(_FRAMES).replace("{}", first)
    lead = corpus_records._capital(frame.format(**values))
    sentences = [corpus_records._capital(s.format(**{**values, **_some(random)}))
                 for s in random.sample(_ASIDES, random.randint(1, 5))]  # fmt: skip
    at = 0 if random.random() < 0.6 else random.randint(0, len(sentences))
    sentences.insert(at, lead)
    target = corpus_records._capital(second.format(**values)) + "."
    return f"{random.choice(_ASKS)}: {' '.join(sentences)}", target


def _some(random: Random) -> dict[str, str]:
    """New values for the asides; mostly without the keys of the main person, firm and matter."""
    drawn = _values(random)
    kept = ("p", "f", "m") if random.random() < 0.7 else ()
    return {key: value for key, value in drawn.items() if key not in kept}


def record_gist(random: Random) -> tuple[str, str]:
    """The text of a record, and one sentence with the requested fields."""
    noun, fields = draw(random)
    text = stated(noun, [f.clause.format(f.value) for f in fields], random)
    wanted = sorted(random.sample(range(len(fields)), min(len(fields), random.randint(1, 2))))
    chosen = [fields[i] for i in wanted]
    said = " and ".join(f.clause.format(f.value) for f in chosen)
    names = ", ".join(f.label for f in chosen)
    return f"{random.choice(_ASKS)} ({names}): {text}", f"The {noun} {said}."


def tale_gist(random: Random) -> tuple[str, str]:
    """A short story and its gist."""
    text, target = corpus_text._tale(random)
    return f"{random.choice(_ASKS)}: {text}", target


def corrupted(text: str, random: Random) -> tuple[str, str]:
    """Span corruption by words: a text with gaps for about 15 % of them, and the missing words."""
    words = text.split(" ")
    gaps: list[tuple[int, int]] = []
    at, gap = 0, max(2.0, MEAN_SPAN * (1 - NOISE) / NOISE)
    while len(gaps) < len(SENTINELS) - 1:
        at += 1 + int(random.expovariate(1 / gap))
        length = min(len(words) - at, max(1, round(random.expovariate(1 / MEAN_SPAN))))
        if length < 1:
            break
        gaps.append((at, at + length))
        at += length
    shown: list[str] = []
    hidden: list[str] = []
    last = 0
    for sentinel, (start, end) in zip(SENTINELS, gaps, strict=False):
        shown += [*words[last:start], sentinel]
        hidden += [sentinel, *words[start:end]]
        last = end
    shown += words[last:]
    return " ".join(shown), " ".join([*hidden, SENTINELS[len(gaps)]])


def denoising(random: Random) -> tuple[str, str]:
    """Span corruption of plain language, a record's text or an event."""
    form = random.randrange(3)
    if form == 0:
        kinds = (corpus_text.story, corpus_text.review, corpus_text.dialogue, corpus_text.question)
        text = random.choice(kinds)(random)
    elif form == 1:
        text = " ".join(corpus_records.record(random))
    else:
        text = gist(random)[0].partition(": ")[2]
    return corrupted(" ".join(text.split(" ")[:90]), random)


def words(random: Random) -> tuple[str, str]:
    """Ordinary words in any order, to be repeated, or with gaps to be filled from a full copy."""
    chosen = random.choices(COMMON, k=random.randint(5, 16))
    for _ in range(random.randint(0, 3)):
        value = VALUES[random.choice(list(VALUES))](random)
        chosen.insert(random.randint(0, len(chosen)), value)
    line = " ".join(chosen)
    line = corpus_records._capital(line) + "." if random.random() < 0.5 else line
    if random.random() < 0.5:
        return f"repeat: {line}", line
    # The whole line stands before the one with gaps, so that the missing words can be found.
    shown, hidden = corrupted(line, random)
    return f"{line}\n{shown}", hidden


KINDS: dict[Callable[[Random], tuple[str, str]], float] = {
    corpus_records.record: 50,
    corpus_records.by_example: 8,
    corpus_records.asked: 9,
    gist: 10,
    record_gist: 6,
    tale_gist: 2,
    denoising: 9,
    words: 5,
}
"""The kinds of pairs except pure copying, each with its weight."""
COPIES: dict[Callable[[Random], tuple[str, str]], float] = {
    corpus_copies.repeated: 4,
    corpus_copies.picked: 1,
    corpus_copies.looked_up: 7,
    corpus_copies.read_out: 8,
}
"""The kinds of pairs whose targets are copied from the input, each with its weight."""
COPYING = 0.3
"""The default share of such pairs."""


def pairs(number: int, seed: int = 0, copying: float = COPYING) -> Iterator[tuple[str, str]]:
    """Inputs with their targets; ``copying`` is the share of pairs that are pure copying."""
    random = Random(seed)
    for _ in range(number):
        kinds = COPIES if random.random() < copying else KINDS
        yield random.choices(tuple(kinds), tuple(kinds.values()))[0](random)
