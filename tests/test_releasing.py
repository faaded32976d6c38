"""Who may release what: one person for negatives, two different ones for everything else, and nothing
without a received tube, its well and its raw value.
"""

from uuid import UUID

from muster.instance import Instance
from muster.lab import loading, releasing
from muster.lab.events import ResultReleased
from tests.laboratory import desk, load, open_list, prepare, run, sign
from tests.table import events, named
from tests.test_plates_and_runs import CLEAN, FOUR, plays, refused


async def outcomes(muster: Instance) -> dict[str, tuple[str, str]]:
    async with muster.pool.connection() as conn:
        found = await conn.execute("SELECT barcode, outcome, state FROM lab.outcome")
        return {barcode: (outcome, state) for barcode, outcome, state in await found.fetchall()}


async def results(muster: Instance) -> dict[str, UUID]:
    async with muster.pool.connection() as conn:
        found = await conn.execute("SELECT barcode, result FROM lab.result ORDER BY 1")
        return dict(await found.fetchall())


MIXED = {
    "A01": "B1 22 23 27", "B01": "B2 22 - 27", "C01": "B3 - - -", "D01": "B4 - - 27",
}  # fmt: skip


@plays
async def test_a_positive_takes_two_different_people(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", MIXED)
    assert await sign(muster, "anna", "B1") == releasing.Signed(0, 1, ["B1"])
    assert isinstance(await refused(sign(muster, "anna", "B1")), releasing.NeedsSecondPerson)
    assert "B1" not in await outcomes(muster)
    assert (await sign(muster, "boris", "B1")).released == 1
    assert (await outcomes(muster))["B1"] == ("positive", "final")
    async with muster.pool.connection() as conn:
        found = await conn.execute("SELECT count(*) FROM lab.recall WHERE tube = %s", [named("T1")])
        assert await found.fetchone() == (2,)


@plays
async def test_the_bulk_takes_negatives_only(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", MIXED)
    assert await sign(muster, "anna") == releasing.Signed(1, 0, [])
    assert await outcomes(muster) == {"B4": ("negative", "final")}
    not_ready = await refused(sign(muster, "anna", "B1", "B3", "B4", "B9"))
    assert isinstance(not_ready, releasing.NotReadyToRelease)
    assert "B3 (repeat), B4 (done), B9 (not received)" in str(not_ready)
    assert (await open_list(muster))["B1"] == "propose"  # nothing was done


@plays
async def test_the_second_person_may_decline(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", MIXED)
    await sign(muster, "anna", "B1")
    async with muster.pool.connection() as conn:
        ((result,),) = await (await conn.execute("SELECT result FROM lab.proposal")).fetchall()
    async with desk(muster, "boris") as one:
        await releasing.decline(one, result, "doubtful_curve")
    assert (await open_list(muster))["B1"] == "repeat"
    async with desk(muster, "boris") as one:
        assert isinstance(await refused(releasing.confirm(one, result)), releasing.ProposalUnknown)


@plays
async def test_a_bulk_negative_never_overtakes_an_abnormal_sample(muster: Instance) -> None:
    """A file of negatives from elsewhere names tubes that are positive, indeterminate, not yet called,
    or negative here: nobody is told a good result of any of the first three."""
    await prepare(muster)
    await load(muster, "P1", {"A01": "B1", "B01": "B2", "D01": "B4"})
    await run(muster, "P1", {well: MIXED[well] for well in ("A01", "B01", "D01")})
    sent = "\n".join(
        f"11:00 ResultReleased n{n} barcode=B{n} outcome=negative lab={lab}"
        for n, lab in ((1, "L1"), (2, "OTHER"), (3, "L1"), (4, "OTHER"))
    )
    await muster.door.append(events(sent))
    assert await outcomes(muster) == {
        "B1": ("negative", "conflict"), "B2": ("negative", "conflict"),
        "B3": ("negative", "unproven"), "B4": ("negative", "final"),
    }  # fmt: skip
    assert (await open_list(muster))["B1"] == "propose"
    await sign(muster, "anna", "B1")
    await sign(muster, "boris", "B1")
    assert (await outcomes(muster))["B1"] == ("positive", "conflict")


@plays
async def test_a_result_that_claims_a_run_must_have_been_in_it(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", {"A01": "B1"})
    run_ = (await run(muster, "P1", {"A01": "B1 - - 27"})).run
    async with desk(muster) as one:
        body = ResultReleased("B2", "negative", "L1", one.at, named("T2"), run_)
        await one.append([one.event(body, named("r2"))])
    assert await outcomes(muster) == {"B2": ("negative", "unproven")}


@plays
async def test_a_tube_that_cannot_be_tested_is_invalid(muster: Instance) -> None:
    await prepare(muster)
    async with desk(muster) as one:
        await releasing.reject_tube(one, "B1", "leaking")
        again = await refused(releasing.reject_tube(one, "B1", "leaking"))
    assert isinstance(again, releasing.NotReadyToRelease)
    assert await outcomes(muster) == {"B1": ("invalid", "final")}


@plays
async def test_amending_from_or_to_a_positive_takes_two(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", CLEAN)
    await sign(muster, "anna")
    found = await results(muster)
    result = found["B1"]
    async with desk(muster, "anna") as one:
        assert not await releasing.amend(one, result, outcome="positive", reason="wrong_sample")
    assert (await outcomes(muster))["B1"] == ("negative", "final")
    async with desk(muster, "anna") as one:
        assert isinstance(
            await refused(releasing.confirm(one, result)),
            releasing.NeedsSecondPerson,
        )
    async with desk(muster, "boris") as one:
        await releasing.confirm(one, result)
    assert (await outcomes(muster))["B1"] == ("positive", "final")
    async with desk(muster, "anna") as one:
        assert await releasing.amend(one, found["B2"], outcome="invalid", reason="clerical")
    assert (await outcomes(muster))["B2"] == ("invalid", "final")


@plays
async def test_nobody_releases_another_laboratorys_run(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    run_ = (await run(muster, "P1", CLEAN)).run
    async with desk(muster, "anna", "L2") as one:
        assert await releasing.release_ready(one, run_) == releasing.Signed(0, 0, [])
    assert await outcomes(muster) == {}
    async with desk(muster, "anna", "L1") as one:
        assert (await releasing.release_ready(one, run_)).released == 4


TWO_OF_ONE = """
    08:00  TubeSealed     T7  members=p1 round=R1 barcode=B7
    08:10  TubeSealed     T8  members=p2 round=R1 barcode=B7
    09:00  BoxPacked      X7  code=BOX7 tubes=[{"barcode":"B7","tube":"%s"}]
    09:00  BoxPacked      X8  code=BOX8 tubes=[{"barcode":"B7","tube":"%s"}]
    10:00  BoxReceived    C7  code=BOX7
    10:01  TubesReceived  C7  scans=B7
    10:00  BoxReceived    C8  code=BOX8
    10:01  TubesReceived  C8  scans=B7
"""


@plays
async def test_two_open_tubes_of_one_barcode_are_not_guessed_apart(muster: Instance) -> None:
    """Their manifests tell which box held which; a scan at the bench could not."""
    await prepare(muster)
    await muster.door.append(events(TWO_OF_ONE % (named("T7"), named("T8"))))
    async with muster.pool.connection() as conn:
        found = await conn.execute("SELECT tube FROM lab.sample WHERE barcode = 'B7'")
        assert {row[0] for row in await found.fetchall()} == {named("T7"), named("T8")}
    problem = await refused(load(muster, "P7", {"A01": "B7"}))
    assert isinstance(problem, loading.BarcodeOfSeveralTubes)
