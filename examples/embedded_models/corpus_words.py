"""The words of the pre-training text: invented goods, brands, materials and conditions.

Nothing here may occur in the price task's catalogue (``test_corpus.py`` checks that): the base
model learns how advertisements are read, and the goods of the task only in fine-tuning.
"""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple


class Good(NamedTuple):
    """A kind of goods and how its price comes about."""

    name: str
    price: float
    unit: str
    """How its size is written; empty for goods without one."""
    low: float
    high: float
    exponent: float
    counted: bool
    """Whether it is also sold by the pack."""
    materials: str
    group: str


_GOODS = {
    "music": """guitar 160; violin 190; ukulele 55 cm 50 76 .8; flute 120 - - - - metal;
        trumpet 180 - - - - metal; drum kit 320 pieces 3 9 .8; tambourine 25 cm 15 30 .7 - timber;
        harmonica 30 - - - - metal; accordion 400; metronome 32; piano stand 60 cm 50 110 .6 -
        metal;
        xylophone 45 keys 8 44 .8 - timber; banjo 210; amplifier 150 watts 5 150 .6""",
    "outdoor": """tent 140 persons 1 10 .8 - fabric; hammock 45 cm 180 320 .7 - fabric;
        kayak 420 metres 2.2 5 1.3; paddle 38 cm 120 240 .5 p timber; fishing rod 60 metres 1.5
        4.5 .9;
        compass 28 mm 30 70 .4 p metal; binoculars 110 mm 20 60 1; telescope 240 mm 50 160 1.5;
        life vest 55 - - - p fabric; surfboard 310 feet 5 10 1; snowboard 260 cm 120 170 1.1;
        helmet 58; skateboard 64 cm 55 105 .6 - timber; scooter 120 inches 5 12 .8 - metal;
        tennis racket 85 grams 230 340 -.4; football 24 - - - p; golf club 75 inches 33 46 .6 p
        metal;
        dart board 42 cm 25 46 .9; trampoline 230 feet 4 15 1.2; climbing rope 110 metres 10 80 .8;
        head torch 34 lumens 80 1200 .5 p; camping stove 58 watts 800 5000 .5 - metal;
        cool bag 36 litres 5 50 .6 - fabric; drinking bottle 16 ml 300 1500 .4 p metal;
        water canister 18 litres 3 30 .7 p; sled 48 cm 70 130 .9 - timber""",
    "animals": """dog bed 48 cm 40 130 1.1 - fabric; dog lead 17 metres 1 12 .4 - fabric;
        cat tree 75 cm 50 200 1; bird cage 68 cm 30 150 1.1 - metal; aquarium 110 litres 10 350 .7;
        fish food 9 grams 50 1000 .8 p; dog food 38 kilos 1 18 .85 p; cat litter 14 kilos 4 30 .8 p;
        rabbit hutch 130 cm 80 170 1.1 - timber; horse saddle 390; chew toy 7 - - - p""",
    "food": """coffee beans 17 grams 200 2000 .85 p; green tea 13 grams 40 500 .8 p;
        honey 10 grams 125 1500 .85 p; olive oil 13 ml 200 3000 .85 p; rice 6 kilos .5 20 .8 p;
        flour 4 kilos .5 15 .8 p; chocolate bar 4 grams 40 500 .8 p; almonds 9 grams 100 2000 .9 p;
        pasta 4 grams 250 3000 .8 p; maple syrup 18 ml 100 1500 .85 p; cheese wheel 60 kilos .5 8
        .9;
        orange juice 5 litres .3 5 .75 p; black pepper 8 grams 30 600 .8 p; sea salt 5 grams 100
        2000 .6 p""",
    "clothes": """jacket 95 - - - - fabric; coat 140 - - - - fabric; scarf 28 cm 120 220 .5 -
        fabric;
        hat 26 - - - - fabric; glove 18 - - - p fabric; sock 6 - - - p fabric; shirt 32 - - - p
        fabric;
        dress 78 - - - - fabric; skirt 44 - - - - fabric; belt 27 cm 80 130 .3 - fabric;
        boot 98 - - - - fabric; sneaker 74; sandal 39; tie 24 - - - p fabric; raincoat 66;
        handbag 92 litres 3 20 .4 - fabric; wallet 33; suitcase 105 litres 25 120 .7;
        umbrella 22 cm 85 150 .8; apron 19 - - - p fabric""",
    "jewels": """ring 150 - - - - metal; necklace 120 cm 38 80 .6 - metal; bracelet 85 cm 16 22 .5
        - metal;
        earring 40 - - - p metal; wristwatch 210 mm 26 46 .5 - metal; brooch 38 - - - - metal""",
    "devices": """camera 380 megapixels 8 60 .7; lens 290 mm 20 300 .5; tripod 62 cm 30 190 .7 -
        metal;
        drone 330 minutes 6 45 .8; projector 300 lumens 200 5000 .5; printer 140; scanner 120;
        tablet 240 inches 7 14 1.3; laptop 560 inches 11 18 .9; phone 340 gb 32 512 .4;
        game console 290 gb 250 2000 .4; joystick 44; microphone 75; webcam 46 megapixels 1 12 .5;
        radio 48 watts 1 30 .4; alarm clock 21 cm 5 20 .5 - metal; calculator 23; e-reader 120 gb
        4 64 .3;
        rechargeable battery 8 mah 600 5000 .5 p; extension lead 14 metres 1 30 .6 p; smoke
        detector 19 - - - p;
        doorbell 52; thermostat 85; memory stick 14 gb 8 512 .6 p; charger 22 watts 5 140 .5 p;
        hearing aid 310 - - - p; walkie-talkie 55 km 1 15 .5 p""",
    "home": """candle 9 grams 80 900 .7 p wax; vase 28 cm 8 60 1 p stone; picture frame 18 area
        .03 .8 .7 p timber;
        mirror 62 cm 20 160 1.1; wall clock 34 cm 18 70 .9 - timber; laundry basket 27 litres 20
        110 .6 - woven;
        bucket 9 litres 3 25 .6 p metal; broom 13 cm 90 160 .3 p; vacuum cleaner 150 watts 300
        2200 .4;
        fan 46 inches 5 24 .8; heater 72 watts 400 3000 .6; humidifier 55 litres .5 8 .5;
        sewing kit 16 pieces 20 220 .5; washing machine 430 kilos 4 12 .8; fridge 420 litres 40
        450 .6;
        freezer 330 litres 30 400 .6; oven 390 litres 25 80 .6; rice cooker 52 litres .6 5 .6;
        teapot 32 ml 300 2000 .5 - stone; wok 36 inches 8 16 1 - metal; cutting board 21 cm 18 60
        .9 p timber;
        ladle 9 cm 18 40 .4 p metal; corkscrew 14 - - - p metal; tray 19 cm 20 70 .8 p timber;
        bowl 13 cm 8 40 1 p stone; lunch box 14 ml 300 2500 .4 p; napkin 5 cm 20 50 .6 p fabric;
        pillow 27 area .1 .7 .7 p fabric; wardrobe 290 cm 60 250 .9 - timber; sofa 520 cm 110 320
        1 - fabric;
        sideboard 250 cm 70 220 .9 - timber; bench 120 cm 70 220 .8 - timber; crate 16 litres 8 90
        .6 p timber;
        safe 140 litres 5 120 .6; cradle 130 cm 60 100 .8 - timber; doormat 17 area .15 1.2 .6 -
        woven""",
    "workshop": """saw 24 cm 20 80 .7; screwdriver 8 mm 40 300 .4 p; wrench 15 mm 6 50 .7 p metal;
        pliers 17 mm 100 300 .5; paint 22 litres .4 15 .8 p; wood glue 7 grams 60 1200 .7 p;
        nail box 6 pieces 50 1500 .6; screw box 9 pieces 40 1000 .6; duct tape 6 metres 5 60 .6 p;
        fence wire 12 metres 2 100 .7 p; chain 19 metres 1 20 .9 - metal; tarpaulin 21 area 2 40 .8;
        shovel 27 cm 60 130 .3; rake 22 teeth 8 30 .4; axe 36 grams 500 2500 .5; watering can 18
        litres 1 14 .6 - metal;
        greenhouse 420 area 1 12 .7; fence panel 48 area .8 4 .9 p timber; compost bin 52 litres
        60 600 .6;
        grass seed 13 grams 250 5000 .8 p; barbecue 160 cm 30 110 1; fire bowl 85 cm 35 100 1.1 -
        metal;
        pressure washer 170 watts 1000 3000 .8; generator 420 watts 600 6000 .7; compressor 190
        litres 3 100 .5;
        solar panel 110 watts 10 450 .75 p; car tyre 82 inches 13 21 1.4 p; motor oil 21 litres .5
        20 .8 p;
        bench vice 64 mm 60 200 1; spirit level 19 cm 20 200 .6; wheel clamp 48""",
    "toys": """doll 24 cm 12 60 .7 - fabric; teddy bear 22 cm 12 120 .9 - fabric; puzzle 15 pieces
        50 3000 .4;
        board game 29; building block kit 42 pieces 30 2500 .65; toy train 36 pieces 2 60 .6 -
        timber;
        kite 21 cm 60 260 .7 - fabric; paint brush 5 mm 2 60 .5 p; easel 54 cm 60 200 .8 - timber;
        sketch pad 10 sheets 15 200 .6 p; crayon box 8 pieces 8 120 .6; colouring book 6 sheets 12
        120 .4 p;
        novel 12 sheets 80 400 .3; cookbook 24 sheets 60 260 .4; atlas 36 sheets 50 260 .5;
        calendar 12 - - - p;
        globe 46 cm 12 60 1; stapler 11 - - - p; ruler 4 cm 15 100 .5 p; envelope 2 - - - p;
        ring binder 5 mm 20 90 .3 p; whiteboard 58 area .2 3 .8; chess game 44 cm 20 60 .8 -
        timber""",
}  # fmt: skip

MATERIALS: dict[str, dict[str, float]] = {
    "timber": {"ash": 1.1, "birch": 0.95, "cherry": 1.4, "teak": 1.6, "maple": 1.2,
               "mahogany": 1.8, "spruce": 0.7, "plywood": 0.55, "cedar": 1.25},
    "metal": {"titanium": 1.9, "brass": 1.25, "bronze": 1.45, "tin": 0.6, "pewter": 1.05,
              "zinc": 0.8, "silver": 2.4, "nickel": 1.0, "gilded brass": 1.7},
    "fabric": {"nylon": 0.75, "canvas": 0.95, "silk": 2.1, "denim": 1.0, "felt": 0.8,
               "fleece": 0.7, "satin": 1.3, "suede": 1.6, "viscose": 0.85, "alpaca": 1.9,
               "mohair": 1.7, "corduroy": 1.05},
    "stone": {"marble": 1.8, "slate": 1.2, "clay": 0.7, "crystal": 1.6, "acrylic": 0.6,
              "soapstone": 1.3},
    "woven": {"rattan": 1.2, "wicker": 1.0, "seagrass": 0.85, "willow": 1.1, "rubber": 0.7},
    "wax": {"beeswax": 1.5, "soy wax": 1.1, "paraffin": 0.7},
}  # fmt: skip

CONDITIONS: tuple[tuple[float, float, tuple[str, ...]], ...] = (
    # weight, factor, wordings
    (45, 1.0, ("mint", "pristine", "still sealed", "never opened", "fresh from the factory",
               "straight from the shop", "as good as on day one", "in its wrapping")),
    (12, 0.85, ("nearly new", "worn once", "tried once", "customer return", "shop sample")),
    (12, 0.72, ("rebuilt", "overhauled", "serviced", "repainted", "fixed up")),
    (14, 0.6, ("in fair condition", "with signs of wear", "some years old", "gently handled",
               "with small dents")),
    (9, 0.42, ("rather tatty", "badly scratched", "in poor condition", "very old", "shabby")),
    (8, 0.25, ("broken", "not working", "spares or repair", "does not start", "cracked")),
)  # fmt: skip

EXTRAS: dict[str, float] = {
    "with pouch": 1.07, "with strap": 1.06, "with original box": 1.1, "box missing": 0.93,
    "waterproof": 1.18, "extra strong": 1.22, "extra light": 1.28, "crafted in Italy": 1.45,
    "signed by the maker": 1.5, "collector's edition": 1.7, "starter version": 0.72,
    "basic model": 0.8,
    "deluxe model": 1.55, "pro version": 1.6, "travel version": 0.85, "child size": 0.78,
    "hood missing": 0.92, "no instructions": 0.96, "one screw missing": 0.9, "a bit dirty": 0.86,
    "faded": 0.82, "small hole": 0.76, "slightly bent": 0.8, "polished": 1.1, "insulated": 1.16,
    "scented": 1.08, "organic": 1.3, "fair trade": 1.15, "gift wrapped": 1.09,
    "with spare parts": 1.17,
    "with warranty card": 1.03, "remote controlled": 1.35, "solar powered": 1.3,
    "rechargeable": 1.2,
    "batteries not included": 0.95, "self-cleaning": 1.32, "silent": 1.14, "padded": 1.1,
    "folding": 1.12, "with hook": 1.04, "with bell": 1.03, "old design": 0.88, "new design": 1.06,
    "made in small numbers": 1.4, "second choice": 0.68, "import version": 0.9,
}  # fmt: skip

COLOURS = (
    "black", "white", "grey", "blue", "green", "red", "orange", "purple", "pink", "silver-grey",
    "turquoise", "olive", "gold", "brown", "beige", "navy", "dark red", "light green", "ivory",
    "violet", "sand", "lime", "cream", "yellow", "charcoal", "dark blue",
)  # fmt: skip

NAMES = (
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jack", "Kira",
    "Leo",
    "Maya", "Noah", "Olga", "Paul", "Rosa", "Sam", "Tina", "Victor", "Wendy", "Yusuf", "Zoe",
    "Omar",
)  # fmt: skip

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def spell(number: int) -> str:
    """A number from 0 to 999 in words."""
    if number < 20:
        return NUMBER_WORDS[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens] + (f"-{NUMBER_WORDS[ones]}" if ones else "")
    hundreds, rest = divmod(number, 100)
    return f"{NUMBER_WORDS[hundreds]} hundred" + (f" and {spell(rest)}" if rest else "")


def _goods() -> tuple[Good, ...]:
    """The goods of the table above: ``name price unit low high exponent p materials; …``."""
    goods = []
    for group, lines in _GOODS.items():
        for line in lines.split(";"):
            words = line.split()
            at = next(i for i, word in enumerate(words) if word.isdigit())
            name, rest = " ".join(words[:at]), [*words[at:], *["-"] * 7]
            price, unit, low, high, exponent, counted, materials = rest[:7]
            sized = unit != "-"
            goods.append(
                Good(
                    name,
                    float(price),
                    unit if sized else "",
                    float(low) if sized else 1.0,
                    float(high) if sized else 1.0,
                    float(exponent) if sized else 0.0,
                    counted == "p",
                    materials if materials != "-" else "",
                    group,
                )
            )
    return tuple(goods)


def _brands(number: int, seed: int) -> dict[str, float]:
    """Invented brand names with their price factors; the first ones are the most common."""
    random = Random(seed)
    starts = ("Ba Be Bo Bri Ca Cor Da Del Do Dra El Em Fa Fel Fo Ga Gar Gre Ha Hel Ho Il Ja Jor Ka "
              "Kel Kru La Lin Lo Ma Mel Mor Na Nel No Or Pa Pen Pol Qua Ra Ren Ro Sa Sel Sti Ta "
              "Tel Tor Ul Va Ver Vo Wa Wel Xan Ya Zel Zo").split()  # fmt: skip
    middles = "ba ca da do fi ga ka la li lo ma mi na ni no ra ri ro sa ta ti va vi zo".split()
    ends = ("x n r s l ck nd rt sta dor berg feld mar lux tek ria nia lia tos ron vik stone son "
            "ley ford well mont dale wood craft works land line").split()  # fmt: skip
    lasts = ("", "", "", "", "", "", " & Co", " Works", " Home", " Paris", " Design", " Pro")
    names: dict[str, float] = {}
    while len(names) < number:
        middle = random.choice(middles) if random.random() < 0.6 else ""
        name = random.choice(starts) + middle + random.choice(ends) + random.choice(lasts)
        names.setdefault(name, math.exp(random.uniform(math.log(0.45), math.log(3.2))))
    return names


GOODS = _goods()
BRANDS = _brands(320, seed=7)
