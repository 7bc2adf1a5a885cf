"""The wordings of the built-in articles.

Each kind of event has five wordings of its lead and five of its second sentence: three belong to
training, one each to validation and test. Summaries have one of two wordings in all splits: this
is the style that the model has to learn. Names and places come from ``claims_words``, where each
split has its own as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple


class Event(NamedTuple):
    """A kind of event: wordings of the lead, the second sentence and the summary."""

    leads: tuple[str, ...]
    details: tuple[str, ...]
    summaries: tuple[str, ...]
    objects: tuple[str, ...]
    reasons: tuple[str, ...]


EVENTS: Final = (
    Event(
        ("The council of {town} voted on {day} to close {object}.",
         "Councillors in {town} agreed on {day} that {object} will be shut.",
         "{object_} is to close, the council of {town} decided on {day}.",
         "{town} has to do without {object}: councillors settled it on {day}.",
         "On {day} the people who run {town} put an end to {object}."),
        ("The step follows {reason}.", "They pointed to {reason}.", "Behind it stands {reason}.",
         "It was {reason} that tipped the scales.", "What made them do it was {reason}."),
        ("{town} council closes {object} after {reason}.",
         "The council of {town} will close {object} because of {reason}."),
        ("the open-air pool", "the night bus", "the youth club", "the bird sanctuary",
         "the ice rink", "the tourist office", "the covered market"),
        ("a shortfall of {number} pounds", "complaints from {number} residents",
         "a report on worn wiring", "two winters of losses", "a fall in visitors"),
    ),
    Event(
        ("The company {firm} will build {object} in {town}, it announced on {day}.",
         "{firm} has chosen {town} for {object}, its board said on {day}.",
         "{town} gets {object}: {firm} signed the papers on {day}.",
         "It is {town} where {firm} puts up {object}, as became known on {day}.",
         "On {day} {firm} laid the first stone of {object} near {town}."),
        ("It should bring {number} jobs.", "Some {number} people will find work there.",
         "For {number} people that means employment.", "Work for {number} is promised.",
         "The plan speaks of {number} new posts."),
        ("{firm} is to build {object} in {town}, creating {number} jobs.",
         "{number} jobs come to {town} as {firm} builds {object}."),
        ("a glass factory", "a data centre", "a bakery plant", "a tram depot", "a paper mill",
         "a seed laboratory", "a cable works"),
        ("{number}",),
    ),
    Event(
        ("The striker {person} has joined {club} of {town} for {object}.",
         "{club} of {town} have signed {person} for {object}.",
         "{person} leaves home and plays for {club} in {town}, for {object}.",
         "A new face at {club} in {town}: {person} comes for {object}.",
         "{person} will wear the shirt of {club}, {town}, in return for {object}."),
        ("The move became possible after {reason}.", "It was agreed following {reason}.",
         "It had been held up until {reason}.", "What cleared the way was {reason}.",
         "Nothing went forward before {reason}."),
        ("{club} sign {person} for {object} after {reason}.",
         "{person} joins {club} for {object} following {reason}."),
        ("a fee of {number} thousand", "a contract of three years", "a loan until summer",
         "a record fee", "two younger players"),
        ("a medical check on {day}", "talks of {number} hours", "an injury to the captain",
         "the sale of the goalkeeper", "a vote of the members"),
    ),
    Event(
        ("Fire destroyed {object} in {town} on {day}.",
         "{object_} in {town} burnt down on {day}.",
         "Flames took {object} in {town} in the night to {day}.",
         "Nothing is left of {object} in {town} since a blaze on {day}.",
         "On {day} {object} in {town} went up in smoke."),
        ("Investigators blame {reason}.", "The cause was {reason}, investigators say.",
         "It began with {reason}, according to the fire service.",
         "The brigade traced it back to {reason}.", "All evidence points at {reason}."),
        ("A fire caused by {reason} has destroyed {object} in {town}.",
         "{reason_} caused the fire that destroyed {object} in {town}."),
        ("a timber yard", "the old boathouse", "a furniture store", "the village hall",
         "a riding stable", "the castle mill", "a cheese dairy"),
        ("a faulty heater", "a lightning strike", "a dropped cigarette", "an overloaded socket",
         "a spark from welding"),
    ),
    Event(
        ("{person}, a scientist in {town}, has found {object}.",
         "A team under {person} in {town} discovered {object}.",
         "{object_} has been found by {person} and colleagues in {town}.",
         "What {person} of {town} came upon is {object}.",
         "It fell to {person}, who works in {town}, to discover {object}."),
        ("It could help with {reason}.", "The hope is that it will be of use for {reason}.",
         "Experts expect progress with {reason}.", "One day {reason} might become easier by it.",
         "Its promise lies in {reason}."),
        ("{person} has discovered {object} that could help with {reason}.",
         "{object_} found in {town} could help with {reason}."),
        ("a moss that cleans air", "a faint comet", "a beetle thought extinct",
         "a gene for cold tolerance", "a buried riverbed", "a coral that stands heat"),
        ("cleaner cities", "the search for water", "the protection of forests",
         "hardier wheat", "early warnings of quakes"),
    ),
    Event(
        ("Workers at {firm} in {town} went on strike on {day}.",
         "Staff of {firm} in {town} stopped work on {day}.",
         "At {firm} in {town} nobody worked on {day}: the union had called a strike.",
         "The gates of {firm}, {town}, stayed shut on {day} as employees walked out.",
         "On {day} the workforce of {firm} in {town} laid down tools."),
        ("They demand {object}.", "Their demand is {object}.", "The union asks for {object}.",
         "What they want is {object}.", "At stake is {object}."),
        ("Workers of {firm} in {town} strike for {object}.",
         "Strike at {firm} in {town} over {object}."),
        ("{number} pounds more a month", "shorter night shifts", "an end to weekend work",
         "a new canteen", "safer machines", "paid breaks"),
        ("{number}",),
    ),
    Event(
        ("The museum of {town} has bought {object} by {person}.",
         "{object_} by {person} will hang in the museum of {town}.",
         "The museum in {town} paid for {object}, a work of {person}, on {day}.",
         "A work of {person}, {object}, goes to the collection of {town}.",
         "Since {day} {town} owns {object}, made by {person}."),
        ("The price was {number} thousand.", "It cost {number} thousand.",
         "{number} thousand were paid.", "For it the museum spent {number} thousand.",
         "A donor gave the {number} thousand it took."),
        ("The museum of {town} buys {object} by {person} for {number} thousand.",
         "{object_} by {person} goes to the museum of {town} for {number} thousand."),
        ("a bronze horse", "a seascape", "a woven altar cloth", "a portrait of twins",
         "a silver globe", "a painted screen"),
        ("{number}",),
    ),
    Event(
        ("The river festival in {town} was called off on {day}.",
         "{town} cancelled its river festival on {day}.",
         "No river festival this year: {town} dropped it on {day}.",
         "On {day} the organisers in {town} gave up the river festival.",
         "Those who looked forward to the river festival of {town} were let down on {day}."),
        ("The reason given was {reason}.", "They named {reason}.", "It is due to {reason}.",
         "They had no choice, given {reason}.", "To blame is {reason}."),
        ("{town} cancels its river festival because of {reason}.",
         "{reason_} ends this year's river festival in {town}."),
        ("the river festival",),
        ("high water", "a lack of helpers", "unpaid bills of {number} pounds",
         "a storm warning", "nesting swans", "new safety rules"),
    ),
)  # fmt: skip
ASIDES: Final = (
    "{other}, who has lived there for {years} years, said it was no surprise.",
    "Last year the weather had been better.",
    "The mayor, {other}, was not present.",
    "A similar case in {place} is {years} years old.",
    "Reporters from {place} had travelled there early.",
    "{other} told the local radio that more would follow.",
    "Schoolchildren had made a banner.",
    "The road to {place} was blocked for an hour.",
    "A statement is expected next week.",
    "{other}, a shopkeeper, sold {years} cups of tea that morning.",
    "Many remember the days of {other}.",
    "In {place} people watched with interest.",
    "The phone lines were busy until the evening.",
    "{other} and a neighbour had heard of it from a cousin.",
    "It had rained since dawn.",
    "The church bells of {place} could be heard.",
    "A choir of {years} singers performed.",
    "{other} wrote a letter to the paper.",
    "Opinions in the pub were divided.",
    "The library keeps photographs of it.",
    "Guests from {place} stayed for lunch.",
    "{other} declined to comment.",
    "The next meeting is in {years} days.",
    "Parking was difficult.",
    "A dog named after {other} ran across the square.",
    "Pupils from {place} are writing an essay on it.",
    "Nobody was hurt.",
)
CLUBS: Final = ("Rovers", "Wanderers", "Albion", "Harriers", "Athletic", "Borough", "Thistle",
                "Swifts", "Corinthians")  # fmt: skip
FIRMS: Final = ("Industries", "Holdings", "Foods", "Systems", "Textiles", "Optics", "Logistics",
                "Ceramics", "Energy")  # fmt: skip
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def own(wordings: Sequence[str], split: str) -> Sequence[str]:
    """A split's own of five wordings."""
    return {"train": wordings[:3], "validation": wordings[3:4], "test": wordings[4:5]}[split]
