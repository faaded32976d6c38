"""THE TABLE OF RIGHTS: which role may send which events and ask which questions. Everything else is
forbidden. docs/reference.md shows it; every HTTP handler names one `Right`.

Nobody may set a person's status: there is no event and no right for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

RoleName = Literal[
    "command_post", "area_lead", "grid_worker", "sampler", "squad", "courier", "lab_receiver",
    "lab_operator", "lab_releaser", "tracer", "gate_guard", "inspector", "guest_expert",
    "administrator", "auditor", "resident", "gateway",
]  # fmt: skip
Place = Literal["everywhere", "area", "site", "lab", "person"]
# What of people: names; rows without names; codes of tubes; sums; nothing but the system itself.
Sees = Literal["names", "people", "codes", "figures", "system", "own"]
Right = Literal[
    "public", "signed_in",
    "events", "receipts", "slice",
    "areas", "units", "sites", "policies", "rounds",
    "people", "unmask", "people_by_number", "duplicates", "merge",
    "results", "status", "own", "objections",
    "recalls", "conflicts", "waiting", "decide_results",
    "tubes", "anomalies", "device_gaps", "stalled",
    "funnel", "missing", "balance", "alarms",
    "decide_rounds", "decide_policies", "decide_places", "decide_recalls", "device_board", "site_photos",
    "tasks", "contacts", "addressees", "decide_addressees",
    "labs", "decide_labs", "boxes", "reception", "discrepancies", "samples", "plates", "release",
    "stages",
    "reports", "decide_reports", "issue_labels",
    "inbox", "decide_inbox",
    "imports", "stances", "assignments",
    "staff", "call_ups", "decide_call_ups",
    "accounts", "devices", "sessions",
    "readings", "erase", "metrics", "health",
]  # fmt: skip


@dataclass(frozen=True)
class Role:
    """What one role may send (`events`) and ask or decide (`rights`), where it can be held (`places`),
    what of people it `sees` there, and how carefully its holder must prove who they are."""

    name: str
    zh: str
    why: str
    places: frozenset[str]
    events: frozenset[str] = frozenset()
    rights: frozenset[str] = frozenset()
    sees: Sees = "figures"
    second_factor: bool = False
    most_days: int | None = None


_TUBE = "TubeOpened SpecimenTaken TubeSealed SpecimenVoided SpecimenRestored SpecimenMoved"
_STANCE = "RefusalRecorded ExemptionGranted StanceWithdrawn"
_VISIT = "VisitMade VisitWithdrawn"
_HOME = "HomeSamplingAsked HomeSamplingClosed"
_PEOPLE = "ResidentListed ResidentMoved ResidentStateChanged"
_LANES = "SiteOpened SiteClosed LaneOpened LaneClosed QueueCounted SupplyLow SiteChecked"
_RESULTS = "ResultAmended ResultBound ResultRejected"
_ROSTER = "AreaListed UnitListed DenominatorDeclared SiteListed"
_STAFF = "StaffListed TrainingPassed"  # by units' lists
_TASKS = "TaskAcknowledged TaskDone"  # each only of what is meant for them
_BOXES = "BoxPacked BoxHandedOver TemperatureRead"
_RECEPTION = "BoxReceived TubesReceived ScanUndone ReceptionEnded"
_CASES = "DiscrepancyAssigned DiscrepancyResolved"
_LISTS = "areas units sites policies rounds labs"
_FIGURES = "funnel balance alarms reports"
_FIELD = f"events receipts {_LISTS}"


def _role(
    name: str, zh: str, why: str, places: str, *, events: str = "", rights: str = "",
    sees: Sees = "figures", second_factor: bool = False, most_days: int | None = None,
) -> Role:  # fmt: skip
    return Role(
        name, zh, why, frozenset(places.split()), frozenset(events.split()),
        frozenset(rights.split()), sees, second_factor, most_days,
    )  # fmt: skip


ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        _role(
            "command_post", "指挥部", "opens and closes rounds, sets policies, decides conflicts",
            "everywhere area",
            events=f"{_PEOPLE} {_STANCE} {_VISIT} {_HOME} {_ROSTER} {_STAFF} {_LANES} {_TASKS} {_BOXES}"
            f" {_CASES} MemberReached BuildingCalled BoxRouted",
            rights=f"{_FIELD} slice {_FIGURES} people unmask people_by_number duplicates merge results"
            " status objections recalls conflicts waiting tubes anomalies device_gaps stalled"
            " missing decide_rounds decide_policies inbox decide_inbox tasks contacts addressees"
            " decide_addressees decide_labs boxes discrepancies samples stages imports stances"
            " decide_reports issue_labels"
            " assignments decide_places decide_recalls device_board site_photos health staff call_ups"
            " decide_call_ups",
            sees="names", second_factor=True,
        ),
        _role(
            "area_lead", "区域负责人", "leads a district, street or community", "area",
            events=f"{_PEOPLE} {_STANCE} {_VISIT} {_HOME} UnitListed SiteListed DenominatorDeclared {_STAFF}"
            f" {_LANES} {_TASKS} {_BOXES} MemberReached BuildingCalled BoxRouted",
            rights=f"{_FIELD} slice {_FIGURES} people unmask people_by_number duplicates merge results"
            " status objections recalls tubes anomalies missing tasks contacts boxes discrepancies"
            " decide_reports issue_labels"
            " stages imports stances assignments decide_places decide_recalls device_board site_photos health"
            " staff call_ups decide_call_ups",
            sees="names", second_factor=True,
        ),
        _role(
            "grid_worker", "网格员", "knocks on the doors of a grid", "area",
            events=f"{_PEOPLE} {_STANCE} {_VISIT} {_HOME} {_TUBE} {_TASKS} {_BOXES} MemberReached"
            " BuildingCalled QueueCounted SupplyLow",
            rights=f"{_FIELD} slice {_FIGURES} people unmask results status recalls missing tubes tasks"
            " boxes stances decide_recalls",
            sees="names",
        ),
        _role(
            "sampler", "采样登记员", "registers and swabs at a site, packs its boxes", "site area",
            events=f"ResidentListed RefusalRecorded StanceWithdrawn {_VISIT} {_HOME} {_TUBE} {_LANES}"
            f" {_TASKS} {_BOXES}",
            rights=f"{_FIELD} slice people missing tubes tasks boxes", sees="names",
        ),
        _role(
            "squad", "应急采样队", "goes to the members of positive tubes and swabs them again", "area",
            events=f"ResidentListed {_STANCE} {_VISIT} {_HOME} {_TUBE} {_LANES} {_TASKS} {_BOXES}"
            " MemberReached",
            rights=f"{_FIELD} slice people unmask missing tubes recalls tasks contacts boxes"
            " decide_recalls", sees="names",
        ),
        _role("courier", "转运员", "carries boxes to the laboratory", "everywhere area site lab",
              events=f"{_TASKS} {_BOXES}", rights=f"{_FIELD} slice tasks boxes"),
        _role("lab_receiver", "实验室接收员", "takes in boxes; sees codes, never names", "lab",
              events=f"{_TASKS} {_BOXES} {_RECEPTION} {_CASES}",
              rights="events receipts slice labs tubes waiting tasks boxes reception discrepancies samples",
              sees="codes"),
        _role("lab_operator", "检验员", "runs plates; sees codes, never names", "lab",
              events=f"{_TASKS} {_CASES}",
              rights="events receipts labs tubes waiting conflicts tasks boxes discrepancies samples"
              " plates stages", sees="codes"),
        _role(
            "lab_releaser", "结果签发人", "releases and corrects results of one laboratory", "lab",
            events=_TASKS,
            rights="events receipts labs tubes waiting conflicts decide_results tasks discrepancies"
            " samples release stages", sees="codes",
            second_factor=True,
        ),
        _role(
            "tracer", "流调员", "asks who met whom", "everywhere area",
            events=_TASKS,
            rights=f"{_FIELD} people unmask people_by_number results status recalls tubes tasks"
            " contacts",
            sees="names", second_factor=True,
        ),
        _role("gate_guard", "卡口值守员", "looks at passes; sees no list of people",
              "everywhere area", rights=f"{_FIELD}"),
        _role("inspector", "督导员", "checks the work, not the people", "everywhere area",
              rights=f"{_LISTS} {_FIGURES} anomalies device_gaps stages device_board site_photos"),
        _role("guest_expert", "来访专家", "reads figures for a few days", "everywhere area",
              rights=f"{_LISTS} {_FIGURES} anomalies", most_days=30),
        _role(
            "administrator", "系统管理员", "makes accounts and devices; sees no personal data",
            "everywhere", rights="areas sites accounts devices sessions stalled device_gaps metrics"
            " alarms inbox erase device_board health", sees="system", second_factor=True,
        ),
        _role(
            "auditor", "审计员", "sees who looked at whom, and that nothing was altered",
            "everywhere", rights="readings rounds areas balance metrics alarms device_gaps inbox"
            " stalled erase health", sees="system", second_factor=True,
        ),
        _role("resident", "居民", "asks about themselves, objects, has errors corrected", "person",
              rights="own tasks", sees="own"),
        _role(
            "gateway", "对接系统",
            "another system, such as a neighbouring city's: answers itself for the people it names",
            "everywhere area site lab",
            events=f"{_PEOPLE} {_STANCE} {_ROSTER} {_LANES} {_TUBE} ResultReleased {_RESULTS}"
            f" {_BOXES} BoxRouted {_RECEPTION}",
            rights=f"{_FIELD} metrics plates",
        ),
    )
}  # fmt: skip

# Together they would let one person make accounts and see people, or look and hide the looking.
APART = (
    frozenset({"administrator"}),
    frozenset({"auditor"}),
)


def conflicting(roles: Iterable[str]) -> bool:
    """Whether one account may not hold all of these roles at once."""
    held = set(roles)
    return any(alone <= held and held - alone for alone in APART)


def allowed(roles: Iterable[str], right: str) -> bool:
    """Whether one of the roles gives the right."""
    return any(right in ROLES[role].rights for role in roles)


assert set(ROLES) == set(get_args(RoleName))
