"""Sizes as they are written: many units, and many spellings of each."""

from __future__ import annotations

import math
from random import Random

from examples.embedded_models.corpus_words import spell


def plain_number(value: float, digits: int = 1) -> str:
    """``2.0`` as ``2`` and ``1.50`` as ``1.5``."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def nice(value: float) -> float:
    """A size rounded as goods are sized, to about two digits."""
    if value >= 100:
        return round(value / 10) * 10
    return round(value) if value >= 10 else round(value, 1)


def _length(centimetres: float, random: Random) -> str:
    forms = [f"{plain_number(centimetres)} cm", f"{plain_number(centimetres)}cm",
             f"{plain_number(centimetres / 2.54, 0)} inch",
             f"{plain_number(centimetres / 2.54, 0)} in"]  # fmt: skip
    if centimetres >= 100:
        metres = plain_number(centimetres / 100, 2)
        feet = plain_number(centimetres / 30.48)
        forms += [f"{metres} m", f"{metres} metres", f"{feet} ft"]
    else:
        forms.append(f"{plain_number(centimetres * 10, 0)} mm")
    return random.choice(forms)


def write_size(unit: str, value: float, random: Random) -> str:
    """One size in one of its usual spellings."""
    text = plain_number(value)
    match unit:
        case "cm":
            return _length(value, random)
        case "inches":
            return random.choice((f"{text} inch", f'{text}"', f"{text}-inch", f"{text} inches",
                                  f"{plain_number(value * 2.54, 0)} cm"))  # fmt: skip
        case "feet":
            return random.choice((f"{text} ft", f"{text} feet",
                                  f"{plain_number(value * 30.48, 0)} cm",
                                  f"{plain_number(value * 0.3048)} m"))  # fmt: skip
        case "metres":
            forms = [
                f"{text} m",
                f"{text} metres",
                f"{text}m",
                f"{plain_number(value * 3.2808)} ft",
            ]
            return random.choice([*forms, f"{round(value * 100)} cm"] if value < 6 else forms)
        case "area":
            ratio = random.choice((1.0, 1.2, 1.4, 1.5, 1.75, 2.0))
            width = max(2, round(math.sqrt(value / ratio) * 20)) * 5
            length = max(2, round(width * ratio / 5)) * 5
            return random.choice(
                (
                    f"{width} x {length} cm",
                    f"{width}x{length} cm",
                    f"{width} by {length} cm",
                    f"{width} cm x {length} cm",
                    f"{plain_number(width / 100, 2)} x {plain_number(length / 100, 2)} m",
                )
            )
        case "litres":
            forms = [f"{text} l", f"{text} litre", f"{text} litres", f"{text}L", f"{text}l"]
            return random.choice([*forms, f"{round(value * 1000)} ml"] if value < 10 else forms)
        case "ml":
            forms = [f"{text} ml", f"{text}ml", f"{text} ml"]
            forms.append(f"{plain_number(value / 1000, 2)} l" if value >= 400 else
                         f"{plain_number(value / 29.57, 0)} oz")  # fmt: skip
            return random.choice(forms)
        case "kilos":
            forms = [
                f"{text} kg",
                f"{text}kg",
                f"{text} kilos",
                f"{plain_number(value * 2.2046)} lb",
            ]
            return random.choice([*forms, f"{round(value * 1000)} g"] if value < 10 else forms)
        case "grams":
            forms = [f"{text} g", f"{text}g", f"{text} grams", f"{plain_number(value / 28.35)} oz"]
            return random.choice([*forms, f"{plain_number(value / 1000, 2)} kg"])
        case "gb":
            size = min((4, 8, 16, 32, 64, 128, 256, 500, 512, 1000, 2000),
                       key=lambda known: abs(math.log(known / value)))  # fmt: skip
            if size >= 1000:
                return random.choice((f"{size // 1000} TB", f"{size // 1000}TB", f"{size} GB"))
            return random.choice((f"{size} GB", f"{size}GB", f"{size} gigabytes"))
        case "mah":
            return random.choice((f"{text} mAh", f"{text}mAh", f"{plain_number(value / 1000)} Ah"))
        case "watts":
            forms = [f"{text} W", f"{text} watt", f"{text}W", f"{text} watts"]
            return random.choice(
                [*forms, f"{plain_number(value / 1000)} kW"] if value >= 500 else forms
            )
        case "pieces":
            value = round(value)
            return random.choice((f"{value} pieces", f"{value} parts", f"{value}-piece",
                                  f"{value} pcs"))  # fmt: skip
        case "sheets":
            value = round(value)
            return random.choice((f"{value} sheets", f"{value * 2} pages", f"{value * 2} pages"))
        case "persons":
            value = round(value)
            return random.choice((f"for {value} persons", f"{value} person", f"{value}-person",
                                  f"for {spell(value)}"))  # fmt: skip
        case "mm":
            return random.choice((f"{text} mm", f"{text}mm", f"{plain_number(value / 10)} cm"))
        case _:
            return f"{text} {unit}"
