"""The short code below a QR code: read back however it is typed; no wrong or swapped character passes."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.registry.engine.personal_code import (
    ALPHABET,
    SPACE,
    CodeMistyped,
    code_of,
    grouped,
    number_of,
    read,
    written,
)  # fmt: skip
from tests.conftest import Play
from tests.senders import query, visit
from tests.test_reports import DAY, sent

NUMBERS = st.integers(0, SPACE - 1)
PLACES = st.integers(0, 11)


@given(NUMBERS)
def test_what_is_written_is_read(number: int):
    assert read(written(number)) == number
    assert read(f" p:{grouped(written(number)).lower()} ") == number
    assert read(grouped(written(number)).replace("-", "－")) == number


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


@given(st.uuids())
def test_no_character_that_is_taken_for_another(resident: UUID):
    assert not set(code_of(resident)) & set("01ILO")


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
        code = code_of(people[0])
        for sought, exact in ((f"P:{code}", True), (grouped(code), True), (text, False)):
            hits = (await http.get("/v1/search", params={"q": sought})).json()["items"]
            assert str(people[0]) in [one["id"] for one in hits]
            assert {one["exact"] for one in hits} == {exact}
        (site,) = (await http.get("/v1/search", params={"q": "S:X1"})).json()["items"]
        assert (site["kind"], site["code"], site["exact"]) == ("site", "X1", True)
        wrong = (await http.get(f"/v1/personal-codes/{code[1]}{code[0]}{code[2:]}")).json()
        if code[0] != code[1]:
            assert wrong["title"] == "code mistyped"

    visit(play, story)
