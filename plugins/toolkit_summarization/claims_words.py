"""Names, places and things of the built-in claims, and the split that each belongs to.

Training, validation and test each draw names and places from a part of every pool of their own
(:func:`share`). None of these words occurs in the text that the embedded models were pre-trained
on; a test of those models checks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

GIVEN: Final = (
    "Alison Amos Annette Barnaby Beatrice Bernard Bridget Calvin Carmen Cedric Charlotte "
    "Clement Constance Cornelius Daphne Desmond Dorothea Edmund Eleanor Elliot Estelle Fabian "
    "Felicity Florence Francis Georgina Gilbert Gwendolyn Harriet Hector Imogen Isaac "
    "Jacqueline Jasper Josephine Julian Katherine Kenneth Leonora Lionel Lucinda Magnus "
    "Marguerite Maurice Millicent Mortimer Nadine Nigel Octavia Oliver Patience Percival "
    "Philippa Quentin Rebecca Reginald Rosalind Rupert Sebastian Silvia Stanley Stephanie "
    "Terence Theodora Tobias Ursula Valentine Victoria Vincent Winifred"
).split()
FAMILY: Final = (
    "Abernathy Ashcroft Atkinson Bannister Beaumont Blackwood Bradshaw Brightman Cartwright "
    "Chamberlain Cholmondeley Clifton Coleridge Crawshaw Davenport Dickinson Drummond Eastwick "
    "Everett Fairbanks Featherstone Fitzgerald Fotheringay Gallagher Greenwood Hathaway "
    "Hawthorne Higginbotham Holloway Humphreys Jameson Kilpatrick Kingsley Lancaster "
    "Livingstone Lockwood MacAllister Merriweather Middlemarch Montgomery Nightingale Northcott "
    "Ormerod Pemberton Pickering Prendergast Quigley Ravenscroft Redmayne Rutherford Sedgwick "
    "Shackleford Silverwood Somerset Sutcliffe Templeton Thackeray Threlfall Tremblay Underhill "
    "Vaughan Wainwright Weatherby Whitaker Willoughby Winterbottom Wolstenholme Woodhouse "
    "Wyndham Yarborough"
).split()
TOWNS: Final = (
    "Aldersgate Amberfield Ashbourne Bexhurst Birchwood Bramcote Brookside Burnside Castleton "
    "Claybrook Cloverfield Coldwater Copperfield Cranbrook Crickhollow Deerfield Dunmore "
    "Eaglecrest Eastbrook Elmhurst Everglade Fairview Falconridge Fernhill Foxglove Glenwood "
    "Goldcrest Greystoke Hartfield Hazelmere Heatherfield Highcliff Ivybridge Juniper "
    "Kingfisher Kirkstall Lakeside Larchmont Lavender Littlebrook Longmeadow Maplewood "
    "Meadowbank Millbrook Mossgate Newcastle Oakhurst Oldbury Otterburn Pinecrest Primrose "
    "Queensbury Redwood Ridgemont Riverside Rosewood Sandpiper Silverlake Springfield "
    "Stonebridge Sycamore Thornfield Underwood Waterford Westbourne Whitecliff Wildflower "
    "Willowbrook Windermere Woodlark"
).split()
COVERS: Final[dict[str, tuple[str, ...]]] = {
    "motor": ("rear-end collision", "side impact", "theft of the car", "hail on the bodywork",
              "collision with a deer", "vandalism to the car", "windscreen breakage",
              "skid on black ice", "parking accident"),
    "household": ("burst pipe", "kitchen blaze", "break-in", "flooded basement",
                  "storm on the roof", "short circuit", "fallen chimney",
                  "leaking dishwasher", "smoke in the attic"),
    "travel": ("cancelled flight", "lost luggage", "illness abroad", "stolen passport",
               "missed ferry", "broken ankle on holiday", "hotel insolvency", "delayed coach",
               "theft on the beach"),
    "liability": ("fall on wet steps", "dog bite", "ball through a pane", "spilt acid",
                  "bicycle knocked over", "tree on a neighbour", "scratched piano",
                  "damaged rental tools", "falling scaffold"),
}  # fmt: skip
LOSSES: Final[dict[str, tuple[str, ...]]] = {
    "motor": ("rear bumper", "left headlight", "bonnet and grille", "driver's airbag",
              "alloy rims", "gearbox", "tailgate", "right wing", "towing hitch"),
    "household": ("parquet in the hallway", "fitted kitchen", "jewellery box", "plaster ceiling",
                  "roof tiles", "television set", "oak staircase", "wool carpets",
                  "central boiler"),
    "travel": ("hotel deposit", "two suitcases", "dental treatment", "camera equipment",
               "return tickets", "ski rental", "laptop and tablet", "rescue helicopter",
               "guided safari"),
    "liability": ("a visitor's wrist", "a postman's trousers", "a patio window",
                  "a marble worktop", "a racing bike", "a garden pavilion", "a grand piano",
                  "a concrete mixer", "a parked caravan"),
}  # fmt: skip
STATUSES: Final = ("accepted", "declined", "under review", "awaiting documents", "settled in part")
MONTHS: Final = ("January February March April May June July August September October November "
                 "December").split()  # fmt: skip
ABSENT: Final = "not provided"
"""The value of a field that was not filled in."""


def share(pool: Sequence[T], split: str) -> list[T]:
    """A split's own part of a pool: 5 of 9 for training, 2 each for validation and test."""
    wanted = {"train": (0, 2, 4, 6, 8), "validation": (1, 5), "test": (3, 7)}[split]
    return [value for at, value in enumerate(pool) if at % 9 in wanted]
