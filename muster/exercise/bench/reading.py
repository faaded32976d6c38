"""What a command post, a community and a citizen ask after a finished round of the whole district;
then the round rebuilt from its events, and proven.
"""

import csv
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from random import Random
from urllib.parse import quote

import psycopg

from muster.core.clock import now
from muster.exercise.bench import beside
from muster.exercise.bench.beside import beside_uploads
from muster.exercise.bench.figures import Figure, Report
from muster.exercise.bench.homes import Home, Homes, Server
from muster.exercise.bench.importing import import_district
from muster.exercise.bench.load import not_empty, one_by_one, saturate
from muster.exercise.bench.tubes import (
    ROOT,
    Sealing,
    all_stored,
    comers,
    followed,
    listed,
    open_round,
    seal,
)

SEED = 1
POSITIVES = 3
SEALING_DEVICES, SEALING_TUBES, SEALING_SECONDS = 8, 100, 600
ASKING, ASKED_PER_SECOND = 64, 3_000
MADE_PER_SECOND = 10_000  # requests made beforehand for each second: more than can be answered
BUILDING_MS, COMMUNITY_MS, FUNNEL_MS, SEARCH_MS = 5, 20, 50, 30
REPLAY_SECONDS = 40
PREFIXES = {"name": "王", "pinyin": "wang", "initials": "wj"}


async def measure_read(homes: Homes, report: Report) -> None:
    """Requests a second for results; latencies of lists, sums and searches; replay and verify."""
    home, _ = await import_district(homes, report)
    async with home.database() as url:
        people, places = await listed(home), await _places(url)
        async with home.serve() as server:
            came = comers(people, seed=SEED)
            sealing = await _sample(server, came, report)
            await _release(home, sealing)
            await followed(home)
            await _measure_results(server, came, report)
            await _measure_lists(server, sealing.round, places, report)
            await _measure_replay(home, server, people, report)
        proven = await home.run("verify")
        report.add(Figure("verify_s", proven.seconds, "s", "read"))


async def _places(url: str) -> dict[str, list[str]]:
    """The codes of the areas of each level."""
    async with await psycopg.AsyncConnection.connect(url) as conn:
        found = await conn.execute(
            "SELECT level, array_agg(code) FROM registry.area GROUP BY level"
        )
        return dict(await found.fetchall())


async def _sample(server: Server, people: Sequence[str], report: Report) -> Sealing:
    """One round in which these people are sampled."""
    round = await open_round(server, "第一轮")
    sealing = seal(
        server, people, round, devices=SEALING_DEVICES, tubes_per_request=SEALING_TUBES,
        at=now() - timedelta(hours=5),
    )  # fmt: skip
    every = chain.from_iterable(sealing.queues)
    shared = [iter(every)] * SEALING_DEVICES  # so that none is idle while others have work left
    measured = await saturate(
        server, shared, seconds=SEALING_SECONDS, warm_up_seconds=0, check=all_stored
    )
    report.add(Figure("read_round_persons_per_s", measured.per_second, "persons/s", "read"))
    return sealing


async def _release(home: Home, sealing: Sealing) -> None:
    """All tubes' results in one laboratory's file, a few of them positive."""
    file = home.folder.parent / "results.csv"
    _write_results(file, sealing.barcodes)
    await home.run("import", "results", file)


def _write_results(file: Path, barcodes: Sequence[str]) -> None:
    positive = set(Random(SEED).sample(barcodes, POSITIVES))
    at = (now() - timedelta(minutes=1)).isoformat(timespec="seconds")
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["条码", "结果", "检测时间", "实验室"])
        writer.writerows(
            [code, "阳性" if code in positive else "阴性", at, "芝罘区疾控中心"]
            for code in barcodes
        )


async def _measure_results(server: Server, people: Sequence[str], report: Report) -> None:
    random, wire = Random(SEED), server.wire()
    seconds = report.sizes.read_seconds
    requests = iter(
        [
            wire.request("GET", f"/v1/people/{one}/results")
            for one in random.choices(people, k=int(seconds * MADE_PER_SECOND))
        ]
    )
    measured = await saturate(
        server, [requests] * ASKING, seconds=seconds, warm_up_seconds=seconds / 6, check=not_empty
    )
    report.add(
        Figure(
            "read_results_per_s", measured.per_second, "requests/s", "read", least=ASKED_PER_SECOND,
            reference=f"{ASKING} connections, 99 % within {measured.p99_ms:.0f} ms",
        )
    )  # fmt: skip


async def _measure_lists(
    server: Server, round: str, places: dict[str, list[str]], report: Report
) -> None:
    def missing(level: str) -> Iterator[str]:
        return (f"/v1/rounds/{round}/missing?area={x}&limit=1000" for x in _any(places[level]))

    def search(prefix: str) -> Iterator[str]:
        name = quote(prefix)
        return (f"/v1/people?area={x}&name={name}&limit=50" for x in _any(places["street"]))

    funnel = f"/v1/rounds/{round}/funnel?area={ROOT}&level=street"
    asked: list[tuple[str, Iterator[str], int]] = [
        ("read_missing_building", missing("building"), BUILDING_MS),
        ("read_missing_community", missing("community"), COMMUNITY_MS),
        ("read_funnel_district", (funnel for _ in iter(int, 1)), FUNNEL_MS),
    ]
    asked += [(f"read_search_{kind}", search(word), SEARCH_MS) for kind, word in PREFIXES.items()]
    wire = server.wire()
    for name, paths, most in asked:
        requests = [wire.request("GET", path) for path in islice(paths, report.sizes.samples)]
        measured = await one_by_one(server, requests)
        report.add(
            Figure(
                f"{name}_p99_ms", measured.p99_ms, "ms", "read", most=most,
                reference=f"median {measured.median_ms:.1f} ms",
            )
        )  # fmt: skip


def _any(codes: Sequence[str]) -> Iterator[str]:
    """Some of the codes by chance, without end."""
    random = Random(SEED)
    while True:
        yield random.choice(codes)


async def _measure_replay(
    home: Home, server: Server, people: Sequence[str], report: Report
) -> None:
    """Once with nothing else going on, once while tubes come in."""
    alone = await home.run("replay")
    busy, uploads = await beside_uploads(server, people, "replay", home.run("replay"))
    report.add(
        Figure(
            "replay_s", alone.document["seconds"], "s", "read",
            most=REPLAY_SECONDS * report.sizes.share,
            reference=f"{alone.document['seq']:,} events",
        ),
        Figure(
            "replay_upload_p99_ms", uploads.p99_ms, "ms", "read", most=beside.P99_MS,
            reference=f"{len(uploads.latencies_ms):,} uploads of {beside.TUBES} tubes in"
            f" {uploads.seconds:.0f} s; the replay took {busy.document['seconds']:.1f} s",
        ),
    )  # fmt: skip
