"""Numbers printed on labels: each is recognised as what it is, with its check."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.custody.engine.barcodes import Format, recognise
from muster.custody.engine.labels import FormatNotNumbered, NumbersUsedUp, labels, most, number

FORMATS = [
    Format("S", "tube", "LP10########", "none", 10),
    Format("S", "tube", "LP#########", "mod10", 10),
    Format("S", "tube", "LP########*", "mod43", 10),
    Format("S", "box", "BX########", "mod97", None),
]


@pytest.mark.parametrize("form", FORMATS, ids=lambda one: one.pattern)
@given(first=st.integers(0, 900_000), count=st.integers(1, 50))
def test_labels_run_on_and_are_recognised(form: Format, first: int, count: int):
    made = labels(form, first, count)
    assert len(set(made)) == count
    assert made == sorted(made)
    assert [number(form, one) for one in made] == sorted(number(form, one) for one in made)
    assert all(form in recognise(one, [form]) for one in made)


def test_numbers_end():
    form = FORMATS[0]
    assert labels(form, most(form), 1) == ["LP1099999999"]
    with pytest.raises(NumbersUsedUp):
        labels(form, most(form), 2)


@pytest.mark.parametrize("pattern", ["LP@@####", "LP##-##", "LP**"])
def test_a_format_without_one_run_of_digits_cannot_be_numbered(pattern: str):
    with pytest.raises(FormatNotNumbered):
        labels(Format("S", "tube", pattern, "none", 10), 1, 1)
