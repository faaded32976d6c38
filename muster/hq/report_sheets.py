"""What a report looks like: its data as a sheet of facts, sections and findings in one language."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from muster.config import PRESS_SIGNERS, REPORT_SIGNERS, SITES_LISTED_LIMIT
from muster.hq.engine.sums import share
from muster.hq.report_words import word
from muster.papers.sheet import Cell, Column, Fact, Section, Sheet, Signed, shown

Data = dict[str, Any]
Say = Callable[..., str]
_OTHER = {"discrepancy/missing": "missing_tube", "recall/recall_open": "recall_still_open"}
_AREA = (
    "expected", "sampled", "share", "swabs", "resulted", "pending", "invalid", "exempt", "away",
    "refused", "missing",
)  # fmt: skip
_PRESS = ("expected", "sampled", "share", "swabs", "resulted", "pending")
_SITE = {
    "tubes": "tubes", "persons": "persons_here", "swabs": "swabs", "resulted": "tubes_resulted",
    "pending": "tubes_pending", "invalid": "tubes_invalid", "positive": "positive",
    "indeterminate": "indeterminate", "anomalies": "anomalies",
}  # fmt: skip
_LAB = {
    "received": "received", "on_plate": "on_plate", "resulted": "tubes_resulted",
    "negative": "negative", "positive": "positive", "indeterminate": "indeterminate",
    "invalid": "tubes_invalid", "amended": "amended", "minutes": "minutes",
}  # fmt: skip


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """What a frozen report's sheet says beside its figures: by whom and on what it was made."""

    seq: int
    head: str
    content: str
    frozen_at: datetime
    frozen_by: str
    signed: list[tuple[str, datetime]]


def signers(kind: str) -> int:
    """How many must sign a report of a kind."""
    return PRESS_SIGNERS if kind == "press" else REPORT_SIGNERS


def sheet(data: Data, language: str, *, frozen: Frozen | None = None) -> Sheet:
    """A report in a language; a preview where it is not frozen."""
    say = partial(word, language=language)
    zone = ZoneInfo(data["zone"])
    kind, area, round = data["kind"], data["area"], data["round"]
    at = _time(data["cut_off"], zone)
    facts = [("area", area["name"]), ("round", round["name"] if round else "–"), ("cut_off", at)]
    if data.get("areas"):
        expected = shown(data["areas"][0]["expected"])
        facts.append(("denominator", say("roster", count=expected)))
    if frozen:
        made = say("by", at=_time(frozen.frozen_at, zone), who=frozen.frozen_by)
        facts.append(("frozen", made))
    title, wanted = say(kind), signers(kind)
    signed = [(name, _time(moment, zone)) for name, moment in frozen.signed] if frozen else []
    places = [Signed(name=name, at=moment) for name, moment in signed]
    places += [Signed()] * max(0, wanted - len(signed))
    unfinished = say("unsigned") if len(signed) < wanted else ""
    return Sheet(
        title=title, subtitle=f"{area['name']} · {round['name'] if round else ''}",
        facts=[Fact(label=say(name), value=value) for name, value in facts],
        sections=_sections(data, say, zone),
        findings=[_finding(one, say) for one in data["checks"] if not one["holds"]],
        findings_title=say("findings"),
        signatures=places, signatures_title=say("signatures"),
        proof=say("proof", seq=frozen.seq, head=frozen.head[:16], content=frozen.content)
        if frozen else "",
        foot=say("foot", title=title, area=area["name"], at=at),
        draft=unfinished if frozen else say("draft"),
    )  # fmt: skip


def _sections(data: Data, say: Say, zone: ZoneInfo) -> list[Section]:
    kind = data["kind"]
    if kind == "press":
        return [_whole(data, say), _areas(data, say, _PRESS), _agreement(data, say)]
    if kind == "coverage":
        return [_areas(data, say, (*_AREA, "declared"), indent=True), _agreement(data, say)]
    if kind == "sites":
        return [_sites(data, say, zone), _agreement(data, say)]
    if kind == "labs":
        return [_labs(data, say, zone), _agreement(data, say)]
    if kind == "special":
        return [_kinds(data, say), _troubles(data, say), _areas(data, say, _AREA)]
    return [
        _whole(data, say), _areas(data, say, _AREA), _hours(data, say, zone), _labs(data, say, zone),
        _kinds(data, say), *([_overrides(data, say)] if "overrides" in data else []),
        _sites(data, say, zone), _agreement(data, say),
    ]  # fmt: skip


def _whole(data: Data, say: Say) -> Section:
    top = data["areas"][0] if data["areas"] else None
    persons, sites = data["persons"], data["sites"]
    figures: list[list[Cell]] = []
    if top:
        figures += [
            [say("expected"), top["expected"], ""],
            [say("sampled"), top["sampled"], _share(top["sampled"], top["expected"])],
            [say("swabs"), top["swabs"], ""],
            [say("resulted"), top["resulted"], _share(top["resulted"], top["sampled"])],
            [say("pending"), top["pending"], ""],
            [say("missing"), top["missing"], _share(top["missing"], top["expected"])],
        ]
    figures += [
        [say("persons_here"), persons["persons"], f"{shown(persons['swabs'])} {say('swabs')}"],
        [say("tubes"), sum(one["tubes"] for one in sites), ""],
        [say("positive"), sum(one["positive"] for one in sites), ""],
        [say("confirmed"), persons["confirmed"], ""],
        [say("recall_open"), persons["recall_open"], ""],
    ]
    return Section(
        title=say("whole"), columns=[], rows=figures, form="figures", note=say("persons_note")
    )


def _areas(data: Data, say: Say, names: Sequence[str], *, indent: bool = False) -> Section:
    rows: list[list[Cell]] = []
    for one in data["areas"]:
        space = "\u3000" * (one["depth"] if indent else 0)
        figures = [
            _share(one["sampled"], one["expected"]) if n == "share" else one[n] for n in names
        ]
        rows.append([space + one["name"], *figures])
    strong = [n for n, one in enumerate(data["areas"]) if one["depth"] == 0]
    columns = [
        Column(label=say("area"), number=False, wide=True),
        *(Column(label=say(n)) for n in names),
    ]
    return Section(
        title=say("by_area"), columns=columns, rows=rows, strong=strong, note=say("persons_note")
    )


def _sites(data: Data, say: Say, zone: ZoneInfo) -> Section:
    rows: list[list[Cell]] = [
        [one["name"] or say("no_site"), one["code"], *(one[n] for n in _SITE),
         _clock(one["first_at"], zone), _clock(one["last_at"], zone)]
        for one in data["sites"]
    ]  # fmt: skip
    if rows:
        sums = {n: sum(one[n] for one in data["sites"]) for n in _SITE}
        sums["persons"] = data["persons"]["persons"]
        rows.append([say("total"), "", *sums.values(), "", ""])
    columns = [
        Column(label=say("site"), number=False, wide=True), Column(label=say("code"), number=False),
        *(Column(label=say(n)) for n in _SITE.values()),
        Column(label=say("first"), number=False), Column(label=say("last"), number=False),
    ]  # fmt: skip
    note = say("sites_note") if rows else say("nothing")
    return Section(
        title=say("by_site"), columns=columns, rows=rows, strong=[len(rows) - 1] if rows else [],
        note=_cut(data, "sites", note, say),
    )  # fmt: skip


def _labs(data: Data, say: Say, zone: ZoneInfo) -> Section:
    rows: list[list[Cell]] = [
        [one["name"] or one["lab"], *(one[n] for n in _LAB), _clock(one["last_at"], zone)]
        for one in data["labs"]
    ]
    columns = [
        Column(label=say("lab"), number=False, wide=True),
        *(Column(label=say(n)) for n in _LAB.values()),
        Column(label=say("last_result"), number=False),
    ]  # fmt: skip
    return Section(
        title=say("by_lab"), columns=columns, rows=rows, note="" if rows else say("nothing")
    )


def _hours(data: Data, say: Say, zone: ZoneInfo) -> Section:
    rows: list[list[Cell]] = [
        [_time(one["hour"], zone)[5:], one["tubes"], one["swabs"]] for one in data["hours"]
    ]
    columns = [
        Column(label=say("hour"), number=False, wide=True), Column(label=say("tubes")),
        Column(label=say("swabs")),
    ]  # fmt: skip
    return Section(
        title=say("by_hour"), columns=columns, rows=rows, note="" if rows else say("nothing")
    )


def _kinds(data: Data, say: Say) -> Section:
    found: dict[str, int] = {}
    for one in data["troubles"]:
        name = _trouble(one)
        found[name] = found.get(name, 0) + one["count"]
    rows: list[list[Cell]] = [[say(name), count] for name, count in sorted(found.items())]
    columns = [Column(label=say("kind"), number=False, wide=True), Column(label=say("count"))]
    note = say("inspections_note") if data["kind"] == "special" else ""
    return Section(
        title=say("troubles_by_kind"),
        columns=columns,
        rows=rows,
        note=note if rows else say("nothing"),
    )


def _troubles(data: Data, say: Say) -> Section:
    rows: list[list[Cell]] = [
        [say(_trouble(one)), one["name"] or one["code"] or "–", one["code"] or "", one["count"]]
        for one in data["troubles"]
    ]
    columns = [
        Column(label=say("kind"), number=False), Column(label=say("place"), number=False, wide=True),
        Column(label=say("code"), number=False), Column(label=say("count")),
    ]  # fmt: skip
    note = _cut(data, "troubles", "" if rows else say("nothing"), say)
    return Section(title=say("troubles"), columns=columns, rows=rows, note=note)


def _overrides(data: Data, say: Say) -> Section:
    """By whose word people stand where a limit speaks against it."""
    rows: list[list[Cell]] = [
        [
            one["who"],
            one["name"] or "–",
            say(f"role_{one['role']}"),
            say(f"over_{one['kind']}"),
            one["count"],
        ]
        for one in data["overrides"]
    ]
    columns = [
        Column(label=say("decided_by"), number=False), Column(label=say("place"), number=False, wide=True),
        Column(label=say("role"), number=False), Column(label=say("limit_broken"), number=False),
        Column(label=say("count")),
    ]  # fmt: skip
    note = _cut(data, "overrides", "" if rows else say("nothing"), say)
    return Section(title=say("overrides"), columns=columns, rows=rows, note=note)


def _agreement(data: Data, say: Say) -> Section:
    """What does not hold, line by line; what holds, as one line a check."""
    whole: dict[str, list[Data]] = {}
    for one in data["checks"]:
        whole.setdefault(one["check"], []).append(one)
    rows: list[list[Cell]] = []
    for check, lines in whole.items():
        bad = [one for one in lines if not one["holds"]]
        told = (
            say("lines_differ", count=len(lines), bad=len(bad))
            if bad
            else say("lines", count=len(lines))
        )
        rows.append([say(check), told, say("fails") if bad else say("holds")])
    columns = [
        Column(label=say("check"), number=False, wide=True), Column(label=say("count"), number=False),
        Column(label="", number=False),
    ]  # fmt: skip
    return Section(title=say("agreement"), columns=columns, rows=rows)


def _finding(one: Data, say: Say) -> str:
    sign = "≠" if one["relation"] == "equal" else ">"
    where = f"{one['where']}: " if one["where"] else ""
    return f"{where}{say(one['check'])} ({shown(one['left'])} {sign} {shown(one['right'])})"


def _trouble(one: Data) -> str:
    return _OTHER.get(f"{one['sort']}/{one['kind']}") or str(one["kind"])


def _cut(data: Data, part: str, note: str, say: Say) -> str:
    return say("cut", count=SITES_LISTED_LIMIT) if part in data.get("cut", ()) else note


def _share(part: int, whole: int | None) -> str:
    found = share(part, whole)
    return "–" if found is None else f"{found // 100}.{found % 100:02d}%"


def _time(value: str | datetime, zone: ZoneInfo) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _clock(value: str | None, zone: ZoneInfo) -> str:
    return _time(value, zone)[5:] if value else ""
