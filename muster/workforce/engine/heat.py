"""What the heat asks for: how long in the suit, and what a place has to do. Values in, values out.

Nanchang 2022: gowns instead of coveralls, samplers take turns every hour (facts.md). Measures on heatstroke
prevention of 2012 (安监总安健〔2012〕89号), article 8: from 35 °C shorter stretches in turns, from 37 °C no more than
six hours outdoors a day, from 40 °C no work outdoors.
"""

from typing import Literal

from muster.workforce.engine.limits import Limits

Measure = Literal["water", "shade", "rotate", "gown", "six_hours", "stop"]
_FROM: tuple[tuple[int, tuple[Measure, ...]], ...] = (
    (400, ("stop", "water", "shade")),
    (370, ("six_hours", "rotate", "gown", "water", "shade")),
    (350, ("rotate", "gown", "water", "shade")),
)


def measures(decidegrees: int | None, limits: Limits) -> tuple[Measure, ...]:
    """What is to be done at a temperature, the gravest first; nothing where none was read."""
    if decidegrees is None:
        return ()
    for least, found in _FROM:
        if decidegrees >= least:
            return found
    return ("rotate", "water") if decidegrees >= limits.hot_decidegrees else ()


def suit_minutes(decidegrees: int | None, limits: Limits) -> int:
    """The most in a protective suit without a break."""
    hot = decidegrees is not None and decidegrees >= limits.hot_decidegrees
    return min(limits.suit_minutes, limits.suit_hot_minutes) if hot else limits.suit_minutes
