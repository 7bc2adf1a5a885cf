"""Plain language for pre-training: reviews, stories, questions, dialogues, numbers, summaries."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from examples.embedded_models.corpus_ads import plural
from examples.embedded_models.corpus_words import BRANDS, COLOURS, GOODS, NAMES, spell

_BRAND_NAMES = tuple(BRANDS)
_PRAISE = ("works very well", "is easy to use", "looks lovely", "feels solid", "arrived early",
           "does what it should", "is worth every cent", "was a good choice", "fits perfectly",
           "is better than I had hoped", "has never let me down", "makes my day easier",
           "was simple to put together", "is quiet and quick", "still looks as it did at first",
           "came well packed")  # fmt: skip
_BLAME = ("broke after a week", "is too small", "smells odd", "came late", "was missing a part",
          "feels cheap", "stopped working", "is not as described", "is hard to clean",
          "makes a lot of noise", "had a crack in it", "is far too heavy", "lost its colour",
          "does not close properly", "was sent to the wrong address",
          "is a waste of money")  # fmt: skip
_MIXED = ("is fine for the money", "does its job, no more", "is all right", "could be better",
          "is a little smaller than it looks in the picture", "is useful now and then")  # fmt: skip
_PLACES = ("the market", "the station", "the library", "the harbour", "the old mill", "the school",
           "the park", "the village", "the bakery", "the museum", "the river", "the workshop",
           "the theatre", "the hill", "the post office", "the lake")  # fmt: skip
_WEATHER = ("It was raining", "The sun was shining", "Snow had fallen", "It was a windy morning",
            "It was getting dark", "The streets were empty", "It was very hot")  # fmt: skip
_DEEDS = ("looked for {a}", "wanted to sell {a}", "had lost {a}", "bought {a}", "repaired {a}",
          "borrowed {a} from a friend", "painted {a}", "found {a} under a tree",
          "was given {a} for a birthday", "carried {a} home")  # fmt: skip
_THEN = ("Nobody had seen it before.", "An old man asked where it came from.", "It took all day.",
         "A dog followed all the way.", "Everyone laughed.", "The neighbours came to help.",
         "There was no time to lose.", "It was heavier than it looked.", "A child began to sing.",
         "The door was locked.", "Nobody said a word.", "They shared some bread and cheese.",
         "The bus had already left.", "A letter lay on the floor.")  # fmt: skip
_ENDS = ("In the end everything was fine.", "They never spoke of it again.", "It was a good day.",
         "That evening they sat together and talked.", "Since then they have been friends.",
         "The next day they started again.", "And so they went home, tired and happy.",
         "Nobody ever found out why.")  # fmt: skip
_FEELINGS = ("happy", "tired", "angry", "proud", "curious", "calm", "sad", "surprised", "nervous")
_TRADES = ("baker", "teacher", "farmer", "nurse", "driver", "painter", "singer", "doctor", "cook",
           "gardener", "tailor", "sailor", "writer", "student", "engineer",
           "shopkeeper")  # fmt: skip
_FACTS = (
    ("What is the capital of France?", "Paris."), ("How many days has a week?",
    "7, that is seven."),
    ("How many months has a year?", "12."), ("Which colour has the sky on a clear day?", "Blue."),
    ("What do bees make?", "Honey."), ("How many legs has a spider?", "8."),
    ("What do we call frozen water?", "Ice."), ("Which season follows winter?", "Spring."),
    ("How many minutes has an hour?", "60."), ("What is the opposite of hot?", "Cold."),
    ("What is the opposite of cheap?", "Expensive."), ("What is the opposite of old?", "New."),
    ("Where do fish live?", "In water."), ("What do plants need to grow?", "Light, water and air."),
    ("How many hours has a day?", "24."), ("How many seconds has a minute?", "60."),
    ("What is larger, the sun or the earth?", "The sun."), ("What does a baker make?", "Bread."),
    ("How many sides has a triangle?", "Three."), ("What is the capital of Italy?", "Rome."),
    ("How many cents are in a dollar?", "100."), ("What is the opposite of heavy?", "Light."),
    ("How many pieces are in a dozen?", "12."), ("Which month comes after May?", "June."),
)  # fmt: skip
_UNITS = (
    ("l", "ml", 1000), ("litres", "ml", 1000), ("m", "cm", 100), ("metres", "cm", 100),
    ("cm", "mm", 10), ("kg", "g", 1000), ("kilos", "grams", 1000), ("TB", "GB", 1000),
    ("hours", "minutes", 60), ("weeks", "days", 7), ("km", "m", 1000), ("kW", "W", 1000),
    ("inch", "cm", 2.54), ("ft", "cm", 30.48), ("lb", "g", 453.6), ("oz", "g", 28.35),
    ("kg", "lb", 2.2046), ("oz", "ml", 29.57), ("m", "ft", 3.2808),
)  # fmt: skip
_PHRASES = (
    "Thank you very much for your letter", "The train leaves at noon", "We will meet at the gate",
    "Please close the window", "The meeting has been moved to Friday", "I have not slept well",
    "The soup needs more salt", "Our team won the game", "The road is closed for repairs",
    "She speaks three languages", "He forgot his keys again", "The shop opens early on Monday",
    "My sister lives near the sea", "The film was longer than I thought",
)  # fmt: skip


def _a(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def _plain(value: float) -> str:
    text = f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _noun(random: Random) -> str:
    return random.choice(GOODS).name


def review(random: Random) -> str:
    """An opinion on something bought, with stars that fit it."""
    stars = random.choice((1, 1, 2, 3, 4, 5, 5, 5))
    good, bad = random.sample(_PRAISE, 2), random.sample(_BLAME, 2)
    noun = _noun(random)
    parts = {1: [f"It {bad[0]}", f"it {bad[1]}"], 2: [f"It {bad[0]}", f"at least it {good[0]}"],
             3: [f"It {random.choice(_MIXED)}", f"it {good[0]} but {bad[0]}"],
             4: [f"It {good[0]}", f"only it {random.choice(_MIXED)}"],
             5: [f"It {good[0]}", f"it {good[1]}"]}[stars]  # fmt: skip
    word = {1: "negative", 2: "negative", 3: "neutral", 4: "positive", 5: "positive"}[stars]
    opening = random.choice(
        (
            f"I bought this {noun} {spell(random.randint(2, 11))} weeks ago.",
            f"My {random.choice(COLOURS)} {noun} from {random.choice(_BRAND_NAMES)}.",
            f"{random.choice(NAMES)} gave me this {noun}.",
            f"{_a(noun)} for the family.",
            f"This is my {random.choice(('first', 'second', 'third'))} {noun}.",
        )
    )
    opening = opening[0].upper() + opening[1:]
    closing = {1: "I want my money back.", 2: "I would not buy it again.", 3: "You can buy it.",
               4: "I can recommend it.", 5: "I would buy it again at once."}[stars]  # fmt: skip
    text = f"{opening} {parts[0]}, and {parts[1]}."
    text += f" {closing}" if random.random() < 0.6 else ""
    return random.choice((
        f"{text}\nStars: {stars} of 5", f"{stars} stars: {text}",
        f"Review: {text}\nRating: {stars}",
        f"Review: {text}\nIs this review positive, negative or neutral?\nAnswer: {word}",
        f"Write a {word} review of {_a(noun)}.\n\n{text}", f"Rating: {stars}/5\n{text}", text,
    ))  # fmt: skip


def _tale(random: Random) -> tuple[str, str]:
    """A short story and its gist."""
    hero, friend = random.sample(NAMES, 2)
    thing = _noun(random)
    deed = random.choice(_DEEDS).format(a=_a(thing))
    place, trade = random.choice(_PLACES), random.choice(_TRADES)
    body = [f"{random.choice(_WEATHER)} when {hero}, {_a(trade)}, went to {place}.",
            f"{hero} {deed}.", *random.sample(_THEN, random.randint(1, 4)),
            f"Then {friend} came along and was {random.choice(_FEELINGS)}.",
            f'"{random.choice(_PHRASES)}," said {random.choice((hero, friend))}.',
            random.choice(_ENDS)]  # fmt: skip
    return " ".join(body), f"{hero} went to {place} and {deed}; {friend} came too."


def story(random: Random) -> str:
    """A short story."""
    return _tale(random)[0]


def summary(random: Random) -> str:
    """A short story and its gist."""
    text, gist = _tale(random)
    return random.choice((f"Summarize: {text}\nSummary: {gist}", f"{text}\n\nIn short: {gist}",
                          f"Text: {text}\nSummary: {gist}"))  # fmt: skip


def question(random: Random) -> str:
    """A question of common knowledge with its answer."""
    chosen = random.sample(_FACTS, random.randint(1, 3))
    asks, answers = random.choice((("User", "Assistant"), ("Question", "Answer"), ("Q", "A")))
    return "\n".join(f"{asks}: {q}\n{answers}: {a}" for q, a in chosen)


def understanding(random: Random) -> str:
    """A story, a question on it and the answer."""
    hero, friend = random.sample(NAMES, 2)
    place, other = random.sample(_PLACES, 2)
    thing, count = _noun(random), random.randint(2, 60)
    context = (f"{hero} went to {place} with {spell(count) if random.random() < 0.5 else count} "
               f"{plural(thing)}. {random.choice(_THEN)} {friend} was at {other}.")  # fmt: skip
    asked, answer = random.choice(((f"Where did {hero} go?", place), (f"Where was {friend}?",
    other),
                                   (f"How many {plural(thing)} were there?", str(count)),
                                   (f"Who was at {other}?", friend)))  # fmt: skip
    return f"Context: {context}\nQuestion: {asked}\nAnswer: {answer}"


def dialogue(random: Random) -> str:
    """A customer and a shop."""
    noun = _noun(random)
    days, count = random.randint(2, 30), random.randint(2, 40)
    turns = (
        (f"I am looking for {_a(noun)}.",
        f"We have {count} {plural(noun)}. Which colour do you like?",
         f"{random.choice(COLOURS).capitalize()}, please.", "I will put one aside for you."),
        (f"When will my {noun} arrive?", f"In {days} days.", "That is rather late.",
         f"I can send it sooner, in {max(1, days // 2)} days."),
        (f"My {noun} {random.choice(_BLAME)}.", "I am sorry to hear that. Shall we send a new one?",
         "Yes, thank you.", f"It will be with you within {days} days."),
        ("Hello!", "Hello, what can I do for you?", f"Do you sell {plural(noun)}?", "Yes, we do."),
    )  # fmt: skip
    lines = random.choice(turns)
    return "\n".join(f"{'User' if i % 2 == 0 else 'Assistant'}: {t}" for i, t in enumerate(lines))


def arithmetic(random: Random) -> str:
    """Sums, products, halves, percentages and comparisons that stay below 1,000."""
    lines = []
    for _ in range(random.randint(1, 5)):
        a, b = random.randint(0, 499), random.randint(0, 500)
        x, y = random.randint(1, 31), random.randint(1, 31)
        share = random.choice((10, 20, 25, 50, 75))
        whole = random.randint(1, 49) * 20
        lines.append(random.choice((
            f"{a} + {b} = {a + b}", f"{a + b} - {b} = {a}", f"{x} x {y} = {x * y}",
            f"{x * y} / {y} = {x}", f"{share} % of {whole} is {whole * share // 100}.",
            f"{max(a, b)} is more than {min(a, b)}.", f"{min(a, b)} is less than {max(a, b)}.",
            f"Half of {2 * a} is {a}.", f"Twice {a} is {2 * a}.", f"Three times {x} is {3 * x}.",
            f"Between {a} and {a + 2} lies {a + 1}.",
            f"{spell(a)} plus {spell(b)} is {spell(a + b)}.",
            f"{x} boxes of {y} are {x * y} pieces.",
            f"Rounded to tens, {a} is {(a + 5) // 10 * 10}.",
            f"The larger of {a} and {b} is {max(a, b)}.", f"The double of {spell(x)} is {2 * x}.",
        )))  # fmt: skip
    return "\n".join(lines)


def counting(random: Random) -> str:
    """Numbers in order: up, down, in words, sorted."""
    start, step = random.randint(0, 950), random.choice((1, 1, 1, 2, 5, 10, 20))
    numbers = [start + step * i for i in range(random.randint(5, 14)) if start + step * i < 1000]
    form = random.choice(("plain", "words", "down", "sort"))
    if form == "words":
        return ", ".join(f"{spell(number)} is {number}" for number in numbers[:5])
    if form == "down":
        return ", ".join(map(str, reversed(numbers)))
    if form == "sort":
        mixed = [random.randint(0, 999) for _ in range(random.randint(3, 6))]
        return f"Sort: {', '.join(map(str, mixed))}\nSorted: {', '.join(map(str, sorted(mixed)))}"
    return ", ".join(map(str, numbers))


def units(random: Random) -> str:
    """The same size in two units."""
    lines = []
    for _ in range(random.randint(1, 4)):
        large, small, factor = random.choice(_UNITS)
        top = 40 if factor < 40 else 9
        value = (
            round(random.uniform(0.3, top), 1) if random.random() < 0.6 else random.randint(1, top)
        )
        a, b = f"{_plain(value)} {large}", f"{_plain(value * factor)} {small}"
        lines.append(
            random.choice(
                (
                    f"{a} is {b}.",
                    f"{b} is {a}.",
                    f"{a} = {b}",
                    f"How many {small} are {a}? {_plain(value * factor)}",
                )
            )
        )
    return "\n".join(lines)


def rewriting(random: Random) -> str:
    """A line that is copied, or changed in a simple way."""
    sentence = random.choice(_PHRASES)
    if random.random() < 0.6:
        sentence = f"{random.choice(NAMES)} {random.choice(_DEEDS).format(a=_a(_noun(random)))}"
    code = f"{random.choice(_BRAND_NAMES)} {random.randint(0, 9999)}"
    words = random.sample([good.name for good in GOODS], 4)
    return random.choice((
        f"Copy: {sentence}. {code}\nCopy: {sentence}. {code}",
        f"In capitals: {sentence}\n{sentence.upper()}",
        f"In lower case: {sentence}\n{sentence.lower()}", f"Repeat: {code}\n{code}",
        f"List: {', '.join(words)}\nThe first is {words[0]}, the last is {words[-1]}.",
        f"Number of words: {sentence}\n{len(sentence.split())}",
        f"Digits: {spell(count := random.randint(0, 999))}\n{count}",
        f"In words: {(other := random.randint(0, 999))}\n{spell(other)}",
    ))  # fmt: skip


def unusual(random: Random) -> str:
    """Characters and layouts that are rare elsewhere: prices, dates, addresses, other scripts."""
    n = random.randint(1, 999)
    return random.choice((
        f"€{n}.{random.randint(0, 99):02d} / £{n} / ${n},{random.randint(0, 999):03d} (20 % off!)",
        f"{random.randint(1, 28)}/{random.randint(1, 12)}/{random.randint(1950, 2030)}, at "
        f"{random.randint(0, 23)}:{random.randint(0, 59):02d}",
        f"write@{random.choice(NAMES).lower()}.example, tel. +{n} {random.randint(1000, 999999)}",
        f"Crème brûlée, façade, naïve, Straße, año, smörgås – {random.choice(NAMES)}’s café",
        f'{{"id": {n}, "name": "{random.choice(NAMES)}", "tags": ["{_noun(random)}"]}}',
        f"# {_noun(random).title()}\n\n* {random.choice(_PHRASES)}\n* {random.choice(_PHRASES)}",
        f"<p>{random.choice(_PHRASES)} &amp; more</p>",
        f"№ {n} … “{random.choice(_PHRASES)}” °C ½ ×",
    ))  # fmt: skip


KINDS: dict[Callable[[Random], str], float] = {
    review: 9, story: 6, summary: 4, question: 3, understanding: 4, dialogue: 4, arithmetic: 6,
    counting: 3, units: 5, rewriting: 4, unusual: 1,
}  # fmt: skip
"""Each kind of text and how common it is."""
