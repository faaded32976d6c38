"""Two readers that differ: nothing of the file is taken."""

import pytest

from muster.instruments.facts import plate_size
from muster.instruments.grid import decoded, text_grids
from muster.instruments.header import find_table
from muster.instruments.mapping import shipped_mappings
from muster.instruments.rows import read_rows
from muster.instruments.second import contradiction
from tests.instruments.conftest import FILES

AGREED = [
    ("A1", "ORF1ab", "FAM", 23.456),
    ("A1", "N", "VIC", 24.001),
    ("A1", "RNase P", "CY5", 27.12),
    ("A2", "ORF1ab", "FAM", None),
    ("A2", "N", "VIC", None),
    ("A2", "RNase P", "CY5", 26.9),
    ("H11", "ORF1ab", "FAM", 25.0),
    ("H11", "N", "VIC", 25.5),
    ("H11", "RNase P", "CY5", 28.0),
]


@pytest.fixture(scope="module")
def ours():
    grids, _ = text_grids("a.txt", decoded("a.txt", (FILES / "quantstudio.txt").read_bytes()))
    table = find_table(grids[0], shipped_mappings()[0])
    assert table is not None
    return table, read_rows(table, plate_size("96"))


def test_readers_that_agree_but_for_a_blank_without_curve(ours) -> None:
    assert contradiction(ours[0], ours[1], AGREED) == (None, True)


def test_a_reader_that_leaves_out_a_sample_is_no_witness(ours) -> None:
    assert contradiction(ours[0], ours[1], AGREED[1:]) == (None, False)


@pytest.mark.parametrize(
    ("index", "theirs", "says"),
    [
        (0, ("A1", "ORF1ab", "FAM", None), "line 34: .* A01, ORF1ab: 23.456 and NoCt"),
        (0, ("A1", "ORF1ab", "FAM", 23.457), "A01, ORF1ab: 23.456 and 23.457"),
        (0, ("A1", "ORF1ab", "FAM", 23456.0), "A01, ORF1ab: 23.456 and 23456.000"),
        (3, ("A2", "ORF1ab", "FAM", 12.0), "line 37: .* A02, ORF1ab: NoCt and 12.000"),
        (3, ("B2", "ORF1ab", "FAM", None), "B02, ORF1ab: - and NoCt"),
        (3, ("A2", "ORF1ab2", "FAM", None), "A02, ORF1ab2: - and NoCt"),
    ],
)
def test_readers_that_differ(ours, index, theirs, says) -> None:
    differing = [*AGREED[:index], theirs, *AGREED[index + 1 :]]
    problem, is_whole = contradiction(ours[0], ours[1], differing)
    assert problem is not None
    with pytest.raises(type(problem), match=says):
        raise problem
    assert not is_whole
