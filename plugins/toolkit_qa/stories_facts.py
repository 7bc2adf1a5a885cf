"""The facts of the built-in contexts: sentences that state each one, and questions about it.

Statements are shared by all splits; the wordings of questions are not. In statements ``{n}`` is
the place ("the bridge", or a name) and ``{a}`` the answer; in questions ``{s}`` is the name of the
place. ``{things}`` are what a place has a number of (:data:`COUNTED`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Fact:
    """A relation between a place and a value.

    Args:
        type: what the questions ask for: ``who``, ``when``, ``where``, ``how many`` or ``which``.
        values: the pool that answers are drawn from (see :mod:`toolkit_qa.stories`).
        statements: sentences that state it.
        train, validation, test: questions for it, by split.
    """

    type: str
    values: str
    statements: tuple[str, ...]
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def questions(self, split: str) -> tuple[str, ...]:
        """The wordings of questions that a split uses."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]


def _who(statements: str, train: str, validation: str, test: str) -> Fact:
    return _fact("who", "person", statements, train, validation, test)


def _when(statements: str, train: str, validation: str, test: str) -> Fact:
    return _fact("when", "date", statements, train, validation, test)


def _where(statements: str, train: str, validation: str, test: str) -> Fact:
    return _fact("where", "town", statements, train, validation, test)


def _fact(kind: str, values: str, statements: str, train: str, validation: str, test: str) -> Fact:
    parts = (tuple(text.split(" | ")) for text in (statements, train, validation, test))
    return Fact(kind, values, *parts)


FACTS: Final[dict[str, Fact]] = {
    "designed": _who(
        "{n} was designed by {a}. | The plans for {n} were drawn by {a}. | "
        "{a} was the architect of {n}.",
        "Who designed {s}? | Who drew the plans for {s}? | Who was the architect of {s}?",
        "Who made the design of {s}?",
        "Who is credited with the design of {s}? | Who planned {s} on paper?",
    ),
    "founded": _who(
        "{a} founded {n}. | {n} owes its existence to {a}. | {n} was set up by {a}.",
        "Who founded {s}? | Who set up {s}? | To whom does {s} owe its existence?",
        "Who was the founder of {s}?",
        "Who brought {s} into being? | Who is remembered as the founder of {s}?",
    ),
    "leads": _who(
        "Today {n} is run by {a}. | The present head of {n} is {a}. | {a} now manages {n}.",
        "Who runs {s} today? | Who is the present head of {s}? | Who now manages {s}?",
        "Who is in charge of {s} now?",
        "Who currently directs {s}? | Who leads {s} at present?",
    ),
    "paid": _who(
        "{a} paid for {n}. | The money for {n} came from {a}. | {n} was financed by {a}.",
        "Who paid for {s}? | Who gave the money for {s}? | Who financed {s}?",
        "Who met the cost of {s}?",
        "Who funded {s}? | Who bore the expense of {s}?",
    ),
    "painted": _who(
        "The murals in {n} are by {a}. | {a} painted the murals in {n}. | "
        "{n} has murals from the hand of {a}.",
        "Who painted the murals in {s}? | Who made the murals of {s}? | "
        "Whose murals can be seen in {s}?",
        "Who is the painter of the murals in {s}?",
        "Who created the wall paintings in {s}? | Whose work are the murals in {s}?",
    ),
    "opened-by": _who(
        "The opening speech at {n} was given by {a}. | {a} spoke at the opening of {n}. | "
        "At the opening of {n}, {a} gave a speech.",
        "Who gave the opening speech at {s}? | Who spoke at the opening of {s}? | "
        "Who gave a speech when {s} was opened?",
        "Who addressed the guests at the opening of {s}?",
        "Who delivered the speech when {s} opened its doors? | "
        "Who was the speaker at the opening of {s}?",
    ),
    "chronicler": _who(
        "{a} wrote a history of {n}. | A history of {n} was written by {a}. | "
        "The author of a book on {n} is {a}.",
        "Who wrote a history of {s}? | Who is the author of a book on {s}? | "
        "By whom was a history of {s} written?",
        "Who wrote the book about {s}?",
        "Who has told the story of {s} in a book? | Who authored the history of {s}?",
    ),
    "begun": _when(
        "Work on {n} began in {a}. | Building of {n} started in {a}. | "
        "The first stone of {n} was laid in {a}.",
        "When did work on {s} begin? | When was the first stone of {s} laid? | "
        "When did the building of {s} start?",
        "When was {s} begun?",
        "In what year did construction of {s} get under way? | "
        "When did they start to construct {s}?",
    ),
    "opened": _when(
        "{n} was opened in {a}. | {n} opened its doors in {a}. | "
        "The public was let in to {n} in {a}.",
        "When was {s} opened? | When did {s} open its doors? | "
        "When was the public let in to {s}?",
        "When did {s} open?",
        "In what year was {s} inaugurated? | When could people first enter {s}?",
    ),
    "fire": _when(
        "A fire damaged {n} in {a}. | In {a} parts of {n} burned down. | "
        "{n} suffered from a fire in {a}.",
        "When did a fire damage {s}? | When did parts of {s} burn down? | "
        "When did {s} suffer from a fire?",
        "When was there a fire at {s}?",
        "In what year was {s} hit by flames? | When did {s} catch fire?",
    ),
    "restored": _when(
        "{n} was restored in {a}. | Repairs of {n} were finished in {a}. | "
        "In {a} {n} was thoroughly renewed.",
        "When was {s} restored? | When were repairs of {s} finished? | When was {s} renewed?",
        "When did {s} undergo repairs?",
        "In what year was {s} renovated? | When was the restoration of {s} done?",
    ),
    "sold": _when(
        "{n} was sold in {a}. | In {a} {n} passed to new owners. | {n} changed hands in {a}.",
        "When was {s} sold? | When did {s} pass to new owners? | When did {s} change hands?",
        "When did the owners sell {s}?",
        "In what year did {s} get a new owner? | When was {s} purchased?",
    ),
    "stands": _where(
        "{n} stands in {a}. | {n} is in the town of {a}. | {n} can be found in {a}.",
        "Where does {s} stand? | Where can {s} be found? | In which town is {s}?",
        "Where is {s}?",
        "Where is {s} located? | In what town would one look for {s}?",
    ),
    "stone": _where(
        "The stone for {n} was cut in {a}. | Stone from {a} was used for {n}. | "
        "The stone of {n} came from {a}.",
        "Where was the stone for {s} cut? | Where did the stone of {s} come from? | "
        "From where was stone used for {s}?",
        "Where did they get the stone for {s}?",
        "Where was the stone of {s} quarried? | From what town was the stone of {s} brought?",
    ),
    "archive": _where(
        "The records of {n} are kept in {a}. | The papers of {n} lie in {a}. | "
        "{a} holds the records of {n}.",
        "Where are the records of {s} kept? | Where do the papers of {s} lie? | "
        "Where would one ask for the records of {s}?",
        "Where can the records of {s} be read?",
        "Where is the archive of {s}? | In what place are the documents of {s} stored?",
    ),
    "model": _where(
        "A model of {n} is shown in {a}. | In {a} one can see a model of {n}. | "
        "A small copy of {n} stands in {a}.",
        "Where is a model of {s} shown? | Where can one see a model of {s}? | "
        "Where does a small copy of {s} stand?",
        "Where is the model of {s} on view?",
        "In what town is a miniature of {s} exhibited? | Where is a scale model of {s} displayed?",
    ),
    "visitors": _fact(
        "how many", "crowd",
        "{a} people visit {n} every year. | {n} draws {a} visitors a year. | "
        "Each year {a} guests come to {n}.",
        "How many people visit {s} every year? | How many visitors does {s} draw a year? | "
        "How many guests come to {s} each year?",
        "How many visitors a year does {s} have?",
        "How many people are welcomed at {s} annually? | How many go to see {s} in a year?",
    ),
    "builders": _fact(
        "how many", "number",
        "{a} labourers worked on {n}. | {n} was built by {a} labourers. | "
        "It took {a} labourers to build {n}.",
        "How many labourers worked on {s}? | By how many labourers was {s} built? | "
        "How many labourers did it take to build {s}?",
        "How many labourers helped to build {s}?",
        "How many hands were employed in building {s}? | How many labourers constructed {s}?",
    ),
    "material": _fact(
        "which", "material",
        "{n} is built of {a}. | The walls of {n} are of {a}. | {n} was made of {a}.",
        "Which material is {s} built of? | Which material are the walls of {s}? | "
        "Which material was {s} made of?",
        "Which material was used for the walls of {s}?",
        "Which building material does {s} consist of? | "
        "Which material did the builders of {s} choose?",
    ),
    "colour": _fact(
        "which", "colour",
        "The doors of {n} are {a}. | {n} has {a} doors. | Its doors make {n} known: they are {a}.",
        "Which colour are the doors of {s}? | Which colour do the doors of {s} have? | "
        "Which colour of doors does {s} have?",
        "Which colour is seen on the doors of {s}?",
        "Which colour was picked for the doors of {s}? | Which paint do the doors of {s} wear?",
    ),
    "firm": _fact(
        "which", "firm",
        "{n} was built by the firm of {a}. | The builders of {n} were {a}. | "
        "{a} won the contract for {n}.",
        "Which firm built {s}? | Which company won the contract for {s}? | "
        "Which firm were the builders of {s}?",
        "Which company put up {s}?",
        "Which contractor constructed {s}? | Which business was hired to build {s}?",
    ),
    "paper": _fact(
        "which", "paper",
        "{n} was praised in the {a}. | The {a} praised {n}. | A warm review of {n} was in the {a}.",
        "Which newspaper praised {s}? | In which newspaper was {s} praised? | "
        "Which newspaper had a warm review of {s}?",
        "Which newspaper wrote well of {s}?",
        "Which paper printed kind words about {s}? | Which newspaper was full of praise for {s}?",
    ),
    "badge": _fact(
        "which", "animal",
        "The badge of {n} shows a {a}. | A {a} is on the badge of {n}. | "
        "{n} has a {a} on its badge.",
        "Which animal does the badge of {s} show? | Which animal is on the badge of {s}? | "
        "Which animal has {s} on its badge?",
        "Which animal can be seen on the badge of {s}?",
        "Which creature appears on the emblem of {s}? | Which animal is the emblem of {s}?",
    ),
    "language": _fact(
        "which", "language",
        "The inscription on {n} is in {a}. | {n} bears an inscription in {a}. | "
        "Above the entrance of {n} are some words in {a}.",
        "Which language is the inscription on {s} in? | "
        "In which language does {s} bear an inscription? | "
        "Which language are the words above the entrance of {s} in?",
        "Which language is used for the inscription on {s}?",
        "Which language can be read at the entrance of {s}? | "
        "Which tongue was chosen for the inscription of {s}?",
    ),
}  # fmt: skip

COUNTED: Final = Fact(
    "how many",
    "number",
    ("{n} has {a} {things}.", "There are {a} {things} in {n}.", "{n} counts {a} {things}."),
    (
        "How many {things} does {s} have?",
        "How many {things} are there in {s}?",
        "How many {things} does {s} count?",
    ),
    ("How many {things} has {s} got?",),
    ("How many {things} would one find at {s}?", "How many {things} belong to {s}?"),
)
"""The number of things in a place (see :data:`~toolkit_qa.stories_words.KINDS`)."""
