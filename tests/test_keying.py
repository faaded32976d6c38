"""Lines of paper forms: checked at once, nothing stored, nobody told who is known."""

from typing import Any

import httpx

from muster.access.decide import Grant
from muster.exercise.crew import Crew
from muster.instance import Instance
from tests.conftest import Play
from tests.senders import client
from tests.table import named
from tests.test_resident_pages import NUMBER, OTHER, PLACE, visit

GOOD = {"name": "李雷", "number": OTHER, "building": "H1", "room": "101", "phone": "137 0000 9999"}


async def check(http: httpx.AsyncClient, *lines: dict[str, Any], **more: Any) -> list[Any]:
    answer = await http.post("/v1/keying/lines", json={"lines": list(lines), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_line_is_checked_and_nothing_is_stored(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        crew = Crew(muster)
        await crew.staff("clerk", Grant("sampler", area=named("G1")))
        token = await crew.device("clerk-phone", holder="clerk")
        head = muster.door.head.seq
        async with client(str(http.base_url), token) as desk:
            (good,) = await check(desk, GOOD | {"barcode": "B9", "position": "3"})
            assert (good["faults"], good["doubts"]) == ({}, {})
            assert (good["kind"], good["birth_year"], good["sex"]) == ("resident_id", 1980, "male")
            assert (good["phone"], good["building"], good["room"]) == (
                "13700009999", str(named("H1")), "101",
            )  # fmt: skip
            assert (good["barcode"], good["position"]) == ("B9", 3)
            for wrong, where in (
                ({"name": ""}, "name"), ({"phone": "x"}, "phone"), ({"building": "H99"}, "building"),
                ({"room": "李雷"}, "room"), ({"barcode": "B9"}, "position"),
                ({"position": "3"}, "barcode"), ({"barcode": "B9", "position": "11"}, "position"),
                ({"number": "", "birth_date": "19990231"}, "birth_date"),
            ):  # fmt: skip
                (told,) = await check(desk, GOOD | wrong)
                assert list(told["faults"]) == [where], wrong
            (told,) = await check(desk, GOOD | {"number": "340524198001010011"})
            assert list(told["doubts"]) == ["number"]
            both = await check(desk, *[GOOD | {"barcode": "B1", "position": "1"}] * 2, capacity=5)
            assert [list(one["faults"]) for one in both] == [["position"]] * 2
            assert [list(one["doubts"]) for one in both] == [["barcode"]] * 2
            # one who is known and one who is not are answered alike
            known, other = await check(desk, GOOD | {"number": NUMBER}, GOOD | {"number": OTHER})
            assert known["faults"] == other["faults"] == known["doubts"] == other["doubts"] == {}
            (named_,) = await check(desk, GOOD | {"building": "一号楼", "number": ""})
            assert named_["building"] == str(named("H1"))
            many = await desk.post("/v1/keying/lines", json={"lines": [GOOD] * 301})
            assert many.status_code == 400
        assert muster.door.head.seq == head

    visit(play, story, PLACE)
