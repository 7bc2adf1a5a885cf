"""The words and wordings of synthetic reviews, and the part that each belongs to.

Products, brands, people, openings, sentence frames and verdicts belong to one part alone
(``train``, ``validation`` or ``test``): no sentence of a test review can occur in training. Single
words (aspects of a product, most adjectives) are shared by all parts; a few adjectives occur in
test reviews only.

In frames ``{a}`` is an aspect ("battery"), ``{pos}``, ``{neg}`` and ``{mid}`` are adjectives,
``{n}`` is the product's plain noun and ``{who}`` a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PARTS: Final = ("train", "validation", "test")
LEVELS: Final = ("good", "average", "poor")

ByPart = Mapping[str, tuple[str, ...]]


def _split(train: str, validation: str, test: str) -> ByPart:
    """The wordings of each part, written with bars between them."""
    texts = zip(PARTS, (train, validation, test), strict=True)
    return {part: tuple(" ".join(w.split()) for w in text.split("|")) for part, text in texts}


ASPECTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "electronics": {
        "battery": ("battery", "battery life", "charge"),
        "sound": ("sound", "audio", "tone"),
        "screen": ("screen", "display"),
        "setup": ("setup", "installation"),
        "connection": ("connection", "signal", "pairing"),
        "software": ("software", "app", "menu"),
        "cable": ("cable", "cord"),
        "button": ("button", "switch"),
    },
    "beauty": {
        "scent": ("scent", "smell", "fragrance"),
        "texture": ("texture", "consistency"),
        "shade": ("shade", "colour"),
        "skin feel": ("skin feel", "feel"),
        "pump": ("pump", "dispenser"),
        "bottle": ("bottle", "jar", "tube"),
        "coverage": ("coverage", "finish"),
    },
    "home": {
        "handle": ("handle", "grip"),
        "lid": ("lid", "cover"),
        "cleaning": ("cleaning", "cleanup"),
        "size": ("size", "capacity"),
        "noise": ("noise", "noise level"),
        "assembly": ("assembly", "build-up"),
        "surface": ("surface", "coating"),
    },
    "sports": {
        "fit": ("fit", "sizing"),
        "strap": ("strap", "belt"),
        "padding": ("padding", "cushioning"),
        "weight": ("weight", "heft"),
        "stitching": ("stitching", "seam"),
        "zip": ("zip", "zipper"),
        "sole": ("sole", "tread"),
    },
}
"""Category → aspect → its names in reviews. Gold answers use the first one."""

COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "price": ("price", "cost"),
    "delivery": ("delivery", "shipping"),
    "packaging": ("packaging", "wrapping"),
    "service": ("service", "customer service", "support"),
    "design": ("design", "look", "style"),
    "material": ("material", "fabric"),
    "durability": ("durability", "workmanship"),
}
"""Aspect of any product → its names in reviews."""

PRODUCTS: Final[Mapping[str, ByPart]] = {
    "electronics": _split(
        "wireless speaker|tablet|fitness tracker|alarm clock radio|keyboard|drone|game controller"
        "|electric toothbrush|desk lamp with charger|dash camera",
        "e-reader|mouse|door bell camera",
        "pair of headphones|smart watch|projector|baby monitor|walkie talkie",
    ),
    "beauty": _split(
        "face cream|shampoo|lipstick|sun lotion|nail polish|hair mask|body wash|foundation"
        "|hand balm|eye liner",
        "cleanser|lip gloss|bath oil",
        "serum|mascara|conditioner|deodorant|face mist",
    ),
    "home": _split(
        "frying pan|kettle|vacuum cleaner|storage box|coffee grinder|laundry basket|blender"
        "|bread bin|toaster|garden chair",
        "wok|dish rack|fan",
        "casserole|rice cooker|mop set|bookshelf|ironing board",
    ),
    "sports": _split(
        "pair of running shoes|yoga mat|backpack|bike helmet|rain jacket|swim bag|pair of gloves"
        "|knee brace|tent|gym bag",
        "ski mask|tennis bag|wetsuit",
        "pair of hiking boots|climbing harness|sleeping bag|cycling vest|weight belt",
    ),
}

BRANDS: Final = _split(
    "Norvo|Bexley|Tamaro|Quillon|Ardent|Peakline|Solva|Wrenfield",
    "Castellan|Umbra Nine",
    "Halvard|Zentia|Lumora|Orrin & Co|Fairhaven",
)
PEOPLE: Final = _split(
    "my wife|my son|my neighbour|a friend|my father|my aunt",
    "my cousin|my niece",
    "my daughter|my flatmate|my uncle|a colleague",
)

POSITIVE: Final = tuple(
    "excellent great superb lovely brilliant impressive solid reliable fantastic wonderful "
    "outstanding pleasant perfect terrific good".split()
)
NEGATIVE: Final = tuple(
    "poor awful terrible disappointing dreadful weak shoddy horrible useless flimsy bad lousy "
    "annoying miserable unreliable".split()
)
MIDDLING: Final = tuple("average acceptable ordinary okay passable unremarkable fair".split())
TEST_ONLY: Final[Mapping[str, tuple[str, ...]]] = {
    "pos": ("first-rate", "splendid", "delightful"),
    "neg": ("abysmal", "dismal", "hopeless"),
    "mid": ("middling", "so-so"),
}
"""Adjectives that occur in test reviews only."""
TEST_ONLY_SHARE: Final = 0.1

FRAMES: Final[Mapping[str, ByPart]] = {
    "good": _split(
        "The {a} is {pos}.|The {a} is really {pos}.|I find the {a} {pos}.|It has {art_pos} {a}."
        "|The {a} turned out to be {pos}.|I love the {a}.|Full marks for the {a}."
        "|The {a} is better than I had hoped.|The {a} is not {neg} at all."
        "|There is nothing {neg} about the {a}.|The {a} is anything but {neg}."
        "|I have no complaints about the {a}.|{Pos} {a}.|I am very happy with the {a}."
        "|The {a} has never let me down.|The {a} is {pos} and {pos2}.",
        "The {a} seems {pos} to me.|We all love the {a} of it.|Nothing {neg} to say of the {a}."
        "|The {a} was {pos} from the first day.|Its {a} is not {neg}.",
        "As for the {a}, it is {pos}.|Its {a} is simply {pos}.|What makes me happy is the {a}."
        "|Everyone here loves the {a}.|I would not call the {a} {neg}; it is {pos}."
        "|With the {a} I have no complaints.|You get {art_pos} {a} with it."
        "|I had hoped for a good {a}, and it is even better."
        "|The {a} is never {neg}.|I must say that the {a} is {pos}."
        "|There is really nothing {neg} in the {a}.",
    ),
    "average": _split(
        "The {a} is {mid}.|The {a} is {mid}, no more.|I find the {a} rather {mid}."
        "|The {a} is neither good nor bad.|The {a} could be better, and could be worse."
        "|{Mid} {a}, nothing special.",
        "The {a} seems {mid}.|Nothing special about the {a}, it is {mid}.",
        "As for the {a}, it is {mid}.|Its {a} is {mid} and no more than that."
        "|I would call the {a} {mid}, nothing special.|Neither good nor bad is what I say of the "
        "{a}.",
    ),
    "poor": _split(
        "The {a} is {neg}.|The {a} is really {neg}.|I find the {a} {neg}.|It has {art_neg} {a}."
        "|The {a} turned out to be {neg}.|I hate the {a}.|The {a} let me down."
        "|The {a} is worse than I had feared.|The {a} is not {pos} at all."
        "|There is nothing {pos} about the {a}.|The {a} is far from {pos}."
        "|I have many complaints about the {a}.|{Neg} {a}.|I am not happy with the {a}."
        "|The {a} has never been {pos}.|The {a} is {neg} and {neg2}.",
        "The {a} seems {neg} to me.|We all hate the {a} of it.|Nothing {pos} to say of the {a}."
        "|The {a} was {neg} from the first day.|Its {a} is not {pos}.",
        "As for the {a}, it is {neg}.|Its {a} is simply {neg}.|What lets it down is the {a}."
        "|Everyone here hates the {a}.|I would not call the {a} {pos}; it is {neg}."
        "|With the {a} I have many complaints.|You get {art_neg} {a} with it."
        "|I had feared for the {a}, and it is even worse."
        "|The {a} is never {pos}.|I must say that the {a} is {neg}."
        "|There is really nothing {pos} in the {a}.",
    ),
}
"""Level of an aspect → sentence frames that express it."""

DISTRACTORS: Final = _split(
    "My old one had {art_any} {a}.|Before this I had one with {art_any} {a}."
    "|{Who} has another brand, with {art_any} {a}.|On my last one the {a} was {any}.",
    "The old one came with {art_any} {a}.|Another brand that I had was {any} in its {a}.",
    "The brand I had before this came with {art_any} {a}.|{Who} owns an old one whose {a} is {any}."
    "|My last one, of another brand, had {art_any} {a}.",
)
"""Sentences about another product, which are no facts about the reviewed one."""

OPENINGS: Final = _split(
    "I bought this {p} two weeks ago.|My {b} {p} came on Monday.|{Who} gave me this {p}."
    "|I have used the {p} from {b} for a month.|This is my first {p} from {b}."
    "|We ordered the {b} {p} for the family.",
    "After a week with the {b} {p}.|{Who} and I share this {p}.",
    "The {p} by {b} has been with us since spring.|I chose this {p} for {who}."
    "|Here are my thoughts on the {b} {p}.|A {b} {p} was on my list for a long time.",
)
FILLERS: Final = _split(
    "It came on a rainy morning while I was at work.|I had read a lot before I ordered."
    "|{Who} asked me where it is from.|We use it nearly every day now."
    "|It stands in the hall next to the door.|I took it along on a trip to the coast."
    "|The box is blue, and the papers are in four languages."
    "|I am writing this after some weeks, not on the first evening."
    "|At our place four people share such things.|I paid with a voucher from my birthday."
    "|There was a queue at the post office when I went to fetch it, so I came back on Tuesday."
    "|My desk is next to the window, and in the morning the sun stands right on it."
    "|Before the summer I want to write a word about all the things that I have ordered this year."
    "|The shop wrote to me three times to ask for these lines, so here they are.",
    "It has been on the table since Sunday.|I read the papers twice on the train."
    "|{Who} was there when it came.",
    "The parcel was left with the people next door.|I ordered it late in the evening after work."
    "|{Who} wants to borrow it for the holidays.|For three weeks it has been in use twice a day."
    "|It found its place on a shelf in the kitchen.|I carried it across half the town by bus."
    "|In the box there were papers and a small bag.|I wait some weeks before I write about things."
    "|There are five of us, and each has used it.|It was paid for with what was left of my bonus."
    "|On the way home from the depot I met an old school friend and we talked until it got dark."
    "|Where we live the nearest store is an hour away, so most of what we need comes with the van."
    "|In the end I made up my mind after a long talk with the people in the office kitchen."
    "|These lines are for those who, like me, look at the reviews before they order anything.",
)

VERDICTS: Final[Mapping[int, ByPart]] = {
    5: _split(
        "I would buy it again at once.|I could not be happier.|The best {n} I have owned."
        "|Highly recommended.|Worth every cent.|Simply perfect.",
        "The best that money can buy.|I am as happy as can be.",
        "I am so happy that I want to buy a second one.|I recommend it to everybody."
        "|Worth the money and more.|It is the best I have had.|Perfect, there is no other word.",
    ),
    4: _split(
        "All in all I am happy with it.|Good, with small flaws.|I can recommend it."
        "|Nearly perfect.|A good choice for most people.",
        "Mostly happy, with one small flaw.|A good choice, nearly perfect.",
        "On the whole I am happy.|A good buy with a small flaw.|I can recommend it to most people."
        "|It is nearly perfect to me.",
    ),
    3: _split(
        "It is okay, no more.|Neither good nor bad on the whole.|I am in two minds about it."
        "|It does its job, that is all.|Average for the money.",
        "So I am in two minds.|It does the job and that is all.",
        "So it is okay and nothing more.|I am still in two minds about this one."
        "|It is average, it does its job.|All in all neither good nor bad.",
    ),
    2: _split(
        "I would not buy it again.|I had expected more.|I cannot recommend it."
        "|All in all I am not happy with it.|Rather a disappointment.",
        "I expected more than this.|Not happy on the whole.",
        "I had expected more for the money.|On the whole a disappointment."
        "|I would not recommend it.|Another time I would not buy this one.",
    ),
    1: _split(
        "I want my money back.|A complete waste of money.|Avoid it.|I sent it back the next day."
        "|The worst {n} I have owned.",
        "What a waste of money.|It goes back, I want my money.",
        "A waste of money, avoid this one.|I sent it back at once."
        "|It is the worst I have had.|I am asking for all my money back.",
    ),
}
"""Stars → sentences that sum up the review."""
