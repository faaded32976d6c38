"""What a site runs short of and whether it was ready: the latest word on each thing, whatever came first."""

from itertools import permutations

import pytest

from tests.conftest import Play
from tests.table import TOWN, Story

SITES = """
    07:00  SiteListed  X1  area=G1
    07:00  SiteListed  X2  area=G2
"""
SHORT = "sampling.supply\nsite item remaining\n"
LOW = "08:00  SupplyLow  X1  item=tubes left=40"
LOWER = "08:30  SupplyLow  X1  item=tubes left=12"
GLOVES = "08:40  SupplyLow  X1  item=gloves"
ELSEWHERE = "08:10  SupplyLow  X2  item=tubes left=5"
BROUGHT = "09:00  SupplyLow  X1  item=tubes enough=true"


def story(*lines: str) -> Story:
    return Story().given(TOWN.rstrip() + SITES).given("\n".join(lines))


@pytest.mark.parametrize("lines", list(permutations((LOW, LOWER, GLOVES, ELSEWHERE))))
def test_the_latest_word_on_each_thing_counts(play: Play, lines: tuple[str, ...]):
    play(story(*lines).then(SHORT + "X1 gloves -\nX1 tubes 12\nX2 tubes 5"))


@pytest.mark.parametrize("lines", list(permutations((LOWER, BROUGHT, ELSEWHERE))))
def test_what_was_brought_is_short_no_longer(play: Play, lines: tuple[str, ...]):
    play(story(*lines).then(SHORT + "X2 tubes 5"))


def test_short_again_after_more_was_brought(play: Play):
    play(story(LOW, BROUGHT, "10:00  SupplyLow  X1  item=tubes").then(SHORT + "X1 tubes -"))


CHECKS = (
    '06:30  SiteChecked  X1  items=[{"item":"power","ok":false},{"item":"staff","ok":true}]',
    '06:50  SiteChecked  X1  items=[{"item":"power","ok":true},{"item":"network","ok":false}]',
    '06:40  SiteChecked  X2  items=[{"item":"power","ok":true}]',
)


@pytest.mark.parametrize("lines", list(permutations(CHECKS)))
def test_the_latest_check_says_what_was_not_in_order(play: Play, lines: tuple[str, ...]):
    seen = "sampling.readiness\nsite looked_at faults\n"
    play(story(*lines).then(seen + "X1 2 network\nX2 1 none"))
