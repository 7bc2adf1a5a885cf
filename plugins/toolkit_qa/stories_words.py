"""Names and things for the built-in contexts, and the split that each belongs to.

All names are combined from common parts; any likeness to a real person or place is chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

SPLITS: Final = ("train", "validation", "test")

GIVEN: Final = tuple(
    "Ada Agnes Albert Alice Amos Anna Arthur Basil Beatrice Bernard Bertha Bruno Carl Cecily "
    "Clara Conrad Cora Daniel Dora Edgar Edith Edmund Elias Elsa Emil Enid Ernest Esther Eva "
    "Felix Flora Frances Frank Fred Georg Gerda Gilbert Grace Greta Gustav Hannah Harold Hazel "
    "Hector Helen Henry Herman Hilda Hugo Ida Ines Irene Isaac Ivan Ivy Jacob James Jane Joan "
    "Johan Josef Julia Karla Klaus Laura Lena Leo Lewis Lilian Louis Lucy Ludwig Mabel Magnus "
    "Marcus Margot Marie Martha Martin Matilda Maud Max Mildred Miriam Moritz Nadia Nina Norman"
    " Olga Oscar Oswald Otto Paula Percy Peter Philip Ralph Rosa Rudolf Ruth Sarah Selma Silas "
    "Simon Sophie Stella Theo Thomas Ursula Vera Victor Viola Walter Wilma Winifred".split()
)
FAMILY: Final = tuple(
    "Abbot Adler Aldous Amberg Ashdown Baines Barlow Bauer Beck Bellamy Berger Birch Blythe "
    "Boone Brandt Brewer Brook Burgess Calder Carver Castell Chandler Clay Cobb Colby Conway "
    "Cooper Crane Crofts Dahl Dalton Darby Dawson Decker Denning Dixon Dorn Drake Duffy Dunbar "
    "Eaton Eckert Egan Ellis Emery Engel Falk Farrell Fenn Fiedler Finch Fisher Foley Forster "
    "Fuchs Gable Garner Gates Gerlach Gibbs Goddard Gould Graf Grant Gunther Hale Hammond "
    "Harding Hauser Hawkes Heller Herrick Hobbs Hoffman Holt Horner Howell Hurst Ibsen Irving "
    "Jarvis Jensen Joyce Judd Kaiser Keller Kemp Kepler Kern Kirby Klein Knox Kramer Lang "
    "Larkin Latham Lehmann Lindt Lockwood Lowe Ludlow Lund Marsh Mayer Mercer Metz Moll Morrow "
    "Moser Nash Nevin Newell Nolan Norris Novak Oakley Ogden Olsen Osborn Paget Palmer Parrish "
    "Pascoe Peck Pelham Pfeiffer Pohl Porter Prescott Quinn Radley Ramsey Rawlins Reece Richter"
    " Ritter Rowe Ruskin Sadler Sawyer Schiller Seaton Selby Shelton Sievers Slade Sorensen "
    "Spence Stark Stein Stroud Sutter Talbot Thorne Tiller Trask Tucker Ulrich Vance Varley "
    "Vogel Wagner Walsh Warren Weber Welles Whitlock Wilder Winter Wolff Yardley York Zeller "
    "Ziegler".split()
)
TOWN_STARTS: Final = tuple(
    "Ald Ash Bar Beck Bir Black Bram Brax Cal Cam Clay Cold Cran Dal Dar Den Dun East Edger Elm"
    " Fair Farn Fern Fox Gals Glen Gran Green Hart Haw Hazel Heath High Hol Hume Kel Kings Lang"
    " Lark Lin Long Lyn Mal Mar Mel Mill Nor Oak Old Pem Pen Pres Quar Rad Red Rock Rose Ruth "
    "Sand Sel Shel Stan Stone Strat Sun Sut Tam Thorn Til Trent Up Wal War Wex White Win Wood "
    "Wyn Yar".split()
)
TOWN_ENDS: Final = tuple("ford ton bury wick ham field mouth stead minster port dale more".split())
TITLES: Final = tuple(
    "Alder Amber Anchor Arrow Aurora Badger Beacon Bellflower Bishop Bramble Canal Carnation "
    "Castle Cedar Chestnut Clover Comet Compass Copper Coral Corona Crescent Crown Crystal "
    "Cypress Dolphin Dove Eagle Ebony Elder Emerald Falcon Fountain Galaxy Garnet Gazelle Globe"
    " Griffin Guild Harvest Hawthorn Heron Horizon Hunter Iris Island Ivory Jasmine Jasper "
    "Jubilee Juniper Kestrel Lantern Larch Laurel Liberty Lily Lion Magnolia Maple Mariner "
    "Meadow Mercury Meridian Merlin Minerva Mistral Monarch Myrtle Neptune Nightingale Nova "
    "Olive Onyx Opal Orchard Orion Osprey Otter Pavilion Peacock Pearl Pelican Pegasus Phoenix "
    "Pilgrim Pine Plover Polar Poplar Primrose Quarry Raven Regent Robin Rowan Sapphire Saturn "
    "Silver Sparrow Star Stork Summit Swan Tamarisk Thistle Tiger Topaz Triton Tulip Union "
    "Unicorn Valley Venus Violet Vulcan Willow Wren Zenith Zephyr".split()
)
MATERIALS: Final = tuple(
    "granite;sandstone;red brick;limestone;oak;pale marble;slate;cast "
    "iron;concrete;basalt;yellow brick;larch wood;steel;flint;glass;chestnut "
    "wood;bronze;travertine;cedar wood;dark timber".split(";")
)
COLOURS: Final = tuple(
    "green;dark blue;crimson;white;bright "
    "yellow;violet;orange;grey;turquoise;pink;black;silver;pale brown;scarlet;sky "
    "blue;ivory;maroon;olive;golden;lilac".split(";")
)
LANGUAGES: Final = (
    "Latin Danish Portuguese Welsh Hungarian Greek Finnish Polish Italian Swedish Dutch Breton "
    "Catalan Czech Irish Norwegian Croatian Basque Estonian Maltese"
).split()
ANIMALS: Final = (
    "wolf bear stag salmon horse owl beetle fox crane goat hare lynx bull hound bee toad cat ram "
    "boar squirrel"
).split()
MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()
PAPERS: Final = ("Gazette", "Courier", "Mirror", "Post", "Chronicle", "Echo")

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bridge": ("arches", "lamps", "steps", "statues"),
    "museum": ("rooms", "paintings", "display cases", "guides"),
    "school": ("pupils", "classrooms", "teachers", "desks"),
    "theatre": ("seats", "boxes", "costumes", "stagehands"),
    "library": ("books", "reading rooms", "maps", "chairs"),
    "factory": ("workers", "looms", "chimneys", "storeys"),
    "station": ("platforms", "clocks", "benches", "porters"),
    "garden": ("trees", "greenhouses", "ponds", "gardeners"),
    "hospital": ("beds", "wards", "nurses", "ambulances"),
    "hotel": ("guest rooms", "balconies", "cooks", "lifts"),
    "mill": ("wheels", "sluices", "sieves", "millers"),
    "chapel": ("pews", "bells", "candlesticks", "windows"),
    "harbour": ("cranes", "piers", "sheds", "pilots"),
    "lighthouse": ("landings", "mirrors", "keepers", "shutters"),
    "observatory": ("telescopes", "domes", "astronomers", "star charts"),
    "market hall": ("stalls", "pillars", "doors", "cellars"),
    "brewery": ("vats", "carts", "barrels", "coopers"),
    "stadium": ("turnstiles", "floodlights", "stewards", "stands"),
}
"""Kind of place → things in it that contexts count."""

TRAINED_KINDS: Final = 13
"""The first so many kinds occur in all splits, the others in the test contexts only."""


def share(values: Sequence[T], split: str) -> list[T]:
    """The values of a split: of every ten, five are for training, two validation, three test."""
    owners = {"train": (0, 2, 4, 6, 8), "validation": (1, 7), "test": (3, 5, 9)}[split]
    return [value for at, value in enumerate(values) if at % 10 in owners]


def kinds(split: str) -> list[str]:
    """The kinds of places that the contexts of a split are about."""
    names = list(KINDS)
    return names if split == "test" else names[:TRAINED_KINDS]
