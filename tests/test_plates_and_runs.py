"""Plates, runs and calls in a laboratory: what is loaded, read and called, and what is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from muster.core.problems import Problem
from muster.instance import Instance
from muster.lab import checking, loading, running
from muster.lab.engine.assay import usual
from tests.conftest import Play
from tests.laboratory import adopt, desk, load, open_list, prepare, run, sign
from tests.table import named, shown

FOUR = {"A01": "B1", "B01": "B2", "C01": "B3", "D01": "B4"}
CLEAN = {
    "A01": "B1 - - 27", "B01": "B2 - - 26", "C01": "B3 - - 28", "D01": "B4 - - 27",
}  # fmt: skip
POSITIVE = {**CLEAN, "A01": "B1 22 23 27"}


async def calls(muster: Instance) -> str:
    columns = ["barcode", "call", "reason", "standing", "next"]
    async with muster.pool.connection() as conn:
        found = await conn.execute(f"SELECT {', '.join(columns)} FROM lab.call".encode())
        return shown(columns, await found.fetchall())


async def refused(work: Awaitable[Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        await work
    return caught.value


def plays(story: Callable[[Instance], Awaitable[None]]) -> Callable[[Play], None]:
    """A test that is a story."""

    def test(play: Play) -> None:
        play(story)

    test.__doc__ = story.__doc__
    return test


@plays
async def test_a_run_is_called_and_its_negatives_released_by_one_person(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    assert set((await open_list(muster)).values()) == {"run"}
    await run(muster, "P1", {**POSITIVE, "B01": "B2 38 - 26", "C01": "B3 - - -"})
    assert await calls(muster) == shown(
        ["barcode", "call", "reason", "standing", "next"],
        [
            ["B1", "positive", "all-targets-positive", "positive", "propose"],
            ["B2", "indeterminate", "grey-zone", "indeterminate", "repeat"],
            ["B3", "invalid", "internal-control-failed", "invalid", "repeat"],
            ["B4", "negative", "no-curve", "negative", "release"],
        ],
    )
    assert (await sign(muster, "anna")).released == 1
    assert await open_list(muster) == {
        "B1": "propose",
        "B2": "repeat",
        "B3": "repeat",
        "B4": "done",
    }


@plays
async def test_an_import_twice_changes_nothing(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    first = await run(muster, "P1", CLEAN)
    head = muster.door.head
    assert await run(muster, "P1", CLEAN) == msgspec_replaced(first)
    assert await run(muster, "P1", CLEAN, content=b"exported again") == msgspec_replaced(first)
    assert muster.door.head == head


def msgspec_replaced(first: running.Imported) -> running.Imported:
    return running.Imported(first.run, first.plate, fresh=False)


@plays
async def test_what_may_not_be_loaded(muster: Instance) -> None:
    """Tubes nobody received, the same tube twice, several in a well, a control's well, another plate
    of the same name."""
    await prepare(muster)
    assert isinstance(await refused(load(muster, "P1", {"A01": "B9"})), loading.TubesNotReceived)
    twice = {"A01": "B1", "B01": "B1"}
    assert isinstance(await refused(load(muster, "P1", twice)), loading.TubesLoadedAlready)
    pool = await refused(load(muster, "P1", {"A01": "B1+B2", "B01": "B3"}))
    assert isinstance(pool, loading.RepoolingNotAllowed)
    assert "A01: B1 + B2" in str(pool)
    assert isinstance(await refused(load(muster, "P1", {"H12": "B1"})), loading.ControlWellTaken)
    await load(muster, "P1", {"A01": "B1"})
    assert isinstance(await refused(load(muster, "P1", {"A01": "B2"})), loading.PlateInUse)
    elsewhere = await refused(load(muster, "P2", {"A01": "B1"}))
    assert isinstance(elsewhere, loading.TubesLoadedAlready)
    assert "P1 A01" in str(elsewhere)
    assert isinstance(
        await refused(load(muster, "P3", {"A01": "B2"}, lab="L2")), loading.TubesNotReceived
    )
    await load(muster, "P2", {"A01": "B1", "B01": "B2"}, repeats=["B1"])
    async with muster.pool.connection() as conn:
        reported = await conn.execute("SELECT lab, well, barcodes, found_in FROM lab.repooling")
        assert await reported.fetchall() == [("L1", "A01", ["B1", "B2"], "loading")]


@plays
async def test_tubes_are_placed_by_themselves_around_the_controls(muster: Instance) -> None:
    await prepare(muster)
    async with desk(muster) as one:
        plate = await loading.load_plate(
            one, code="P1", assay="A1", template="usual-96", tubes=["B1", "B2", "B3", "B4"]
        )
    async with muster.pool.connection() as conn:
        found = await conn.execute(
            "SELECT barcode, well FROM lab.well WHERE plate = %s ORDER BY 1", [plate]
        )
        assert dict(await found.fetchall()) == {
            "B1": "A01", "B2": "B01", "B3": "C01", "B4": "D01"
        }  # fmt: skip


@plays
async def test_a_discarded_plate_gives_its_tubes_back_unless_it_was_run(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", {"A01": "B1", "B01": "B2"})
    async with desk(muster) as one:
        await loading.discard_plate(one, "P1", "dropped")
    assert set((await open_list(muster)).values()) == {"load"}
    await load(muster, "P1", FOUR)
    await run(muster, "P1", CLEAN)
    async with desk(muster) as one:
        assert isinstance(
            await refused(loading.discard_plate(one, "P1", "dropped")), loading.PlateWasRun
        )


@pytest.mark.parametrize(
    ("readings", "problem", "says"),
    [
        ({**CLEAN, "A01": "B2 - - 27", "B01": "B1 - - 27"}, checking.WrongPlate, "2 wells"),
        ({"H01": "B1 - - 27"}, checking.WrongPlate, "well H01"),
        ({**CLEAN, "H11": "PC 28 29 26", "H12": "NC - - 25"}, checking.PlateTurned, "H11"),
        ({**CLEAN, "A01": "NC - - 25"}, checking.PlateTurned, "A01"),
        ({"A01": "B1 - - 27", "B01": "B2 - - 26"}, checking.WellsMissing, "C01, D01"),
        ({**CLEAN, "A01": "B1+B2 - - 27"}, loading.RepoolingNotAllowed, "B1 + B2"),
    ],
)
def test_a_file_that_does_not_fit_its_plate_changes_nothing(
    play: Play, readings: dict[str, str], problem: type[Problem], says: str
):
    async def story(muster: Instance) -> None:
        await prepare(muster)
        await load(muster, "P1", FOUR)
        found = await refused(run(muster, "P1", readings))
        assert isinstance(found, problem)
        assert says in str(found)
        assert set((await open_list(muster)).values()) == {"run"}

    play(story)


@plays
async def test_a_file_that_names_no_plate_is_found_by_its_tubes(muster: Instance) -> None:
    await prepare(muster)
    assert isinstance(await refused(run(muster, "P7", CLEAN)), checking.RunPlateUnknown)
    plate = await load(muster, "P1", FOUR)
    assert (await run(muster, None, CLEAN)).plate == plate


@plays
async def test_samples_that_an_instrument_only_counts_name_no_tube(muster: Instance) -> None:
    await prepare(muster)
    plate = await load(muster, "P1", FOUR)
    counted = {well: f"Sample{n} - - 27" for n, well in enumerate(FOUR, 1)}
    assert isinstance(await refused(run(muster, None, counted)), checking.RunPlateUnknown)
    assert (await run(muster, None, counted, said="P1")).plate == plate


@plays
async def test_a_failed_control_blocks_the_plate(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", {**POSITIVE, "H11": "NC 31 30 25"})
    assert set((await open_list(muster)).values()) == {"repeat"}
    assert (await sign(muster, "anna")).released == 0
    await run(muster, "P1", POSITIVE)
    assert (await open_list(muster))["B1"] == "propose"


@plays
async def test_a_second_measurement_of_a_plate_has_to_be_declared(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", CLEAN)
    assert isinstance(await refused(run(muster, "P1", POSITIVE)), checking.RunDiffers)
    await run(muster, "P1", POSITIVE, again=True)
    assert (await open_list(muster))["B1"] == "propose"


@plays
async def test_a_released_sample_in_a_new_file_is_an_error(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", CLEAN)
    await sign(muster, "anna")
    problem = await refused(run(muster, "P1", POSITIVE, again=True))
    assert isinstance(problem, checking.ReleasedInFile)
    assert "4 tubes" in str(problem)
    again = await refused(load(muster, "P2", {"A01": "B1"}))
    assert isinstance(again, loading.TubesLoadedAlready)
    await load(muster, "P2", {"A01": "B1"}, repeats=["B1"])
    await run(muster, "P2", {"A01": "B1 22 23 27"})
    async with muster.pool.connection() as conn:
        found = await conn.execute("SELECT state FROM lab.outcome WHERE tube = %s", [named("T1")])
        assert await found.fetchall() == [("conflict",)]  # the repeat contradicts what was told


@plays
async def test_an_indeterminate_is_repeated_and_cleared_or_proposed(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await run(muster, "P1", {**CLEAN, "A01": "B1 38 - 26", "B01": "B2 38 - 26"})
    assert {b: n for b, n in (await open_list(muster)).items() if n == "repeat"}.keys() == {
        "B1",
        "B2",
    }
    await load(muster, "P2", {"A01": "B1", "B01": "B2"}, repeats=["B1", "B2"])
    await run(muster, "P2", {"A01": "B1 - - 26", "B01": "B2 - 38 26"})
    assert await open_list(muster) == {
        "B1": "release", "B2": "propose", "B3": "release", "B4": "release"
    }  # fmt: skip


@plays
async def test_a_new_edition_calls_open_samples_again_and_no_others(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    imported = await run(muster, "P1", {**CLEAN, "A01": "B1 36.5 36 26", "B01": "B2 36.5 36 26"})
    await sign(muster, "anna", "B3")
    await sign(muster, "anna", "B1")
    assert await open_list(muster) == {
        "B1": "confirm", "B2": "propose", "B3": "done", "B4": "release"
    }  # fmt: skip
    stricter = msgspec.structs.replace(
        usual(),
        targets=tuple(msgspec.structs.replace(one, positive_to=35_000) for one in usual().targets),
    )
    await adopt(muster, stricter, edition="E2")
    async with desk(muster) as one:
        assert await running.call_again(one, imported.run)
        assert not await running.call_again(one, imported.run)
    assert await open_list(muster) == {
        "B1": "confirm", "B2": "repeat", "B3": "done", "B4": "release"
    }  # fmt: skip
