"""Labels issued to sites: a tube sealed elsewhere with one of them is warned of, whatever came first."""

from itertools import permutations

import pytest

from tests.conftest import Play
from tests.table import TOWN, Story

SITES = """
    07:40  SiteListed  X1  area=G1
    07:40  SiteListed  X2  area=G2
"""
ISSUED = "07:50  LabelsIssued  L1  kind=tube format=F1 first=LP100 last=LP109 count=10 site=X1"
HERE = "08:00  TubeSealed  T1  members=p1 round=R1 site=X1 barcode=LP105"
ELSEWHERE = "08:10  TubeSealed  T2  members=p4 round=R1 site=X2 barcode=LP106"
WARNED = "custody.foreign_label\ntube barcode site issued_to labels\n"
ROW = "T2 LP106 X2 X1 L1"


def story(*lines: str) -> Story:
    return Story().given(TOWN.rstrip() + SITES).given("\n".join(lines))


@pytest.mark.parametrize("lines", permutations((ISSUED, HERE, ELSEWHERE)))
def test_a_label_of_another_site_is_warned_of_in_any_order(play: Play, lines: tuple[str, ...]):
    play(story(*lines).then(WARNED + ROW))


def test_a_range_that_was_taken_back_warns_no_longer(play: Play):
    play(
        story(ISSUED, HERE, ELSEWHERE)
        .then(WARNED + ROW)
        .given("09:00  LabelsTakenBack  L1  reason=mistake")
        .then(WARNED)
    )


def test_labels_of_neither_site_and_of_another_length_are_no_trouble(play: Play):
    play(
        story(
            ISSUED,
            "08:10  TubeSealed  T2  members=p4 round=R1 site=X2 barcode=LP110",
            "08:10  TubeSealed  T3  members=p9 round=R1 site=X2 barcode=LP1050",
            "08:10  TubeSealed  T4  members=p3 round=R1 barcode=LP101",
        ).then(WARNED)
    )


def test_a_site_that_was_given_the_labels_too_is_right(play: Play):
    """The same range issued twice, as another city's system may do: neither site is foreign."""
    play(
        story(
            ISSUED,
            "07:55  LabelsIssued  L2  kind=tube format=F1 first=LP105 last=LP109 count=5 site=X2",
            ELSEWHERE,
        ).then(WARNED)
    )


def test_a_box_label_says_nothing_of_tubes(play: Play):
    play(story(ISSUED.replace("kind=tube", "kind=box"), ELSEWHERE).then(WARNED))
