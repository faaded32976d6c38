"""Barcodes: what scanners and keyboards give, what suppliers print, and which label it is."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.custody.engine.barcodes import (
    BarcodeUnreadable,
    CheckDigitWrong,
    Format,
    UnknownFormat,
    WrongKind,
    recognise,
    tidy,
    verify,
)


@pytest.mark.parametrize(
    ("scanned", "code"),
    [
        ("SH1012345678", "SH1012345678"),
        (" SH10 1234 5678\r\n", "SH1012345678"),
        ("\u3000ＳＨ１０１２３４５６７８", "SH1012345678"),
        ("\ufeffSH10\u200b12345678\u202c", "SH1012345678"),
        ("]C0SH1012345678", "SH1012345678"),
        ("]C1\x1d0106901234567892", "0106901234567892"),
        ("]d2SH1012345678\x1d", "SH1012345678"),
        (" \x02]Q3SH1012345678\x03", "SH1012345678"),
        ("sh1O12345678", "sh1O12345678"),  # case is kept, and an O is no 0
        ("AB-12.34/5", "AB-12.34/5"),
        ("甲区0001", "甲区0001"),
        ("1" * 64, "1" * 64),
    ],
)
def test_what_a_scanner_gives(scanned, code):
    assert tidy(scanned) == code


@pytest.mark.parametrize(
    ("scanned", "why"),
    [
        ("", "empty"),
        (" \t\u200b\r\n", "empty"),
        ("]C1\x1d", "empty"),
        ("1" * 65, "too-long"),
        ("]C1" + "1" * 65, "too-long"),
        (" " * 1_000_000, "too-long"),
        ("SH1012345678\r\nSH1012345679\r\n", "control-character"),
        ("SH10\x0012345678", "control-character"),
        ("SH10\t12345678", "control-character"),
        ("SH10\u202812345678", "control-character"),
        ("SH10\ufffd345678", "control-character"),
        ("SH10\ud80012345678", "control-character"),
        ("]C110LOT7\x1d21SH1012345678", "several-fields"),
    ],
)
def test_what_is_not_one_barcode(scanned, why):
    with pytest.raises(BarcodeUnreadable) as caught:
        tidy(scanned)
    assert caught.value.facts["why"] == why
    for language in ("en", "zh"):
        message = caught.value.message(language)
        assert message.isprintable()
        assert len(message) < 400


@given(st.text(max_size=80) | st.text("\x1d ]C1\r\u200bＡé\u0301´", max_size=40))
def test_tidy_twice_is_tidy_once(text):
    try:
        code = tidy(text)
    except BarcodeUnreadable:
        return
    assert tidy(code) == code
    assert 1 <= len(code) <= 64
    assert " " not in code


TUBE = Format("a", "tube", "SH10########", capacity=10)
TUBE_20 = Format("a", "tube", "SH20########", capacity=20)
EITHER = Format("b", "tube", "SH*#########")
BOX = Format("a", "box", "BX-@@-######")
PLATE = Format("a", "plate", "P*****", "mod43")
ALL = [TUBE, TUBE_20, EITHER, BOX, PLATE]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("SH1012345678", [TUBE, EITHER]),
        ("SH2012345678", [TUBE_20, EITHER]),
        ("SHX012345678", [EITHER]),
        ("BX-AZ-000001", [BOX]),
        ("BX-A9-000001", []),
        ("sh1012345678", []),
        ("SH101234567", []),
        ("SH10123456789", []),
        ("SH1012345678\n", []),
        ("SH10１２３４５６７８", []),
        ("SH10١٢٣٤٥٦٧٨", []),
        ("", []),
    ],
)
def test_the_formats_a_code_can_be_of(code, found):
    assert recognise(code, ALL) == found


# Worked examples of GS1 offices, a scanner's manual and ISO/IEC 7064 come first of each kind.
@pytest.mark.parametrize(
    ("check", "pattern", "good"),
    [
        ("mod10", "#############", "6291041500213"),
        ("mod10", "#############", "8904000210037"),
        ("mod10", "T-#############", "T-6291041500213"),  # letters and marks do not count
        ("mod43", "*******", "123XYZM"),
        ("mod43", "*****", "1234A"),
        ("mod43", "##-*", "01-."),  # the check character may be a mark
        ("mod97", "#####", "79444"),
        ("mod97", "###############", "060000123456758"),
        ("mod97", "@@######", "AB123442"),
    ],
)
def test_check_digits(check, pattern, good):
    form = Format("a", "tube", pattern, check)
    assert recognise(good, [form]) == [form]
    assert verify(good, "tube", [form]) is None
    for i, char in enumerate(good):
        if char.isdigit():  # each of them catches every single wrong digit
            wrong = good[:i] + string.digits[(int(char) + 1) % 10] + good[i + 1 :]
            assert recognise(wrong, [form]) == []
            assert isinstance(verify(wrong, "tube", [form]), CheckDigitWrong)


CHECKED_TUBE = Format("c", "tube", "#############", "mod10")
ANY_13 = Format("c", "box", "*************")
CHECKED_BOX = Format("c", "box", "#############", "mod97")


@pytest.mark.parametrize(
    ("code", "formats", "problem", "says"),
    [
        ("SH1012345678", ALL, None, ""),
        ("BX-AZ-000001", ALL, WrongKind, "the label of a box. Scan the label of a tube"),
        ("BX-AZ-00001", ALL, UnknownFormat, "no tube label"),
        ("whatever", [], None, ""),
        ("whatever", [BOX], None, ""),  # no format of tubes is known: anything goes …
        ("BX-AZ-000001", [BOX], WrongKind, "a box"),  # … that is no label of another kind
        ("6291041500213", [CHECKED_TUBE], None, ""),
        ("6291041500214", [CHECKED_TUBE], CheckDigitWrong, "misread"),
        ("6291041500214", [CHECKED_TUBE, ANY_13], CheckDigitWrong, "misread"),
        ("6291041500213", [CHECKED_TUBE, CHECKED_BOX], None, ""),
        ("1000000000009", [CHECKED_TUBE, CHECKED_BOX], None, ""),
        ("1000000000000", [TUBE, CHECKED_BOX], WrongKind, "a box"),
        ("1000000000048", [CHECKED_TUBE, CHECKED_BOX], WrongKind, "a box"),
    ],
)
def test_the_label_that_was_asked_for(code, formats, problem, says):
    found = verify(code, "tube", formats)
    assert type(found) is (problem or type(None))
    if found is not None:
        assert says in found.message()
        assert code in found.message("zh")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"supplier": ""}, "supplier"),
        ({"kind": "bottle"}, "kind"),
        ({"pattern": ""}, "pattern"),
        ({"pattern": "#" * 65}, "pattern"),
        ({"pattern": "SH10"}, "one label only"),
        ({"pattern": "SH 10##"}, "no code can have"),
        ({"pattern": "管##"}, "no code can have"),
        ({"pattern": "##A", "check": "mod10"}, "ends in #"),
        ({"pattern": "#", "check": "mod10"}, "after something else"),
        ({"pattern": "###", "check": "mod43"}, r"ends in \*"),
        ({"pattern": "ab#*", "check": "mod43"}, "Code 39 has not"),
        ({"pattern": "@#", "check": "mod97"}, "ends in ##"),
        ({"check": "mod11"}, "check"),
        ({"capacity": 0}, "capacity"),
    ],
)
def test_a_format_that_cannot_be(wrong, why):
    with pytest.raises(ValueError, match=why):
        Format(**{"supplier": "a", "kind": "tube", "pattern": "SH##", **wrong})


def slowly(code: str, pattern: str) -> bool:
    places = {
        "#": string.digits,
        "@": string.ascii_uppercase,
        "*": string.digits + string.ascii_uppercase,
    }
    return len(code) == len(pattern) and all(
        char in places.get(place, place) for char, place in zip(code, pattern, strict=True)
    )


@st.composite
def code_and_mask(draw: st.DrawFn) -> tuple[str, str]:
    mask = draw(st.text("#@*A0.+?[-(", min_size=1, max_size=8))
    fitting: dict[str, str] = {"#": "079", "@": "AZ", "*": "A0Z9"}
    code = [draw(st.sampled_from(fitting.get(place, place))) for place in mask]
    if draw(st.booleans()):
        code[draw(st.integers(0, len(code) - 1))] = draw(st.sampled_from("A0a.-Ａ٠\n"))
    return "".join(code), mask


@given(code_and_mask() | st.tuples(st.text("A0a#@*.[", max_size=6), st.text("#@*A0.[", max_size=6)))
def test_a_mask_means_what_it_says(both):
    code, mask = both
    if set(mask) & {"#", "@", "*"}:
        form = Format("a", "tube", mask)
        assert (recognise(code, [form]) == [form]) == slowly(code, mask)
