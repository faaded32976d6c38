"""A FHIR R4 bundle opened: its entries held against the schema, and what refers to what.

Only the types that are needed are looked at; a Patient or a Practitioner that came along is not.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from muster.core.text import clean
from muster.exchange import faults
from muster.exchange.fhir_schema import Resource, offences, resource_types
from muster.exchange.report import FAULTS_LIMIT, Fault

FILE_LIMIT_BYTES = 10_000_000
ENTRIES_LIMIT = 5_000
DEPTH_LIMIT = 40
OBJECTS_LIMIT = 500_000  # each takes some 100 bytes to hold, were it empty; a result has about 60

READ = frozenset(
    ("DiagnosticReport", "Group", "MessageHeader", "Observation", "Organization", "Specimen")
)
_TYPES = ("collection", "transaction", "batch", "message")
_REMEDY = {
    "empty": ("it has no resource", "没有 resource", "Send the resource itself.", "请发送资源本身。"),
    "method": (
        "its request is not POST or PUT", "请求不是 POST 或 PUT",
        "Results are sent, not taken back.", "只能发送结果，不能撤回。",
    ),
    "type": (
        "R4 has no such resource type", "R4 没有该资源类型",
        "Send R4 (4.0.1).", "请按 R4（4.0.1）发送。",
    ),
    "modifier": (
        "it has a modifierExtension or implicitRules, which may change what it means",
        "含有可能改变含义的 modifierExtension 或 implicitRules",
        "Send it without.", "请去掉后重新发送。",
    ),
    "alone": (
        "no valid DiagnosticReport has it as a result", "没有有效的 DiagnosticReport 引用它",
        "Send a DiagnosticReport with it.", "请同时发送引用它的 DiagnosticReport。",
    ),
    "specimen": (
        "a report must have one specimen", "一份报告须有且只有一个标本",
        "Send one DiagnosticReport for each tube.", "请每支管发送一份 DiagnosticReport。",
    ),
    "shared": (
        "the same observation answers for another specimen", "同一观察项还用于另一标本",
        "Send one Observation for each tube.", "请每支管发送一个 Observation。",
    ),
    "result": (
        "a report must have observations", "报告中没有观察项",
        "Refer to them in result.", "请在 result 中引用观察项。",
    ),
}  # fmt: skip


class Entry(msgspec.Struct, frozen=True):
    """A resource that is valid, and where it stands: its entry from 1 and its path."""

    number: int
    resource: Resource
    path: str


class Opened(msgspec.Struct):
    """A bundle. `by_reference` leads from what a reference may say to its entry, or to None where
    two entries go by it."""

    file: str
    bundle: Resource
    entries: list[Entry]
    by_reference: dict[str, Entry | None]
    wrong: list[Fault]

    def of_type(self, kind: str) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.resource["resourceType"] == kind)

    def said_id(self) -> str:
        """What the sender calls the bundle, "" if nothing."""
        identifier = self.bundle.get("identifier")
        named = identifier.get("value") if isinstance(identifier, dict) else None
        texts = (one for one in (named, self.bundle.get("id")) if isinstance(one, str))
        return clean(next(texts, ""))

    def fault(
        self, kind: type[faults.ExchangeFault], at: Entry | int, path: str = "", **facts: object
    ) -> None:
        number = at if isinstance(at, int) else at.number
        place = path if isinstance(at, int) else at.path + (path and f".{path}")
        problem = kind(file=self.file, entry=number or None, place=place, **facts)
        if len(self.wrong) >= FAULTS_LIMIT:
            raise faults.ExchangeTooLarge(
                file=self.file, found=len(self.wrong), unit="faults", limit=FAULTS_LIMIT
            )
        self.wrong.append(Fault(line=number or None, place=place, problem=problem))

    def unusable(self, why: str, at: Entry | int, path: str = "") -> None:
        facts = dict(zip(("why", "why_zh", "remedy", "remedy_zh"), _REMEDY[why], strict=True))
        self.fault(faults.EntryNotUsable, at, path, **facts)

    def resolve(
        self, reference: Resource, within: Entry, path: str, *, expected: str
    ) -> Entry | None:
        """The entry, or the contained resource, that a reference leads to; None and a fault if it
        is not there, is not valid or is something else."""
        found = self.find(reference, within)
        if found is not None and found.resource["resourceType"] == expected:
            return found
        # What a reference says may be somebody's name or number: only its form is told.
        form = re.match(r"#|urn:uuid:|https?://|[A-Z][A-Za-z]+/", reference.get("reference", ""))
        known = form and (
            form[0][-1] != "/" or form[0][:-1] in {*resource_types(), "http:/", "https:/"}
        )
        told = f"{form[0]}…" if form and known else f"({expected})"
        self.fault(faults.ReferenceLost, within, path, found=told, expected=expected)
        return None

    def whole_name(self, reference: Resource, within: Entry) -> str:
        """One name for what a reference leads to, however it is written; "" for none."""
        said = str(reference.get("reference", "")).partition("/_history/")[0]
        found = self.by_reference.get(said)
        return found.path if found else within.path + said if said[:1] == "#" else said

    def find(self, reference: Resource, within: Entry) -> Entry | None:
        said = str(reference.get("reference", "")).partition("/_history/")[0]
        if not said.startswith("#"):
            return self.by_reference.get(said)
        contained = [(n, one) for n, one in enumerate(within.resource.get("contained", []))
                     if isinstance(one, dict) and f"#{one.get('id')}" == said]  # fmt: skip
        for n, one in contained[:1]:
            path = f"{within.path}.contained[{n}]"
            if self.accepts(one, within.number, path):
                return Entry(within.number, one, path)
        return None

    def accepts(self, resource: Any, number: int, path: str) -> bool:
        """Whether a resource is of a type that is read, and valid; else what is wrong with it."""
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str) or kind not in resource_types():
            self.unusable("type", number, f"{path}.resourceType")
            return False
        if kind not in READ:
            return False
        if _deeper(resource, DEPTH_LIMIT):
            self.fault(faults.EntryTooDeep, number, path, limit=DEPTH_LIMIT)
            return False
        wrong = list(offences(kind, resource))
        for where, offence in wrong:
            self.fault(
                faults.EntryInvalid, number, path + _path(where), offence=offence, resource=kind
            )
        if not wrong and ("modifierExtension" in resource or "implicitRules" in resource):
            self.unusable("modifier", number, path)
            return False
        return not wrong


def open_bundle(name: str, content: bytes) -> Opened:
    """A bundle with its valid entries. Raises ExchangeEmpty, ExchangeTooLarge, NotAFhirBundle,
    BundleTypeRefused; an entry that is not valid is a fault."""
    opened = Opened(name, _decoded(name, content), [], {}, [])
    entries = opened.bundle.get("entry", [])
    outside = {number for number, _ in _envelope(opened)}
    for number, entry in enumerate(entries, 1):
        path = f"Bundle.entry[{number - 1}]"
        if number in outside:
            continue
        if "resource" not in entry:
            opened.unusable("empty", number, path)
        elif entry.get("request", {}).get("method", "POST") not in ("POST", "PUT"):
            opened.unusable("method", number, f"{path}.request.method")
        elif opened.accepts(entry["resource"], number, f"{path}.resource"):
            one = Entry(number, entry["resource"], f"{path}.resource")
            opened.entries.append(one)
            for reference in _names(entry.get("fullUrl", ""), one.resource):
                taken = reference in opened.by_reference
                opened.by_reference[reference] = None if taken else one
    return opened


def _decoded(name: str, content: bytes) -> Resource:
    if len(content) > FILE_LIMIT_BYTES:
        raise faults.ExchangeTooLarge(
            file=name, found=len(content), unit="bytes", limit=FILE_LIMIT_BYTES
        )
    if not content.strip():
        raise faults.ExchangeEmpty(file=name)
    objects = content.count(b"{") + content.count(b"[")
    if objects > OBJECTS_LIMIT:
        raise faults.ExchangeTooLarge(file=name, found=objects, unit="objects", limit=OBJECTS_LIMIT)
    try:
        bundle = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise faults.NotAFhirBundle(file=name, why=str(error)[:120]) from None
    except RecursionError:
        raise faults.NotAFhirBundle(file=name, why="it is nested too deep") from None
    kind = bundle.get("resourceType") if isinstance(bundle, dict) else None
    if kind != "Bundle":
        known = isinstance(kind, str) and kind in resource_types()
        raise faults.NotAFhirBundle(file=name, why=f"it is a {kind}" if known else "no Bundle")
    if bundle.get("type") not in _TYPES:
        found = str(bundle.get("type", "—"))[:20]
        raise faults.BundleTypeRefused(file=name, found=found)
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise faults.NotAFhirBundle(file=name, why="entry is not a list of objects")
    if len(entries) > ENTRIES_LIMIT:
        raise faults.ExchangeTooLarge(
            file=name, found=len(entries), unit="entries", limit=ENTRIES_LIMIT
        )
    return bundle


def _envelope(opened: Opened) -> Iterator[tuple[int, str]]:
    """(entry or 0, offence) of the bundle itself, entry by entry, so that one bad entry spoils no
    other."""
    bundle = {name: one for name, one in opened.bundle.items() if name != "entry"}
    shells = [
        (n, f"entry[{n - 1}]", {"resourceType": "Bundle", "entry": [
            {name: one for name, one in entry.items() if name != "resource"}]})
        for n, entry in enumerate(opened.bundle.get("entry", []), 1)
    ]  # fmt: skip
    for number, inner, shell in [(0, "", bundle), *shells]:
        if _deeper(shell, DEPTH_LIMIT):
            opened.fault(faults.EntryTooDeep, number, f"Bundle.{inner}", limit=DEPTH_LIMIT)
            yield number, "deep"
            continue
        for where, offence in offences("Bundle", shell):
            path = f"Bundle.{inner}{_path(where[2:])}" if number else f"Bundle{_path(where)}"
            opened.fault(faults.EntryInvalid, number, path, offence=offence, resource="Bundle")
            yield number, offence


def _names(full_url: str, resource: Resource) -> Iterable[str]:
    """What a reference may call an entry: its full URL, and type and id as they stand in it or in
    the resource."""
    names = {full_url}
    kind, id = resource["resourceType"], resource.get("id")
    if id:
        names.add(f"{kind}/{id}")
    if f"/{kind}/" in full_url:
        names.add(f"{kind}/{full_url.rpartition('/')[2]}")
    return names - {""}


def _deeper(value: object, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_deeper(one, levels - 1) for one in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_deeper(one, levels - 1) for one in value)
    return False


def _path(where: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)


BundleType = Literal["collection", "transaction", "message"]
