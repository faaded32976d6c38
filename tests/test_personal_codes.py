"""The short code below a QR code: read back however it is typed; no wrong or swapped character passes."""

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.papers.room import site_address, site_code
from muster.registry.engine.personal_code import (
    ALPHABET,
    ID_ALPHABET,
    ID_LENGTH,
    SPACE,
    Coded,
    CodeMistyped,
    carried,
    code_of,
    grouped,
    number_of,
    read,
    read_all,
    read_id,
    written,
    written_id,
)  # fmt: skip
from tests.conftest import Play
from tests.senders import query, visit
from tests.test_reports import DAY, sent

NUMBERS = st.integers(0, SPACE - 1)
PLACES = st.integers(0, 11)


@given(NUMBERS)
def test_what_is_written_is_read(number: int):
    assert read(written(number)) == Coded(number)
    assert read(f" p:{grouped(written(number)).lower()} ") == Coded(number)
    assert read(grouped(written(number)).replace("-", "－")) == Coded(number)
    assert read(grouped(written(number)).replace("-", ".")) == Coded(number)


@given(NUMBERS, PLACES, st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(number: int, place: int, char: str):
    code = written(number)
    wrong = code[:place] + char + code[place + 1 :]
    if wrong != code:
        with pytest.raises(CodeMistyped):
            read(wrong)


@given(NUMBERS, PLACES, PLACES)
def test_two_swapped_characters_are_noticed(number: int, one: int, other: int):
    chars = list(written(number))
    chars[one], chars[other] = chars[other], chars[one]
    if "".join(chars) != written(number):
        with pytest.raises(CodeMistyped):
            read("".join(chars))


@pytest.mark.parametrize("text", ["", "K7PM", "I2345678901L", "K7PM-2XQ4-HDW💥", "=" * 500])
def test_what_is_no_code_is_told_so(text: str):
    with pytest.raises(CodeMistyped):
        read(text)


@given(st.uuids(), st.uuids())
def test_an_id_that_is_carried_is_read(resident: UUID, other: UUID):
    text, coded = carried(resident), Coded(number_of(resident), resident)
    assert len(text) == len("P:") + 12 + 1 + ID_LENGTH
    assert read_id(written_id(resident)) == resident
    assert read(text) == read(text.lower()) == read(f" {text.replace('1', 'l')} ") == coded
    assert read_all(f"{text}+{code_of(other)}") == [coded, Coded(number_of(other))]


@given(st.uuids(), st.integers(0, ID_LENGTH - 1), st.sampled_from(ID_ALPHABET + "U!"))
def test_an_id_is_the_one_of_its_code(resident: UUID, place: int, char: str):
    head, _, tail = carried(resident).partition(".")
    wrong = tail[:place] + char + tail[place + 1 :]
    if wrong != tail:
        with pytest.raises(CodeMistyped):
            read(f"{head}.{wrong}")


@given(st.text(max_size=80))
def test_whatever_is_scanned_is_a_code_or_told_to_be_none(text: str):
    for one in (text, f"P:{text}", f"{code_of(UUID(int=1))}.{text}"):
        with suppress(CodeMistyped):
            assert isinstance(read(one), Coded)


@given(st.uuids())
def test_no_character_that_is_taken_for_another(resident: UUID):
    assert not set(code_of(resident)) & set("01ILO")


@given(st.text(min_size=1, max_size=20).filter(lambda one: one.isprintable()))
def test_a_poster_is_read_in_either_form(code: str):
    for address in (None, "https://muster.example", "http://10.0.0.2:8000"):
        assert site_code(site_address(code, address)) == code
    assert site_code(code if not code.startswith("S:") else code[2:] or "x") in (None, code)


def test_the_database_computes_the_same_and_a_home_is_read_at_once(play: Play):
    async def story(muster, http) -> None:
        await sent(muster, DAY)
        found = await query(muster, "SELECT resident, code FROM registry.personal_code")
        assert {resident: number_of(resident) for resident, _ in found} == dict(found)
        assert len(found) == 5
        people = [resident for resident, _ in found[:2]]
        text = "P:" + "+".join(grouped(code_of(one)).lower() for one in people)
        shown = (await http.get(f"/v1/personal-codes/{text}")).json()
        assert {one["resident"] for one in shown} == {str(one) for one in people}
        code, whole = code_of(people[0]), carried(people[0])
        both = f"{carried(people[1])}+{code}"
        for form, many in ((whole, 1), (both, 2)):
            shown = (await http.get(f"/v1/personal-codes/{form}")).json()
            assert {one["resident"] for one in shown} == {str(one) for one in people[:many]}
        searched = (
            (f"P:{code}", True), (grouped(code), True), (whole, True), (text, False), (both, False),
        )  # fmt: skip
        for sought, exact in searched:
            hits = (await http.get("/v1/search", params={"q": sought})).json()["items"]
            assert str(people[0]) in [one["id"] for one in hits]
            assert {one["exact"] for one in hits} == {exact}
        for poster in (
            "S:X1",
            site_address("X1", "https://m.example"),
            "HTTP://m.example/r/s/X1?l=en",
        ):
            (site,) = (await http.get("/v1/search", params={"q": poster})).json()["items"]
            assert (site["kind"], site["code"], site["exact"]) == ("site", "X1", True)
        wrong = (await http.get(f"/v1/personal-codes/{code[1]}{code[0]}{code[2:]}")).json()
        if code[0] != code[1]:
            assert wrong["title"] == "code mistyped"

    visit(play, story)
