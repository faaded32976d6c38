"""What a laboratory's phone is given of the boxes it is to take in."""

from dataclasses import replace
from datetime import timedelta

import httpx

from muster.access.decide import Grant
from muster.access.devices import Where
from muster.core.clock import now
from muster.instance import Instance
from tests.conftest import Play
from tests.senders import visit
from tests.table import events
from tests.test_slice import SCENE, asked, caught_up, phone


def test_a_laboratory_is_given_what_lies_in_the_bags_of_its_boxes(play: Play):
    """A bag says nothing of where it goes: its box does. Another laboratory's bag stays unseen."""

    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await caught_up(muster, SCENE)
        at = now() - timedelta(minutes=5)
        packed = events("""
            09:00  BoxPacked  G1  code=BAG1 kind=bag tubes=T0001,T0002 site=X1
            09:00  BoxPacked  G2  code=BAG2 kind=bag tubes=T0003 site=X1
            09:00  BoxPacked  B1  code=BOX1 bags=G1 bound_for=L1 site=X1
            09:00  BoxPacked  B2  code=BOX2 bags=G2 bound_for=L2 site=X1
        """)
        for one in packed:
            await muster.door.append([replace(one, at=at, device_at=at, received_at=at)])
        await caught_up(muster)
        receiver = Grant("lab_receiver", lab="L1")
        async with await phone(muster, http, "r1", receiver, where=Where(lab="L1")) as own:
            found = await asked(own)
        assert {one["code"]: one["tubes"] for one in found["boxes"]} == {
            "BOX1": [],
            "BAG1": ["T0001", "T0002"],
        }

    visit(play, story)
