"""Ranges of labels given to sites: issued once, printed, taken back, and seen where they turn up elsewhere."""

import io

import httpx
import pypdf

from muster.access.decide import Grant
from muster.exercise.crew import Crew
from muster.instance import Instance
from tests.conftest import Play
from tests.senders import client, visit
from tests.table import named
from tests.test_print_room import taken
from tests.test_reports import DAY, sent, text_of

FORMAT = {"supplier": "S", "kind": "tube", "pattern": "LP10########", "capacity": 10}


def test_ranges_of_labels_are_issued_refused_printed_and_taken_back(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY + "07:41  SiteListed X2 area=G2")
        form = (await http.post("/v1/barcode-formats", json=FORMAT)).json()["format"]
        asked = {"format": form, "site": "X1", "count": 40}
        first = (await http.post("/v1/labels", json=asked)).json()
        assert (first["first"], first["last"]) == ("LP1000000001", "LP1000000040")
        second = (await http.post("/v1/labels", json={**asked, "site": "X2", "count": 10})).json()
        assert second["first"] == "LP1000000041"
        refused = (await http.post("/v1/labels", json={**asked, "site": "X2", "first": 40})).json()
        assert refused["title"] == "labels overlap"
        assert refused["facts"]["free"] == "LP1000000051"
        pdf = await taken(
            http, f"/v1/labels/{first['labels']}/file", layout="a4-24", skip=2, limit=30
        )
        text = text_of(pdf.content)
        assert "LP1000000030" in text
        assert "LP1000000031" not in text
        assert len(pypdf.PdfReader(io.BytesIO(pdf.content)).pages) == 2
        # A tube of site X2 that bears a label of site X1.
        await sent(muster, "09:00  TubeSealed T7  members=p4 round=R1 site=X2 barcode=LP1000000007")
        listed = (await http.get("/v1/labels")).json()["items"]
        assert [(one["site_code"], one["elsewhere"]) for one in listed] == [("X2", 0), ("X1", 1)]
        alarms = (await http.get("/v1/alarms")).json()
        assert [one["count"] for one in alarms if one["alarm"] == "foreign_label"] == [1]
        back = {"reason": "mistake"}
        path = f"/v1/labels/{first['labels']}/take-back"
        assert (await http.post(path, json=back)).status_code == 204
        assert (await http.post(path, json=back)).json()["title"] == "labels unknown"
        again = await http.post("/v1/labels", json={**asked, "site": "X2", "first": 1})
        assert again.json()["first"] == "LP1000000001"

    visit(play, story)


def test_who_leads_one_grid_issues_labels_there_only(play: Play):
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        await sent(muster, DAY + "07:41  SiteListed X2 area=G2")
        form = (await http.post("/v1/barcode-formats", json=FORMAT)).json()["format"]
        theirs = (
            await http.post("/v1/labels", json={"format": form, "site": "X2", "count": 5})
        ).json()
        crew = Crew(muster)
        await crew.staff("lead", Grant("area_lead", area=named("G1")))
        async with client(
            str(http.base_url), await crew.device("lead-phone", holder="lead")
        ) as lead:
            for answer in (
                await lead.post("/v1/labels", json={"format": form, "site": "X2", "count": 5}),
                await lead.get(f"/v1/labels/{theirs['labels']}/file"),
                await lead.post(
                    f"/v1/labels/{theirs['labels']}/take-back", json={"reason": "mistake"}
                ),
            ):
                assert answer.json()["title"] == "outside your area"
            assert (await lead.get("/v1/labels")).json()["items"] == []
            own = await lead.post("/v1/labels", json={"format": form, "site": "X1", "count": 5})
            assert own.status_code == 201

    visit(play, story)
