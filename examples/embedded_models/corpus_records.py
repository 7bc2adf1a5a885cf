"""Records and the text that states them, for the pre-training of the embedded encoder–decoder.

Thirty domains of everyday life, each with fields of its own and several clauses a field. None of
them is about insurance, and no wording, name or field name of the summarization plugin occurs here
(``test_corpus_pairs.py`` checks that): the base model learns to state what a record contains, in
words that are not the task's.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from examples.embedded_models.corpus_fields import VALUES, word

_DOMAINS = """
parcel, shipment
  sender, shipped by: person | was sent by {}; comes from {}
  recipient, goes to: person | is addressed to {}; is meant for {}; goes to {}
  weight: size | weighs {}; has a weight of {}
  tracking code, label: code | carries the label {}; can be followed under {}
  depot: place | lies at the depot in {}; was last seen in {}
  content: thing | contains one {}; holds a {}
  arrives, due: date | should arrive on {}; is due on {}
  postage: money | cost {} in postage; was franked with {}
order, purchase
  buyer, customer name: person | was placed by {}; came in from {}
  shop: firm | was made at {}; went to the shop {}
  item, goods: thing | is for one {}; asks for a {}
  pieces: count | comprises {} pieces; counts {} pieces
  total, to pay: money | adds up to {}; totals {}; comes to {}
  order code: code | is filed as {}; bears the code {}
  shipping: choice | ships in a {} box; leaves in {} packing
  ordered on: date | was placed on {}; dates from {}
train, connection
  from, departs from: place | leaves from {}; starts in {}
  to, destination: place | runs to {}; ends in {}
  leaves at: clock | departs at {}; sets off at {}
  gets in at: clock | gets in at {}; arrives at {}
  track: count | uses track {}; stands on track {}
  line: code | runs as {}; is known as {}
  fare: money | costs {} one way; is {} a ticket
  late by: size | is running {} late; has lost {}
match, game
  home side: word | was hosted by {}; saw {} at home
  visitors: word | had {} as visitors; brought {} to town
  score: code | ended {}; finished {}
  crowd: count | drew {} people; was watched by {} people
  ground: place | was played at {}; took place at {}
  played on: date | was held on {}; took place on {}
  scorer, best player: person | was decided by {}; belonged to {}
  referee: person | was led by {}; was refereed by {}
weather, forecast
  town: place | is for {}; covers {}
  high: size | expects a high of {}; reaches {} by day
  low: size | falls to {} at night; sees a low of {}
  wind: size | brings wind of {}; has gusts of {}
  sky: choice | promises a {} sky; shows a {} sky
  rain: size | gives {} of rain; counts on {} of rain
  sunrise: clock | has the sun up at {}; sees the first light at {}
  valid for, day: date | holds for {}; is valid for {}
recipe, dish
  cook, chef: person | was written down by {}; goes back to {}
  serves: count | serves {}; is enough for {}
  oven: size | bakes at {}; needs an oven of {}
  time, cooking time: size | takes {}; is ready after {}
  main ingredient: thing | is built around a {}; begins with a {}
  level: choice | counts as {}; is thought of as {}
  origin: place | comes from {}; was born in {}
  cost: money | costs about {}; can be made for {}
book, volume
  author, writer: person | was written by {}; is the work of {}
  title: matter | is called {}; bears the title {}
  pages: count | runs to {} pages; has {} pages
  publisher: firm | came out at {}; was printed by {}
  year: year | appeared in {}; dates from {}
  shelf: code | stands at {}; is kept under {}
  price: money | sells for {}; is priced at {}
  language: word | was translated from {}; is written in {}
concert, show
  artist, band: person | features {}; has {} on stage
  hall, venue: place | takes place at {}; fills {}
  begins, doors: clock | begins at {}; opens its doors at {}
  date, evening: date | is set for {}; falls on {}
  seats: count | has {} seats left; offers {} seats
  ticket: money | costs {} a head; asks {} for a ticket
  programme: matter | presents the {}; is devoted to the {}
course, class
  teacher, tutor: person | is taught by {}; is in the hands of {}
  subject: matter | deals with the {}; is on the {}
  room: code | meets in {}; uses room {}
  starts: date | starts on {}; opens on {}
  lessons: count | consists of {} lessons; runs for {} lessons
  fee: money | has a fee of {}; costs {}
  places: count | takes {} people; has room for {}
flat, apartment
  district, where: place | lies in {}; can be found at {}
  rent: money | rents for {} a month; is let at {}
  rooms: count | has {} rooms; offers {} rooms
  area: size | measures {}; covers {}
  free from: date | is free from {}; can be taken on {}
  landlord: person | belongs to {}; is let by {}
  heating: choice | comes with {} heating; relies on {} heating
  balcony: answer | answers {} to the question of a balcony; has {} against balcony
plant, crop
  name: word | is known as {}; goes by the name {}
  height: size | grows to {}; stands {} tall
  sown, planted: date | was planted on {}; went into the ground on {}
  bed: code | grows in bed {}; has its place in {}
  gardener: person | is looked after by {}; is in the care of {}
  harvest: size | gave {} last season; brought in {}
  leaf, leaves: choice | has {} leaves; shows {} leaves
machine, device
  maker, brand: firm | was built by {}; is a product of {}
  model: code | is the model {}; is sold as {}
  power: size | draws {}; is rated at {}
  in use since: date | has run since {}; was switched on on {}
  site: place | stands in {}; is set up at {}
  fault: matter | stopped for a {}; shows trouble with the {}
  operator: person | is run by {}; is operated by {}
  next check: date | will be checked on {}; is to be looked at on {}
meeting, session
  chair: person | was chaired by {}; had {} in the chair
  topic: matter | was about the {}; turned to the {}
  room: code | was held in {}; used room {}
  when: date | took place on {}; was called for {}
  began: clock | opened at {}; got under way at {}
  attendance, present: count | brought {} people together; counted {} heads
  decision: matter | settled on the {}; agreed to the {}
  minutes by: person | was noted down by {}; left the notes to {}
trip, tour
  guide: person | is led by {}; has {} as its guide
  goes to: place | goes to {}; makes for {}
  distance: size | covers {}; is {} long
  starts at: clock | sets off at {}; begins at {}
  on: date | takes place on {}; is planned for {}
  price: money | costs {} each; is offered at {}
  group: count | takes {} travellers; is for {} people
  bring: things | calls for {}; asks walkers to bring {}
animal, patient of the vet
  name: word | is called {}; answers to {}
  kept by: person | lives with {}; is kept by {}
  weight: size | weighs {}; brings {} to the scales
  born: date | was born on {}; came into the world on {}
  chip: code | wears the chip {}; is chipped as {}
  coat: choice | has a {} coat; looks {}
  visit for: matter | came in for a {}; was brought for the {}
ship, ferry
  name: word | is named {}; bears the name {}
  captain: person | sails under {}; is commanded by {}
  harbour: place | lies in {}; has put in at {}
  length: size | is {} from bow to stern; measures {}
  cargo: things | carries {}; is loaded with {}
  sails at, tide: clock | casts off at {}; leaves with the tide at {}
  built: year | was launched in {}; left the yard in {}
  flag: place | flies the flag of {}; is registered in {}
job, post
  employer, firm: firm | is offered by {}; is open at {}
  role: matter | concerns the {}; is for a {}
  pay, wage: money | pays {}; is worth {} a month
  town: place | is based in {}; is in {}
  hours: size | asks for {}; fills {}
  apply by: date | is open until {}; closes on {}
  contact: person | is handled by {}; has {} as contact
exhibit, painting
  artist: person | was painted by {}; is from the hand of {}
  hung in: place | hangs in {}; is shown at {}
  year: year | dates from {}; was finished in {}
  size: size | measures {}; is {} across
  number: code | is listed as {}; has the number {}
  shows: thing | shows a {}; depicts a {}
  lent by: firm | is on loan from {}; was lent by {}
building, house
  architect: person | was designed by {}; is the idea of {}
  address: place | stands at {}; is found at {}
  floors: count | rises {} floors; has {} floors
  finished: year | was finished in {}; has stood since {}
  front: thing | has a {} in front; greets guests with a {}
  cost: money | took {} to build; swallowed {}
  used by: firm | houses {}; is home to {}
race, run
  winner: person | was won by {}; went to {}
  second: person | saw {} come second; left {} in second place
  distance: size | went over {}; was {} long
  winning time: clock | was over after {}; took the winner {}
  starters: count | had {} starters; saw {} set out
  course: place | led through {}; was run at {}
  date: date | was run on {}; came off on {}
repair, job for the workshop
  done by, mechanic: person | was done by {}; fell to {}
  object: thing | concerned a {}; was about a {}
  part: thing | needed a {}; used up a {}
  hours: size | took {}; lasted {}
  bill: money | cost {}; was billed at {}
  slip: code | is on slip {}; was entered as {}
  ready: date | was ready on {}; could be fetched on {}
call, message
  caller: person | came from {}; was made by {}
  for: person | was for {}; should have reached {}
  about: matter | was about the {}; had to do with the {}
  at: clock | came at {}; rang at {}
  number: code | left the number {}; gave {} to ring back
  urgent: answer | gave {} as to haste; said {} to haste
  taken by: person | was taken by {}; reached {} in the end
"""
_OPENINGS = ("describe", "put into words", "write out", "tell", "as text", "say it in sentences",
             "turn the record into text", "read out", "note", "verbalise")  # fmt: skip
LABELS = tuple(
    """colour mode group grade stage unit holder base entry range state form class point set sort
    key rank zone mark batch pair level goal shift owner source target phase""".split()
)
MOST = 17
"""The most fields of a record."""
MISSING = ("unknown", "-", "?", "n/a", "open", "")


class Field(NamedTuple):
    """A field of a domain: its labels, its type of value, and clauses that state it."""

    labels: tuple[str, ...]
    type: str
    clauses: tuple[str, ...]


class Domain(NamedTuple):
    """A kind of record."""

    nouns: tuple[str, ...]
    fields: tuple[Field, ...]


class Filled(NamedTuple):
    """One field of a record."""

    label: str
    value: str
    clause: str
    """The clause that states it, with ``{}`` for the value."""


def _parsed(text: str) -> tuple[Domain, ...]:
    domains: list[Domain] = []
    for line in filter(str.strip, text.splitlines()):
        if not line.startswith(" "):
            domains.append(Domain(tuple(line.split(", ")), ()))
            continue
        head, clauses = line.split(" | ")
        labels, _, kind = head.strip().rpartition(": ")
        field = Field(tuple(labels.split(", ")), kind, tuple(clauses.strip().split("; ")))
        domains[-1] = domains[-1]._replace(fields=(*domains[-1].fields, field))
    return tuple(domains)


DOMAINS = _parsed(_DOMAINS)


def _general_clause(label: str, random: Random) -> str:
    return random.choice((f"has {{}} as {label}", f"has the {label} {{}}", f"gives {label} as {{}}",
                          f"lists {{}} under {label}", f"names {{}} for {label}",
                          f"shows {{}} against {label}"))  # fmt: skip


def draw(random: Random, most: int = 7) -> tuple[str, list[Filled]]:
    """A noun and some fields of its record, in random order.

    Where more are wanted than its domain has, the rest come from other domains.
    """
    domain = random.choice(DOMAINS)
    number = random.randint(2, most)
    chosen = random.sample(domain.fields, min(number, len(domain.fields)))
    known = {label for field in chosen for label in field.labels}
    while len(chosen) < number:
        field = random.choice(random.choice(DOMAINS).fields)
        if known.isdisjoint(field.labels):
            known.update(field.labels)
            chosen.append(field)
    filled = []
    invented = random.random() < 0.25
    noun = random.choice(domain.nouns)
    for field in chosen:
        label = random.choice(field.labels)
        clause = random.choice(field.clauses)
        if invented:  # labels that do not hint at the value, which has to be copied
            label = random.choice(LABELS) if random.random() < 0.6 else word(random).lower()
            clause = _general_clause(label, random)
        elif random.random() < 0.15:
            clause = _general_clause(label, random)
        filled.append(Filled(label, VALUES[field.type](random), clause))
    return noun, filled


def written(fields: Sequence[tuple[str, str]], random: Random) -> str:
    """Labels and values as one line, in one of many notations."""
    before, between, after, joint = random.choice((
        ("", ": ", "", "; "), ("", ": ", "", " | "), ("", " = ", "", ", "), ("", "[", "]", ", "),
        ("", "=", "", " & "), ("<", "> ", "", " "), ("", " - ", "", "; "), ("", ": ", "", ". "),
        ("(", ", ", ")", " "), ("", ": ", "", "\n"),
    ))  # fmt: skip
    parts = [f"{before}{label}{between}{value}{after}" for label, value in fields]
    return joint.join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def stated(noun: str, clauses: Sequence[str], random: Random) -> str:
    """Sentences of one, two or three clauses each about the noun."""
    sentences: list[str] = []
    rest = list(clauses)
    while rest:
        taken, rest = rest[: (size := random.choice((1, 1, 2, 2, 3)))], rest[size:]
        subject = f"the {noun}" if not sentences or random.random() < 0.35 else "it"
        lead, final = ", ".join(taken[:-1]), taken[-1]
        joined = f"{lead} and {final}" if lead else final
        sentences.append(f"{_capital(subject)} {joined}.")
    return " ".join(sentences)


def record(random: Random) -> tuple[str, str]:
    """A record as input, the text that states all of it as target."""
    source, target, _ = stating(random)
    return source, target


def stating(random: Random) -> tuple[str, str, list[str]]:
    """As :func:`record`, with the values that the text states."""
    noun, fields = draw(random, most=7 if random.random() < 0.5 else MOST)
    shown: list[tuple[str, str]] = []
    clauses: list[str] = []
    values: list[str] = []
    for field in fields:
        chance = random.random()
        if chance < 0.05:
            shown.append((field.label, random.choice(MISSING)))
            clauses.append(random.choice((f"says nothing on {field.label}",
                                          f"leaves {field.label} open")))  # fmt: skip
            continue
        shown.append((field.label, field.value))
        values.append(field.value)
        clauses.append(field.clause.format(field.value))
        if chance > 0.96:
            other = _like(field.value, random)
            shown.append((field.label, other))
            values.append(other)
            clauses[-1] += random.choice((f" or perhaps {other}", f", elsewhere {other}"))
    order = list(range(len(shown)))
    if random.random() < 0.3:
        random.shuffle(order)
    opening = random.choice((f"{random.choice(_OPENINGS)}: ", f"{noun}: ", "",
                             f"{random.choice(_OPENINGS)} ({noun}): "))  # fmt: skip
    source = opening + written([shown[i] for i in order], random)
    return source, stated(noun, clauses, random), values


def _like(value: str, random: Random) -> str:
    """The value with its digits drawn anew, or another name."""
    if any(c.isdigit() for c in value):
        return "".join(str(random.randint(1, 9)) if c.isdigit() else c for c in value)
    return word(random)


def by_example(random: Random) -> tuple[str, str]:
    """A record with its text as an example, and another record to be stated in the same words."""
    noun, fields = draw(random, most=4)
    domain = next(d for d in DOMAINS if noun in d.nouns)
    types = {label: field.type for field in domain.fields for label in field.labels}
    seed = random.getrandbits(40)
    second = [f._replace(value=VALUES[types[f.label]](random)) if f.label in types
              else f._replace(value=_like(f.value, random)) for f in fields]  # fmt: skip
    sides = []
    for side in (fields, second):
        same = Random(seed)
        shown = written([(f.label, f.value) for f in side], same)
        sides.append((shown, stated(noun, [f.clause.format(f.value) for f in side], same)))
    (shown, said), (asked, wanted) = sides
    return f"{shown}\n=> {said}\n{asked}\n=>", wanted


def asked(random: Random) -> tuple[str, str]:
    """A record and a requested label or value, or a text and the record that it states."""
    noun, fields = draw(random)
    shown = written([(f.label, f.value) for f in fields], random)
    one = random.choice(fields)
    form = random.randrange(4)
    if form == 0:
        return f"value of {one.label}: {shown}", one.value
    if form == 1:
        return f"label of {one.value}: {shown}", one.label
    text = stated(noun, [f.clause.format(f.value) for f in fields], random)
    if form == 2:
        return f"{one.label}? {text}", one.value
    back = "; ".join(f"{f.label}: {f.value}" for f in fields)
    return f"record of: {text}", back
