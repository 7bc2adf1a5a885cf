"""The words and factors of the synthetic catalogue: goods, brands, materials, conditions.

Only data stands here; ``catalogue.py`` turns it into listings. None of these brands, goods or
materials occurs in the text that the embedded model is pre-trained on (a test looks), so a
fine-tuned adapter has learned them from the catalogue alone.
"""

from __future__ import annotations

from typing import NamedTuple


class Size(NamedTuple):
    """The size that a product type comes in and what it does to the price."""

    kind: str
    """How it is written; one of the writers in ``catalogue_sizes``."""
    low: float
    high: float
    reference: float
    """The size at which ``Product.price`` holds."""
    exponent: float
    """The price grows with ``(size / reference) ** exponent``."""


class Product(NamedTuple):
    """A product type: what it is called and how its price comes about."""

    category: str
    names: tuple[tuple[str, str], ...]
    """Pairs of singular and plural; the pairs are synonyms."""
    price: float
    """Price of one new piece of a middling brand at the reference size."""
    materials: str
    """Key of ``MATERIALS``, or an empty string."""
    size: Size | None = None
    counts: tuple[int, ...] = ()
    """Numbers of pieces that it is sold in; empty for goods that come singly."""
    count_exponent: float = 0.85
    """The price grows with ``count ** count_exponent``: a pack is cheaper by the piece."""
    features: str = ""
    """Key of ``FEATURES``; empty for the category's own."""


def _p(
    category: str,
    names: str,
    price: float,
    materials: str = "",
    size: Size | None = None,
    counts: tuple[int, ...] = (),
    count_exponent: float = 0.85,
    features: str = "",
) -> Product:
    pairs = [name.split("/") for name in names.split(", ")]
    return Product(
        category,
        tuple((singular, plural) for singular, plural in pairs),
        price,
        materials,
        size,
        counts,
        count_exponent,
        features,
    )


_FEW = (2, 4, 6)
_SOME = (2, 3, 4, 6, 8)
_MANY = (2, 3, 4, 5, 6, 8, 10, 12, 18, 20, 24)
_PAIR = (2,)

PRODUCTS: tuple[Product, ...] = (
    _p("furniture", "bookcase/bookcases, bookshelf/bookshelves", 140, "wood",
       Size("tall", 70, 220, 180, 0.8)),
    _p("furniture", "desk/desks, writing desk/writing desks", 180, "wood",
       Size("wide", 80, 200, 140, 0.9)),
    _p("furniture", "dining chair/dining chairs", 70, "wood", None, _FEW, 0.9),
    _p("furniture", "bar stool/bar stools", 62, "frame", Size("tall", 55, 85, 65, 0.4), _FEW, 0.9),
    _p("furniture", "coffee table/coffee tables", 130, "wood", Size("across", 45, 130, 90, 1.1)),
    _p("furniture", "mattress/mattresses", 280, "",
       Size("bed", 1.8, 4.0, 2.8, 0.75), (), 0.85, "mattress"),
    _p("textiles", "rug/rugs, carpet/carpets", 150, "fibre", Size("area", 0.6, 9.0, 3.68, 0.85)),
    _p("textiles", "curtain/curtains", 34, "cloth", Size("tall", 120, 290, 220, 0.8), _FEW, 0.88),
    _p("textiles", "bath towel/bath towels", 15, "cloth", Size("area", 0.3, 1.6, 0.98, 0.7),
       _SOME, 0.82),
    _p("textiles", "cushion/cushions", 21, "cloth", Size("across", 30, 80, 50, 0.9), _SOME, 0.85),
    _p("textiles", "blanket/blankets, throw/throws", 46, "fibre", Size("area", 1.2, 5.0, 2.6,
       0.75)),
    _p("kitchen", "kettle/kettles", 44, "metal", Size("litres", 0.5, 2.2, 1.5, 0.4), (), 0.85,
       "powered"),
    _p("kitchen", "frying pan/frying pans, skillet/skillets", 42, "pan",
       Size("across", 16, 34, 26, 1.2), (2, 3), 0.82, "pan"),
    _p("kitchen", "saucepan/saucepans", 40, "pan", Size("litres", 0.8, 6, 2.2, 0.55), (2, 3),
       0.85, "pan"),
    _p("kitchen", "mug/mugs", 11, "ware", Size("millilitres", 180, 550, 330, 0.5), _SOME, 0.8,
       "ware"),
    _p("kitchen", "dinner plate/dinner plates", 12, "ware", Size("across", 20, 32, 27, 1.1),
       _MANY, 0.84, "ware"),
    _p("kitchen", "storage jar/storage jars", 9, "ware", Size("millilitres", 250, 3000, 1000, 0.5),
       _SOME, 0.8, "jar"),
    _p("kitchen", "blender/blenders", 78, "", Size("litres", 0.6, 2.4, 1.5, 0.5), (), 0.85,
       "powered"),
    _p("kitchen", "espresso machine/espresso machines", 310, "metal",
       Size("litres", 0.8, 3, 1.6, 0.35), (), 0.85, "powered"),
    _p("electronics", "monitor/monitors", 220, "", Size("diagonal", 19, 43, 27, 1.6), (2, 3), 0.95,
       "screen"),
    _p("electronics", "television/televisions, TV/TVs", 430, "", Size("diagonal", 24, 77, 50, 1.7),
       (), 0.85, "screen"),
    _p("electronics", "SSD/SSDs, solid state drive/solid state drives", 78, "",
       Size("gigabytes", 120, 4000, 1000, 0.7), (), 0.85, "storage"),
    _p("electronics", "memory card/memory cards", 19, "", Size("gigabytes", 16, 1000, 128, 0.6),
       (2, 3, 5), 0.9, "storage"),
    _p("electronics", "USB cable/USB cables, charging cable/charging cables", 9, "cable",
       Size("metres", 0.3, 10, 1.5, 0.45), _SOME, 0.78, "cable"),
    _p("electronics", "power bank/power banks", 33, "", Size("milliamps", 2500, 40000, 10000, 0.65),
       (2, 3), 0.9),
    _p("electronics", "speaker/speakers, Bluetooth speaker/Bluetooth speakers", 68, "",
       Size("watts", 5, 120, 20, 0.55), _PAIR, 0.92),
    _p("electronics", "headphones/headphones", 95, "", None, (), 0.85, "sound"),
    _p("lighting", "floor lamp/floor lamps", 95, "frame", Size("tall", 110, 195, 155, 0.7),
       _PAIR, 0.9),
    _p("lighting", "pendant light/pendant lights", 64, "frame", Size("across", 14, 70, 35, 0.85),
       (2, 3), 0.9),
    _p("lighting", "LED bulb/LED bulbs, light bulb/light bulbs", 6, "", Size("watts", 3, 25, 9,
       0.5),
       _MANY, 0.8, "bulb"),
    _p("tools", "cordless drill/cordless drills", 98, "", Size("volts", 10, 40, 18, 0.9), (), 0.85,
       "battery"),
    _p("tools", "hammer/hammers", 24, "tool", Size("grams", 200, 2000, 500, 0.45), (), 0.85,
       "hand tool"),
    _p("tools", "socket set/socket sets", 72, "", Size("pieces", 20, 250, 90, 0.65), (), 0.85,
       "hand tool"),
    _p("tools", "toolbox/toolboxes", 38, "tool", Size("across", 30, 75, 48, 1.1), (), 0.85,
       "box"),
    _p("tools", "ladder/ladders", 115, "tool", Size("metres", 1.2, 8, 3, 0.95), (), 0.85, "ladder"),
    _p("sports", "dumbbell/dumbbells", 26, "weight", Size("kilograms", 1, 40, 10, 0.85), _PAIR,
       0.95, "weight"),
    _p("sports", "yoga mat/yoga mats", 29, "mat", Size("thickness", 3, 15, 6, 0.5), (), 0.85,
       "mat"),
    _p("sports", "backpack/backpacks, rucksack/rucksacks", 76, "cloth",
       Size("litres", 8, 85, 30, 0.6)),
    _p("sports", "bicycle/bicycles, bike/bikes", 400, "cycle", Size("diagonal", 12, 29, 26, 1.3),
       (), 0.85,
       "cycle"),
    _p("garden", "hose/hoses", 31, "mat", Size("metres", 5, 60, 20, 0.7), (), 0.85, "hose"),
    _p("garden", "plant pot/plant pots, planter/planters", 17, "pot",
       Size("across", 8, 80, 28, 1.35), _SOME, 0.82),
    _p("garden", "parasol/parasols", 88, "frame", Size("metres", 1.6, 4.2, 2.7, 1.25)),
    _p("garden", "lawn mower/lawn mowers", 260, "", Size("across", 28, 56, 40, 1.1), (), 0.85,
       "battery"),
    _p("office", "notebook/notebooks", 7, "cover", Size("pages", 40, 400, 160, 0.45), _MANY, 0.82),
    _p("office", "fountain pen/fountain pens", 48, "metal", None, (2, 3), 0.85, "pen"),
    _p("office", "paper shredder/paper shredders", 92, "", Size("litres", 8, 60, 21, 0.55), (),
       0.85,
       "shredder"),
)  # fmt: skip

MATERIALS: dict[str, dict[str, float]] = {
    "wood": {"pine": 0.75, "oak": 1.3, "walnut": 1.65, "beech": 1.05, "bamboo": 0.9,
             "chipboard": 0.5, "acacia": 1.2},
    "frame": {"aluminium": 1.1, "steel": 1.0, "plastic": 0.55, "bamboo": 0.85, "oak": 1.3},
    "tool": {"aluminium": 1.2, "steel": 1.0, "plastic": 0.6, "fibreglass": 1.35},
    "cycle": {"aluminium": 1.0, "steel": 0.8, "carbon": 2.0},
    "fibre": {"wool": 1.6, "jute": 0.85, "polyester": 0.6, "cotton": 1.0, "cashmere": 2.6},
    "cloth": {"cotton": 1.0, "linen": 1.4, "velvet": 1.3, "polyester": 0.7, "hemp": 1.2},
    "metal": {"stainless steel": 1.1, "copper": 1.6, "plastic": 0.6, "enamel": 0.95},
    "pan": {"cast iron": 1.25, "stainless steel": 1.2, "aluminium": 0.8, "copper": 2.1,
            "enamel": 0.9},
    "ware": {"porcelain": 1.3, "stoneware": 1.0, "glass": 0.85, "enamel": 0.9, "melamine": 0.55},
    "cable": {"braided polyester": 1.25, "silicone": 1.1, "plastic": 0.8},
    "weight": {"cast iron": 1.0, "neoprene": 1.15, "concrete": 0.55, "chrome": 1.35},
    "mat": {"natural latex": 1.5, "plastic": 0.75, "silicone": 1.2},
    "pot": {"terracotta": 1.0, "concrete": 1.35, "plastic": 0.5, "stoneware": 1.3,
            "fibreglass": 1.6},
    "cover": {"leather": 2.6, "cardboard": 0.8, "linen": 1.4},
}  # fmt: skip

BRANDS: dict[str, float] = {
    # no-name to cheap
    "Basivo": 0.5, "Korrin": 0.55, "Plexo": 0.58, "Handyline": 0.6, "Tudmar": 0.64, "Ecovale": 0.66,
    "Nordbo": 0.7, "Quikka": 0.72,
    # middling
    "Hollis": 0.82, "Marwick": 0.88, "Sundale": 0.92, "Arbena": 0.95, "Fenwood": 0.98,
    "Calder & Sons": 1.0, "Tessaro": 1.03, "Lumiq": 1.06, "Oststern": 1.1, "Brightwell": 1.13,
    "Kaizu": 1.18, "Redfern": 1.2,
    # premium
    "Vantor": 1.4, "Alpenhaus": 1.5, "Sorelle": 1.55, "Ostermann": 1.65, "Halden": 1.75,
    "Mirovia": 1.9,
    # luxury
    "Aurelio": 2.3, "Maison Verel": 2.6, "Kronwerk": 2.9, "Belcourt": 3.3,
}  # fmt: skip

CONDITIONS: tuple[tuple[float, float, tuple[str, ...]], ...] = (
    # weight, factor, wordings
    (52, 1.0, ("new", "brand new", "new in box", "unused", "factory sealed")),
    (11, 0.86, ("open box", "like new", "display model")),
    (11, 0.7, ("refurbished", "certified refurbished", "fully restored")),
    (13, 0.52, ("used", "pre-owned", "second hand", "used, good condition")),
    (8, 0.36, ("well worn", "heavily used", "used, visible scratches")),
    (5, 0.2, ("for parts", "damaged, for repair", "faulty, sold as seen")),
)

HOLDS_VALUE: dict[str, float] = {
    "furniture": 1.0, "textiles": 1.35, "kitchen": 1.0, "electronics": 1.15, "lighting": 0.95,
    "tools": 0.75, "sports": 0.85, "garden": 0.95, "office": 1.1,
}  # fmt: skip
"""How strongly the condition tells in each category: the factor is raised to this power."""

FEATURES: dict[str, tuple[tuple[str, float], ...]] = {
    "furniture": (("with drawer", 1.15), ("flat packed", 0.9), ("handmade", 1.35),
                  ("foldable", 1.05), ("one leg scuffed", 0.85), ("delivered assembled", 1.12)),
    "mattress": (("memory foam", 1.2), ("pocket springs", 1.15), ("with removable cover", 1.08),
                 ("cover not included", 0.93), ("firm", 1.0), ("soft", 1.0)),
    "textiles": (("hand woven", 1.4), ("machine washable", 1.04), ("with fringe", 1.05),
                 ("small stain", 0.75), ("extra thick", 1.2), ("non-slip", 1.07)),
    "ware": (("dishwasher safe", 1.05), ("hand painted", 1.35), ("gift boxed", 1.08),
             ("microwave safe", 1.03), ("one edge chipped", 0.75), ("made to order", 1.2)),
    "jar": (("with lid", 1.12), ("lid not included", 0.88), ("dishwasher safe", 1.05),
            ("airtight", 1.15), ("one edge chipped", 0.75), ("hand painted", 1.35)),
    "pan": (("with lid", 1.12), ("lid not included", 0.9), ("dishwasher safe", 1.05),
            ("non-stick", 1.1), ("handle loose", 0.78), ("gift boxed", 1.08)),
    "powered": (("with timer", 1.12), ("temperature control", 1.22), ("without manual", 0.97),
                ("extra quiet", 1.1), ("lid cracked", 0.72), ("with cleaning kit", 1.06)),
    "electronics": (("with case", 1.1), ("water resistant", 1.15), ("no packaging", 0.94),
                    ("fast version", 1.25), ("charger not included", 0.92), ("slim", 1.03)),
    "screen": (("4K", 1.3), ("curved", 1.15), ("without stand", 0.85), ("with wall mount", 1.09),
               ("one dead pixel", 0.75), ("remote missing", 0.92)),
    "sound": (("noise cancelling", 1.55), ("wireless", 1.25), ("wired", 0.75), ("with case", 1.08),
              ("ear pads worn", 0.75), ("in-ear", 0.8)),
    "lighting": (("dimmable", 1.15), ("bulb not included", 0.93), ("with remote", 1.15),
                 ("smart, app controlled", 1.4), ("warm white", 1.0), ("energy class A", 1.06)),
    "bulb": (("dimmable", 1.3), ("warm white", 1.0), ("smart, app controlled", 1.9),
             ("no packaging", 0.9), ("energy class A", 1.1), ("daylight white", 1.03)),
    "storage": (("fast version", 1.3), ("with adapter", 1.1), ("no packaging", 0.94),
                ("encrypted", 1.2), ("for cameras", 1.06), ("label peeled off", 0.9)),
    "cable": (("right-angled plug", 1.1), ("fast charging", 1.3), ("no packaging", 0.9),
              ("reinforced ends", 1.15), ("with storage bag", 1.08), ("plug slightly bent", 0.7)),
    "hand tool": (("with case", 1.12), ("rubber grip", 1.06), ("some rust", 0.7),
                  ("professional series", 1.5), ("forged", 1.25), ("label missing", 0.92)),
    "box": (("with tray", 1.12), ("lockable", 1.15), ("some rust", 0.75),
            ("professional series", 1.4), ("lid dented", 0.75), ("with wheels", 1.3)),
    "ladder": (("foldable", 1.15), ("telescopic", 1.4), ("one step dented", 0.72),
               ("professional series", 1.45), ("non-slip feet", 1.05), ("with tray", 1.06)),
    "battery": (("two batteries", 1.3), ("without battery", 0.65), ("charger not included", 0.85),
                ("brushless", 1.25), ("with case", 1.1), ("with spare blades", 1.08)),
    "sports": (("with carry bag", 1.08), ("competition grade", 1.5), ("beginner model", 0.8),
               ("reflective", 1.05), ("adjustable", 1.15), ("slightly torn", 0.7)),
    "cycle": (("with lights", 1.05), ("21 gears", 1.15), ("electric", 1.7),
              ("flat tyre", 0.85), ("for children", 0.8), ("disc brakes", 1.15)),
    "weight": (("adjustable", 1.4), ("hexagonal", 1.03), ("competition grade", 1.4),
               ("some rust", 0.75), ("rubber grip", 1.08), ("with stand", 1.2)),
    "mat": (("extra grip", 1.1), ("with carry strap", 1.08), ("printed", 1.03),
            ("slightly torn", 0.7), ("made by hand", 1.3), ("foldable", 1.06)),
    "hose": (("with spray gun", 1.15), ("with reel", 1.4), ("frost proof", 1.12),
             ("fittings not included", 0.88), ("slightly faded", 0.85), ("heavy duty", 1.25)),
    "garden": (("frost proof", 1.12), ("with stand", 1.15), ("UV resistant", 1.08),
               ("slightly faded", 0.8), ("stand not included", 0.88), ("heavy duty", 1.25)),
    "office": (("dotted pages", 1.0), ("recycled", 1.03), ("gift boxed", 1.15),
               ("first page torn", 0.75), ("limited edition", 1.6), ("with pen loop", 1.1)),
    "pen": (("refillable", 1.05), ("gold nib", 1.7), ("gift boxed", 1.12),
            ("engraved initials", 0.8), ("limited edition", 1.6), ("fine nib", 1.0)),
    "shredder": (("cross cut", 1.25), ("strip cut", 0.85), ("extra quiet", 1.12),
                 ("with oil", 1.04), ("bin cracked", 0.75), ("automatic", 1.4)),
}  # fmt: skip

COLOURS: tuple[str, ...] = (
    "black", "white", "grey", "navy", "dark green", "red", "beige", "brown", "light blue", "yellow",
    "cream", "charcoal", "mint", "burgundy",
)  # fmt: skip
