"""Files of laboratories: kept before they are read, never twice, and what cannot be used says why."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from muster.config import RUN_FILE_LIMIT_BYTES, Settings
from muster.core.clock import now
from muster.exchange.fhir_writing import write_bundle
from muster.exchange.hl7_writing import write_oru
from muster.exchange.report import Party, TargetValue, TubeReport
from muster.instance import Instance
from muster.lab import files
from muster.lab.exporting import Standard, write_results
from muster.lab.queries import released
from muster.lab.watching import watch
from tests.conftest import Play
from tests.laboratory import load, open_list, prepare, sign
from tests.run_files import chinese_csv, quantstudio_text
from tests.senders import query
from tests.table import events
from tests.test_plates_and_runs import FOUR, plays

CLEAN = {"A01": "B1 - - 27", "B01": "B2 - - 26", "C01": "B3 - - 28", "D01": "B4 - - 27"}
EXTERNAL = "08:30  LabListed  L9  kind=external"


async def take(muster: Instance, name: str, content: bytes, **more: Any) -> files.Taken:
    said = {"actor": "anna", "at": now(), **more}
    lab = said.pop("lab", "L1")
    return await files.take_file(muster, lab, name, content, **said)


def report(barcode: str, outcome: Any, **more: Any) -> TubeReport:
    ct = 22_000 if outcome == "positive" else None
    told = {
        "barcode": barcode, "outcome": outcome, "status": "final", "lab": "L9",
        "resulted_at": now() - timedelta(minutes=9), "members": 10, "combined": "pooled",
        "targets": (TargetValue("N", ct, ct is not None),), **more,
    }  # fmt: skip
    return TubeReport(**told)


def hl7(*reports: TubeReport) -> bytes:
    party = Party("LIS", "L9")
    return write_oru(reports, sender=party, receiver=party, at=now(), message_id="M1")


@plays
async def test_a_file_is_known_again(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    content = chinese_csv("P1", CLEAN)
    first = await take(muster, "run.csv", content)
    assert (first.state, first.fresh) == ("imported", True)
    again = await take(muster, "other name.csv", content)
    assert (again.state, again.fresh, again.run) == ("imported", False, first.run)
    assert await query(muster, "SELECT count(*) FROM lab.run_file") == [1]


@plays
async def test_a_file_for_an_unknown_plate_waits_and_is_read_when_the_plate_is_loaded(
    muster: Instance,
) -> None:
    await prepare(muster)
    waits = await take(muster, "run.csv", chinese_csv("P1", CLEAN))
    assert (waits.state, waits.run) == ("waiting", None)
    assert "P1" in (waits.problem or "")
    assert await query(muster, "SELECT state, slug, plate_code FROM lab.run_file") == [
        ("waiting", "run-plate-unknown", "P1")
    ]
    await load(muster, "P1", FOUR)
    (done,) = await files.plate_arrived(muster, "L1", "P1", actor="anna", at=now())
    assert done.state == "imported"
    assert set((await open_list(muster)).values()) == {"release"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cut.csv", chinese_csv("P1", CLEAN)[:150], "cut.csv"),
        ("cut.txt", quantstudio_text("P1", CLEAN)[:900], "cut.txt"),
        ("letter.csv", "亲爱的同事，\n结果明天发。\n".encode(), "letter.csv"),
        ("empty.csv", b"  \n", "empty.csv"),
        ("broken.hl7", b"MSH|^~\\&|A|B\rOBR|1", "broken.hl7"),
        ("broken.json", b'{"resourceType": "Bundle", "type":', "broken.json"),
        ("other.json", b'{"resourceType": "Patient"}', "other.json"),
    ],
)
def test_what_cannot_be_read_waits_with_its_reason(
    play: Play, name: str, content: bytes, says: str
):
    async def story(muster: Instance) -> None:
        await prepare(muster)
        await load(muster, "P1", FOUR)
        taken = await take(muster, name, content)
        told = " ".join([taken.problem or "", *taken.faults])
        assert says in told
        assert (taken.state, taken.released, taken.proposed) == ("waiting", 0, 0)
        sealed, slug = (await query(muster, "SELECT sealed, slug FROM lab.run_file"))[0]
        assert muster.vault.open(bytes(sealed)) == content
        assert slug
        assert set((await open_list(muster)).values()) == {"run"}

    play(story)


@plays
async def test_a_waiting_file_is_read_as_that_of_another_plate_or_set_aside(
    muster: Instance,
) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    waits = await take(muster, "run.csv", chinese_csv("P7", CLEAN))
    done = await files.take_again(muster, "L1", waits.file, plate="P1", actor="anna", at=now())
    assert done.state == "imported"
    other = await take(muster, "letter.csv", b"nothing, at all\n")
    await files.refuse_file(muster, "L1", other.file, actor="anna")
    with pytest.raises(files.LabFileUnknown):
        await files.take_again(muster, "L1", other.file, actor="anna", at=now())
    with pytest.raises(files.LabFileTooLarge):
        await take(muster, "large.csv", b"0" * (RUN_FILE_LIMIT_BYTES + 1))


@plays
async def test_another_citys_messages_keep_the_rules_of_release(muster: Instance) -> None:
    await prepare(muster)
    await muster.door.append(events(EXTERNAL))
    sent = hl7(report("B1", "negative"), report("B2", "positive"), report("B3", "invalid"))
    taken = await take(muster, "day.hl7", sent, lab="L9")
    assert (taken.released, taken.proposed, taken.waiting) == (2, 1, ["B2"])
    assert (taken.acknowledgement or "").count("MSA|AA|") == 3
    again = await take(muster, "again.hl7", sent + b"\r", lab="L9")
    assert (again.released, again.proposed, again.faults) == (0, 0, [])
    await sign_proposal(muster, "L9")
    told = dict(await query(muster, "SELECT barcode, outcome FROM lab.result"))
    assert told == {"B1": "negative", "B2": "positive", "B3": "invalid"}


async def sign_proposal(muster: Instance, lab: str) -> None:
    from muster.lab import releasing
    from tests.laboratory import desk

    for result in await query(muster, "SELECT result FROM lab.proposal WHERE answer IS NULL"):
        async with desk(muster, "boris", lab) as one:
            await releasing.confirm(one, result)


@plays
async def test_what_a_message_may_not_say(muster: Instance) -> None:
    """A released sample in a new file, another laboratory's result, several tubes in one, and a result
    of ours without a well."""
    await prepare(muster)
    await muster.door.append(events(EXTERNAL))
    await take(muster, "first.hl7", hl7(report("B1", "negative")), lab="L9")
    sent = hl7(
        report("B1", "positive"), report("B2", "negative", lab="L7"), report("B3+B4", "negative"),
        report("B4", "negative"),
    )  # fmt: skip
    taken = await take(muster, "second.hl7", sent, lab="L9")
    assert (taken.released, taken.proposed) == (1, 0)
    assert [fault.split(":")[0] for fault in taken.faults][:2] == [
        "second.hl7, line 5", "second.hl7, line 12"
    ]  # fmt: skip
    assert "B1 has the released result negative" in taken.faults[0]
    assert "result of L7" in taken.faults[1]
    assert "refused and reported" in taken.faults[2]
    assert await query(muster, "SELECT barcodes FROM lab.repooling") == [["B3", "B4"]]
    answered = taken.acknowledgement or ""
    assert [answered.count(f"MSA|{code}|") for code in ("AE", "AA")] == [3, 1]
    ours = await take(muster, "ours.hl7", hl7(report("B2", "negative", lab="L1")))
    assert (ours.released, len(ours.faults)) == (0, 1)
    assert "needs its well" in ours.faults[0]


@plays
async def test_a_correction_is_proposed_to_a_second_person(muster: Instance) -> None:
    await prepare(muster)
    await muster.door.append(events(EXTERNAL))
    await take(muster, "first.hl7", hl7(report("B1", "negative")), lab="L9")
    bundle = write_bundle(
        [report("B1", "positive", status="corrected")], sender="L9", at=now(), message_id="M2"
    )
    taken = await take(muster, "corrected.json", bundle, lab="L9")
    assert (taken.faults, taken.waiting) == ([], ["B1"])
    await sign_proposal(muster, "L9")
    assert await query(muster, "SELECT outcome, first_outcome FROM lab.result") == [
        ("positive", "negative")
    ]


@plays
async def test_what_is_exported_can_be_read_by_another_city(muster: Instance) -> None:
    """Released here as HL7 and as FHIR, and the same results there; no name is in either."""
    await prepare(muster)
    await load(muster, "P1", FOUR)
    await take(muster, "run.csv", chinese_csv("P1", {**CLEAN, "A01": "B1 22 23 27"}))
    await sign(muster, "anna")
    await sign(muster, "anna", "B1")
    await sign(muster, "boris", "B1")
    async with muster.pool.connection() as conn:
        found = await released(
            conn, "L1", since=now() - timedelta(hours=1), until=now() + timedelta(hours=1)
        )
    await muster.door.append(events("08:30  LabListed  L1  kind=external"))
    for standard in Standard:
        content = write_results(found, "L1", standard, at=now(), message_id="M3")
        taken = await take(muster, f"out.{standard}", content)
        assert (taken.faults, taken.fresh) == ([], False)  # all of it is known
    assert {one["barcode"]: one["members"] for one in found} == {"B1": 2, "B2": 1, "B3": 1, "B4": 1}
    assert dict(found[-1]["values"] or ()).keys() <= {"ORF1ab", "N", "RNase P"}


@plays
async def test_a_watched_folder(muster: Instance) -> None:
    await prepare(muster)
    await load(muster, "P1", FOUR)
    folder = muster.settings.home / "instrument"
    folder.mkdir()
    (folder / "run.csv").write_bytes(chinese_csv("P1", CLEAN))
    (folder / "letter.csv").write_text("nothing, at all\n")
    (folder / ".half.csv").write_text("being written")
    taken = await watch(muster, "L1", folder, once=True)
    assert sorted(one.state for one in taken) == ["imported", "waiting"]
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == [".half.csv", "done/run.csv", "waiting/letter.csv", "waiting/letter.csv.why.txt"]
    assert "letter.csv" in (folder / "waiting" / "letter.csv.why.txt").read_text()


WATCHING = """
import asyncio, sys
from pathlib import Path
import muster.lab.files as files
from muster.config import Settings
from muster.instance import open_instance
from muster.lab.watching import watch

async def stop(*_a, **_k):  # the file is kept, and not yet read
    print("kept", flush=True)
    await asyncio.sleep(60)

files.read_run = stop

async def main():
    async with open_instance(Settings.from_environment()) as muster:
        await watch(muster, "L1", Path(sys.argv[1]), once=True)

asyncio.run(main())
"""


def test_a_killed_import_loses_nothing(play: Play, database: Settings, tmp_path: Path):
    """The process is killed after the file was kept and before it was read."""

    async def before(muster: Instance) -> None:
        await prepare(muster)
        await load(muster, "P1", FOUR)

    play(before)
    (tmp_path / "run.csv").write_bytes(chinese_csv("P1", CLEAN))
    environment = {
        **os.environ, "DATABASE_URL": database.database_url or "",
        "MUSTER_HOME": str(database.home), "MUSTER_KEY_FILE": str(database.key_file),
    }  # fmt: skip

    async def killed() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WATCHING, str(tmp_path), env=environment,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout
        assert await process.stdout.readline() == b"kept\n"
        process.send_signal(signal.SIGKILL)
        await process.wait()

    asyncio.run(killed())

    async def after(muster: Instance) -> None:
        assert await query(muster, "SELECT state FROM lab.run_file") == ["waiting"]
        (taken,) = await watch(muster, "L1", tmp_path, once=True)
        assert taken.state == "imported"
        assert set((await open_list(muster)).values()) == {"release"}

    play(after)
