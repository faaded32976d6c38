"""The colours of teams: few, with a pattern each, so that they are told apart in black and white, by whoever
sees no colours, and by name on the radio.
"""

from dataclasses import dataclass
from typing import Literal

Colour = Literal["red", "orange", "yellow", "green", "blue", "violet", "brown", "black"]
Pattern = Literal["solid", "stripes", "dots", "checks", "bars", "lines", "grid", "plain"]


@dataclass(frozen=True)
class Marking:
    """How a team's colour is printed and said."""

    ink: str
    pattern: Pattern
    zh: str
    pattern_zh: str


MARKINGS: dict[Colour, Marking] = {
    "red": Marking("#c8102e", "solid", "红", "实心"),
    "orange": Marking("#e87722", "stripes", "橙", "斜纹"),
    "yellow": Marking("#b58900", "dots", "黄", "圆点"),
    "green": Marking("#2e7d32", "checks", "绿", "方格"),
    "blue": Marking("#0b5c8a", "bars", "蓝", "竖条"),
    "violet": Marking("#6a3d9a", "lines", "紫", "横线"),
    "brown": Marking("#7b4b2a", "grid", "棕", "网格"),
    "black": Marking("#000000", "plain", "黑", "空心"),
}


def colour_of(number: int) -> Colour:
    """The colour of the so manyeth of several teams, from 0; after the last the first comes again."""
    return list(MARKINGS)[number % len(MARKINGS)]
