"""Values of records for pre-training: names, dates, sums, codes, sizes, each in many forms.

Most names are put together from syllables, so that a model cannot know them and has to copy them.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_FIRST = ("Ada", "Bruno", "Cleo", "Dario", "Elif", "Fynn", "Greta", "Hugo", "Ines", "Jonas",
          "Kaja", "Leif", "Mira", "Nils", "Olga", "Pavel", "Rosa", "Sami", "Tilda", "Uwe",
          "Vera", "Wanda", "Yusuf", "Zora")  # fmt: skip
_STARTS = ("Ba", "Be", "Bra", "Ca", "Co", "Da", "Del", "Do", "El", "Fa", "Fer", "Ga", "Gri", "Ha",
           "Hol", "In", "Ja", "Ka", "Kel", "La", "Lo", "Ma", "Mel", "Mo", "Na", "Nor", "O", "Pa",
           "Per", "Qui", "Ra", "Ro", "Sa", "Ste", "Ta", "Tho", "U", "Va", "Wa", "Wes", "Ya",
           "Za")  # fmt: skip
_MIDDLES = ("ba", "den", "fi", "gar", "ka", "la", "len", "li", "lo", "ma", "mer", "na", "ne", "ni",
            "no", "ra", "ren", "ri", "ro", "sa", "sho", "ta", "ti", "va", "ve", "wi")  # fmt: skip
_ENDS = ("berg", "by", "dale", "der", "do", "ford", "gen", "ham", "ker", "ko", "land", "ley",
         "ling", "man", "mouth", "na", "ner", "nov", "ra", "rick", "ro", "sen", "ski", "son",
         "stad", "stone", "ti", "ton", "vik", "ville", "well", "worth", "za")  # fmt: skip
_ROADS = ("Mill", "Elm", "Harbour", "Garden", "Bridge", "Tower", "Abbey", "Linden", "Quay",
          "Orchard", "Chapel", "Foundry")  # fmt: skip
_ROAD_ENDS = ("Way", "Row", "Square", "Walk", "Alley", "Parade")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ADJECTIVES = ("small", "large", "old", "new", "green", "red", "blue", "white", "black", "heavy",
               "light", "wide", "narrow", "round", "quiet", "loud", "warm", "cold", "dry", "wet",
               "soft", "hard", "early", "late", "plain", "bright", "dark", "long", "short",
               "strong", "thin", "deep", "rough", "smooth", "modern", "simple", "broken", "open",
               "closed", "empty", "full", "clean", "dusty", "loose", "double",
               "single")  # fmt: skip
NOUNS = ("lamp", "bench", "bridge", "roof", "garden", "engine", "door", "wall", "window", "road",
          "river", "boat", "table", "carpet", "pump", "pipe", "fence", "tree", "field", "barn",
          "hall", "stage", "screen", "wheel", "mirror", "shelf", "tower", "gate", "cellar", "oven",
          "mast", "bell", "clock", "cable", "valve", "lens", "board", "basket", "wagon", "ladder",
          "stair", "ceiling", "floor", "tank", "sail", "stove", "drawer", "curtain", "brick",
          "tunnel", "hedge", "platform", "signal", "radio", "camera", "printer", "bottle", "jar",
          "blanket", "coat", "boot", "kettle")  # fmt: skip
_MATTERS = ("repair", "survey", "lesson", "visit", "search", "rescue", "sale", "trial", "test",
            "concert", "meeting", "harvest", "delay", "detour", "change", "opening", "closing",
            "exchange", "return", "training", "cleaning", "painting", "tasting")  # fmt: skip


def word(random: Random) -> str:
    """An invented name of two or three syllables."""
    middle = random.choice(_MIDDLES) if random.random() < 0.45 else ""
    return random.choice(_STARTS) + middle + random.choice(_ENDS)


def person(random: Random) -> str:
    """A name, at times with a title."""
    first = random.choice(_FIRST) if random.random() < 0.4 else word(random)
    title = random.choice(("Dr ", "Ms ", "Mr ")) if random.random() < 0.1 else ""
    return title + (f"{first} {word(random)}" if random.random() < 0.85 else first)


def place(random: Random) -> str:
    """A town, a part of one, or a street."""
    return random.choice((
        word(random), word(random), f"{word(random)} {random.choice(('Park', 'Hall', 'Hill'))}",
        f"{random.choice(('Upper', 'Lower', 'North', 'East'))} {word(random)}",
        f"{random.randint(1, 240)} {random.choice(_ROADS)} {random.choice(_ROAD_ENDS)}",
        f"{random.choice(_ROADS)} {random.choice(_ROAD_ENDS)}, {word(random)}",
    ))  # fmt: skip


def firm(random: Random) -> str:
    """A company."""
    ending = random.choice(("", "", " Ltd", " & Co", " Group", " Works", " Brothers"))
    return word(random) + ending


def date(random: Random) -> str:
    """A day, in one of seven notations."""
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(1990, 2035)
    name = MONTHS[month - 1]
    return random.choice((
        f"{day} {name} {year}", f"{name} {day}, {year}", f"{year}-{month:02d}-{day:02d}",
        f"{day:02d}/{month:02d}/{year}", f"{day} {name}", f"{day}.{month}.{year}",
        f"{random.choice(DAYS)}, {day} {name}",
    ))  # fmt: skip


def clock(random: Random) -> str:
    """A time of day."""
    hour, minute = random.randint(0, 23), random.randint(0, 59)
    return random.choice((f"{hour}:{minute:02d}", f"{hour:02d}:{minute:02d}",
                          f"{hour % 12 + 1} {'am' if hour < 12 else 'pm'}"))  # fmt: skip


def money(random: Random) -> str:
    """A sum, in one of three currencies."""
    ranges = ((1, 99), (100, 999), (1000, 9999), (10_000, 300_000))
    whole = random.choice([random.randint(*between) for between in ranges])
    cents = f".{random.randint(0, 99):02d}" if random.random() < 0.2 else ""
    sign = random.choice(("$", "$", "$", "€", "£"))
    return random.choice((f"{sign}{whole:,}{cents}", f"{sign}{whole:,}{cents}", f"{whole} euros",
                          f"{sign}{whole}{cents}"))  # fmt: skip


def code(random: Random) -> str:
    """A number of letters and digits."""
    letters = "".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=random.randint(1, 3)))
    digits = "".join(random.choices("0123456789", k=random.randint(2, 7)))
    return random.choice((f"{letters}-{digits}", f"{letters}{digits}", digits,
                          f"{letters} {digits}", f"{digits}/{random.randint(10, 99)}",
                          f"{letters}-{random.randint(2000, 2035)}-{digits[:4]}"))  # fmt: skip


def count(random: Random) -> str:
    """A whole number."""
    return str(random.choice((random.randint(1, 20), random.randint(1, 400),
                              random.randint(400, 9000))))  # fmt: skip


def size(random: Random) -> str:
    """A number with a unit."""
    unit = random.choice(("km", "kg", "cm", "m", "litres", "grams", "degrees", "hours", "minutes",
                          "days", "weeks", "%", "points", "pages", "seats", "mm",
                          "km/h"))  # fmt: skip
    value = f"{random.randint(1, 60)}.{random.randint(1, 9)}" if random.random() < 0.2 else None
    return f"{value or random.randint(1, 500)} {unit}"


def year(random: Random) -> str:
    """A year."""
    return str(random.randint(1950, 2035))


def thing(random: Random) -> str:
    """A thing, mostly with an adjective."""
    noun = random.choice(NOUNS)
    return noun if random.random() < 0.3 else f"{random.choice(_ADJECTIVES)} {noun}"


def things(random: Random) -> str:
    """Two or three things."""
    parts = [thing(random) for _ in range(random.randint(2, 3))]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def matter(random: Random) -> str:
    """The subject of something, in a few words."""
    return random.choice((f"{random.choice(_MATTERS)} of the {thing(random)}",
                          f"{random.choice(NOUNS)} {random.choice(_MATTERS)}",
                          f"{random.choice(_MATTERS)} in {word(random)}",
                          f"{random.choice(_ADJECTIVES)} {random.choice(NOUNS)} by the "
                          f"{random.choice(NOUNS)}"))  # fmt: skip


def choice(random: Random) -> str:
    """An adjective."""
    return random.choice(_ADJECTIVES)


def answer(random: Random) -> str:
    """Yes or no."""
    return random.choice(("yes", "no"))


VALUES: dict[str, Callable[[Random], str]] = {
    "person": person, "place": place, "firm": firm, "date": date, "clock": clock, "money": money,
    "code": code, "count": count, "size": size, "year": year, "thing": thing, "things": things,
    "matter": matter, "choice": choice, "word": word, "answer": answer,
}  # fmt: skip
"""A generator for each type of value."""
