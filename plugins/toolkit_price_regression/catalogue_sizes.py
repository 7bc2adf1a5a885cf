"""Sizes as listings write them: one value, many units and spellings."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

_BEDS = ((90, 200), (100, 200), (120, 200), (140, 200), (160, 200), (180, 200), (200, 200))


def _number(value: float, digits: int = 1) -> str:
    """``1.50`` as ``1.5`` and ``2.0`` as ``2``."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _centimetres(value: float, random: Random) -> tuple[float, str]:
    step = 5 if value >= 60 else 1
    value = max(step, round(value / step) * step)
    forms = [f"{value} cm", f"{value} cm", f"{value}cm", f"{_number(value / 2.54, 0)} inch"]
    if value >= 100:
        forms += [f"{_number(value / 100, 2)} m", f"{_number(value / 30.48)} ft"]
    else:
        forms.append(f"{value * 10} mm")
    return value, random.choice(forms)


def _tall(value: float, random: Random) -> tuple[float, str]:
    value, text = _centimetres(value, random)
    return value, random.choice((f"{text} tall", f"{text} high", f"{text} in height", text))


def _wide(value: float, random: Random) -> tuple[float, str]:
    value, text = _centimetres(value, random)
    return value, random.choice((f"{text} wide", f"{text} in width", text))


def _across(value: float, random: Random) -> tuple[float, str]:
    value, text = _centimetres(value, random)
    return value, random.choice((text, text, f"{text} across"))


def _diagonal(value: float, random: Random) -> tuple[float, str]:
    value = round(value)
    forms = (f"{value} inch", f"{value} inch", f'{value}"', f"{value}-inch",
             f"{round(value * 2.54)} cm")  # fmt: skip
    return value, random.choice(forms)


def _rectangle(width: int, length: int, random: Random) -> str:
    forms = (f"{width} x {length} cm", f"{width} x {length} cm", f"{width}x{length} cm",
             f"{_number(width / 100, 2)} x {_number(length / 100, 2)} m",
             f"{width} by {length} cm")  # fmt: skip
    return random.choice(forms)


def _area(value: float, random: Random) -> tuple[float, str]:
    ratio = random.choice((1.0, 1.3, 1.45, 1.5, 1.7, 2.0))
    width = max(4, round(math.sqrt(value / ratio) * 10)) * 10
    length = max(4, round(width * ratio / 10)) * 10
    return width * length / 10_000, _rectangle(width, length, random)


def _bed(value: float, random: Random) -> tuple[float, str]:
    width, length = min(_BEDS, key=lambda bed: abs(bed[0] * bed[1] / 10_000 - value))
    return width * length / 10_000, _rectangle(width, length, random)


def _litres(value: float, random: Random) -> tuple[float, str]:
    value = round(value) if value >= 10 else round(value, 1)
    text = _number(value)
    forms = [f"{text} l", f"{text} litre", f"{text}L", f"{text} l capacity"]
    if value < 10:
        forms.append(f"{round(value * 1000)} ml")
    return value, random.choice(forms)


def _millilitres(value: float, random: Random) -> tuple[float, str]:
    step = 50 if value >= 500 else 10
    value = round(value / step) * step
    forms = [f"{value} ml", f"{value} ml", f"{value}ml"]
    if value >= 500:
        forms.append(f"{_number(value / 1000, 2)} l")
    else:
        forms.append(f"{_number(value / 29.57, 0)} oz")
    return value, random.choice(forms)


def _gigabytes(value: float, random: Random) -> tuple[float, str]:
    sizes = (16, 32, 64, 120, 128, 240, 250, 256, 480, 500, 512, 1000, 2000, 4000)
    size = min(sizes, key=lambda known: abs(math.log(known / value)))
    if size >= 1000:
        return size, random.choice((f"{size // 1000} TB", f"{size // 1000}TB", f"{size} GB"))
    return size, random.choice((f"{size} GB", f"{size}GB", f"{size} gigabytes"))


def _metres(value: float, random: Random) -> tuple[float, str]:
    value = round(value) if value >= 10 else round(value, 1)
    text = _number(value)
    forms = [f"{text} m", f"{text} m", f"{text} metre", f"{_number(value * 3.2808)} ft"]
    if value < 5:
        forms.append(f"{round(value * 100)} cm")
    return value, random.choice(forms)


def _kilograms(value: float, random: Random) -> tuple[float, str]:
    value = round(value * 2) / 2 if value < 10 else round(value)
    text = _number(value)
    forms = [f"{text} kg", f"{text} kg", f"{text}kg", f"{_number(value * 2.2046, 0)} lb"]
    return value, random.choice(forms)


def _grams(value: float, random: Random) -> tuple[float, str]:
    value = round(value / 50) * 50
    forms = (f"{value} g", f"{value} g", f"{_number(value / 28.35, 0)} oz",
             f"{_number(value / 1000, 2)} kg")  # fmt: skip
    return value, random.choice(forms)


def _watts(value: float, random: Random) -> tuple[float, str]:
    value = round(value)
    return value, random.choice((f"{value} W", f"{value} watt", f"{value}W"))


def _volts(value: float, random: Random) -> tuple[float, str]:
    value = min((10.8, 12, 14.4, 18, 20, 24, 36, 40), key=lambda known: abs(known - value))
    text = _number(value)
    return value, random.choice((f"{text} V", f"{text} volt", f"{text}V"))


def _milliamps(value: float, random: Random) -> tuple[float, str]:
    step = 500 if value < 10_000 else 1000
    value = round(value / step) * step
    return value, random.choice((f"{value} mAh", f"{value:,} mAh", f"{value}mAh",
                                 f"{_number(value / 1000)} Ah"))  # fmt: skip


def _pieces(value: float, random: Random) -> tuple[float, str]:
    value = round(value)
    return value, random.choice((f"{value} pieces", f"{value} piece", f"{value}-piece",
                                 f"{value} pcs"))  # fmt: skip


def _pages(value: float, random: Random) -> tuple[float, str]:
    value = round(value / 8) * 8
    return value, random.choice((f"{value} pages", f"{value} pages", f"{value // 2} sheets"))


def _thickness(value: float, random: Random) -> tuple[float, str]:
    value = round(value)
    return value, random.choice((f"{value} mm thick", f"{value} mm", f"{_number(value / 10)} cm"))


_WRITERS: dict[str, Callable[[float, Random], tuple[float, str]]] = {
    "tall": _tall, "wide": _wide, "across": _across, "diagonal": _diagonal, "area": _area,
    "bed": _bed, "litres": _litres, "millilitres": _millilitres, "gigabytes": _gigabytes,
    "metres": _metres, "kilograms": _kilograms, "grams": _grams, "watts": _watts, "volts": _volts,
    "milliamps": _milliamps, "pieces": _pieces, "pages": _pages, "thickness": _thickness,
}  # fmt: skip


def draw(kind: str, low: float, high: float, random: Random) -> tuple[float, str]:
    """A size between ``low`` and ``high``, even on a log scale: its value and how it is written."""
    value = math.exp(random.uniform(math.log(low), math.log(high)))
    return _WRITERS[kind](value, random)
