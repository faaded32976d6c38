"""Identity documents: published test vectors, every reason, and the laws of the check digit."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from muster.registry.engine.identity import KINDS, check, check_digit, kind_named

TODAY = date(2021, 8, 3)
PUBLISHED = "11010519491231002X"  # the annex of GB 11643-1999


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), "female"),
        ("34052419800101001X", date(1980, 1, 1), "male"),
        ("370101190102039973", date(1901, 2, 3), "male"),
        ("440524188001010014", date(1880, 1, 1), "male"),  # a retired county code
    ],
)
def test_published_numbers(number, born, sex):
    document = check(number, today=TODAY)
    assert (document.valid, document.kind, document.reason) == (True, "resident_id", None)
    assert (document.number, document.birth_date, document.sex) == (number, born, sex)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "110105-19491231-002X",
        "'11010519491231002X",
        "\ufeff11010519491231002X\u200b",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105491231002",  # fifteen digits
    ],
)
def test_ways_of_typing_one_number(typed):
    assert check(typed, today=TODAY) == check(PUBLISHED, today=TODAY)
    assert check(typed, "居民身份证", today=TODAY).number == PUBLISHED


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        ("", None, "empty"),
        ("  ", "resident_id", "empty"),
        (PUBLISHED, "天书", "kind"),
        ("11010519491231002", None, "length"),
        ("11010519491231002X1", None, "length"),
        ("1101051949123100O2", None, "characters"),
        ("11010X19491231002X", None, "characters"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", None, "characters"),
        ("160105194912310025", None, "area"),
        ("110105194902300028", None, "birth_date"),
        ("110105187912310022", None, "birth_date"),
        ("110105202108040020", None, "future_birth"),
        ("110105194912310021", None, "check_digit"),
        ("110105491331002", None, "birth_date"),
        (PUBLISHED, "foreign_permanent", "area"),
        ("USA370190023012", None, "birth_date"),
        ("E1", "passport", "length"),
        ("ABCDEFGH", "passport", "characters"),
        ("H1234567", "hk_macao_permit", "length"),
        ("A12345678", "hk_macao_permit", "characters"),
        ("123456789", "taiwan_permit", "length"),
        ("1234567A", "taiwan_permit", "characters"),
        ("AA12345678", "birth_certificate", "characters"),
        ("9" * 41, "other", "length"),
    ],
)
def test_reasons(number, kind, reason):
    document = check(number, kind, today=TODAY)
    assert (document.valid, document.reason) == (False, reason)
    assert document.birth_date is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("931000199012010012", "foreign_permanent"),
        ("USA370190020112", "foreign_permanent"),
        ("E12345678", "passport"),
        ("EA1234567", "passport"),
        ("H12345678", "hk_macao_permit"),
        ("M1234567890", "hk_macao_permit"),
        ("12345678", "taiwan_permit"),
        ("军字第2001988号", "military"),
        ("A123456789", "birth_certificate"),
        ("13000000000", "other"),
    ],
)
def test_kinds_are_inferred(number, kind):
    document = check(number, today=TODAY)
    assert (document.valid, document.kind) == (True, kind)
    assert check(number, kind, today=TODAY) == document


@pytest.mark.parametrize("province", ["71", "81", "82", "83"])
def test_provinces_outside_the_mainland(province):
    digits = f"{province}000019900101001"
    assert check(digits + check_digit(digits), today=TODAY).valid


def test_a_foreign_card_listed_as_identity_card_keeps_its_own_kind():
    assert check("931000199012010012", "身份证", today=TODAY).kind == "foreign_permanent"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_answers_to_its_names(kind):
    assert {kind_named(name) for name in (kind, kind.upper(), *KINDS[kind])} == {kind}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("護照", "passport"), ("居民身份證", "resident_id"), ("回鄉證 ", "hk_macao_permit")],
)
def test_names_in_traditional_characters(name, kind):
    assert kind_named(name) == kind


@st.composite
def numbers(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(["110105", "370602", "350112", "440524", "650000", "830000"]))
    born = draw(st.dates(date(1880, 1, 1), TODAY))
    digits = f"{area}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return digits + check_digit(digits)


@given(numbers())
def test_made_numbers_are_valid_and_checking_is_idempotent(number):
    document = check(number, today=TODAY)
    assert document.valid
    assert check(document.number, document.kind, today=TODAY) == document


@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_caught(number, position, char):
    assume(number[position] != char)
    assert not check(number[:position] + char + number[position + 1 :], today=TODAY).valid


@given(numbers(), st.integers(0, 16))
def test_two_neighbours_exchanged_are_caught(number, position):
    left, right = number[position : position + 2]
    assume(left != right)
    swapped = number[:position] + right + left + number[position + 2 :]
    assert not check(swapped, today=TODAY).valid


@given(st.text(max_size=30), st.sampled_from([None, *KINDS]))
def test_anything_typed_gets_an_answer(text, kind):
    document = check(text, kind, today=TODAY)
    assert document.valid == (document.reason is None)
