"""Plates: the names of wells, templates, automatic loading, and plates put in the wrong way round."""

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from muster.lab.engine.plates import (
    NoSuchWell,
    PlateFull,
    Template,
    fill,
    free,
    shifted,
    usual,
    well,
    wells,
)

SIZES = st.sampled_from((96, 384))
BOTH = {"H11": "negative_control", "H12": "positive_control"}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("A01", "A01"),
        ("A1", "A01"),
        ("a1", "A01"),
        ("A 1", "A01"),
        (" a 01 ", "A01"),
        ("Ａ１", "A01"),
        ("A-1", "A01"),
        ("A001", "A01"),
        ("\ufeffh12\t", "H12"),
    ],
)
def test_ways_of_typing_a_well(typed, name):
    assert well(typed, 96) == name


@pytest.mark.parametrize(
    ("typed", "size"),
    [
        *((text, 96) for text in ("", "A", "1", "A0", "A13", "I1", "A1.0", "1A", "AA1", "A1B2")),
        *((text, 384) for text in ("Q1", "A25", "A100", "甲1", "A١")),
    ],
)
def test_no_such_well(typed, size):
    with pytest.raises(NoSuchWell, match=f"on a plate of {size}.*such as A01"):
        well(typed, size)


def test_wells_in_the_order_of_loading():
    assert wells(96)[:9] == ("A01", "B01", "C01", "D01", "E01", "F01", "G01", "H01", "A02")
    assert wells(96, "rows")[:13] == (*(f"A{n:02}" for n in range(1, 13)), "B01")
    assert (wells(96)[-1], wells(384)[15:17], wells(384)[-1]) == ("H12", ("P01", "A02"), "P24")


@given(SIZES, st.sampled_from(("columns", "rows")))
def test_every_well_is_listed_once_and_keeps_its_name(size, order):
    names = wells(size, order)
    assert len(set(names)) == len(names) == size
    assert [well(f"{name[0].lower()} {int(name[1:])}", size) for name in names] == list(names)
    assert [well(name, size) for name in names] == list(names)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"size": 48}, "size"),
        ({"controls": {"H12": "positive_control"}}, "controls"),
        ({"controls": {"H11": "positive_control", "H12": "positive_control"}}, "negative"),
        ({"controls": {"H11": "negative_control", "H12": "negative_control"}}, "positive"),
        ({"controls": {**BOTH, "H10": "sample"}}, "controls"),
        ({"controls": {**BOTH, "h10": "negative_control"}}, "controls"),
        ({"controls": {**BOTH, "P24": "negative_control"}}, "not on a plate of 96: P24"),
        ({"empty": ("I01",)}, "not on a plate of 96: I01"),
        ({"empty": ("H12",)}, "holds a control"),
        ({"empty": ("A01", "A01")}, "listed twice"),
        ({"empty": tuple(set(wells(96)) - set(BOTH))}, "no well left"),
    ],
)
def test_a_template_that_cannot_be(wrong, why):
    with pytest.raises(ValueError, match=why):
        Template(**{"code": "t", "size": 96, "controls": BOTH, **wrong})


@pytest.mark.parametrize(("size", "tubes"), [(96, 94), (384, 380)])
def test_the_usual_templates(size, tubes):
    template = usual(size)
    assert len(free(template)) == tubes
    assert set(template.controls.values()) == {"positive_control", "negative_control"}
    assert wells(size)[-1] in template.controls
    assert msgspec.json.decode(msgspec.json.encode(template), type=Template) == template


def test_filling_goes_around_controls_empty_and_taken_wells():
    template = Template(
        "t", 96, {"A01": "positive_control", "C01": "no_template_control"}, ("D01",)
    )
    assert fill(template, ["x", "y", "z"]) == {"B01": "x", "E01": "y", "F01": "z"}
    assert fill(template, ["x", "y"], order="rows") == {"A02": "x", "A03": "y"}
    assert fill(template, ["y"], taken={"B01"}) == {"E01": "y"}
    assert fill(template, []) == {}


def test_a_full_plate_says_how_many_tubes_are_left():
    assert len(fill(usual(96), list(range(94)))) == 94
    with pytest.raises(PlateFull) as caught:
        fill(usual(96), list(range(100)), taken=["A01"])
    assert caught.value.facts == {"wells": 93, "tubes": 100, "left": 7}
    assert "7 of 100" in str(caught.value)


@given(SIZES, st.sampled_from(("columns", "rows")), st.integers(0, 94))
def test_every_tube_has_one_well_in_the_order_given(size, order, count):
    placed = fill(usual(size), list(range(count)), order=order)
    assert list(placed.values()) == list(range(count))
    assert list(placed) == [one for one in wells(size, order) if one in placed]
    assert not placed.keys() & usual(size).controls.keys()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"H11": "negative_control", "H12": "positive_control"}, None),
        ({"H11": "no_template_control", "H12": "positive_control"}, None),  # one word for both
        ({"H12": "positive_control", "A01": "sample", "A02": "standard"}, None),
        ({}, None),
        ({"A02": "negative_control", "A01": "positive_control"}, "rotated"),
        ({"A01": "positive_control"}, "rotated"),
        ({"H02": "negative_control", "H01": "positive_control"}, "columns_mirrored"),
        ({"G11": "negative_control", "G12": "positive_control"}, "shifted by -1 rows, +0 columns"),
        ({"A01": "negative_control", "A02": "positive_control"}, "shifted by -7 rows, -10 columns"),
        ({"H11": "positive_control", "H12": "negative_control"}, "other"),
        ({"A01": "negative_control", "H12": "positive_control"}, "other"),
        ({**BOTH, "A01": "negative_control"}, "other"),
    ],
)
def test_a_plate_put_in_the_wrong_way_round(found, said):
    assert shifted(usual(96), found) == said


@given(SIZES, st.integers(-13, 0), st.integers(-21, -1))
def test_a_shift_is_measured(size, down, right):
    template = usual(size)
    moved = {
        f"{chr(ord(name[0]) + down)}{int(name[1:]) + right:02}": role
        for name, role in template.controls.items()
    }
    assume(moved.keys() <= set(wells(size)))
    assert shifted(template, moved) == f"shifted by {down:+} rows, {right:+} columns"
