"""Status is computed: what it is, because of what, under which rules, until when; and that nothing, no
column, no event, no route and no role, can set it.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, get_args, get_type_hints
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.access.engine.roles import ROLES
from muster.app import make_app
from muster.catalogue import CATALOGUE
from muster.guarding import routes
from muster.instance import Instance
from muster.lab.engine.status import EDITION, Fact, Name, Status, Terms, status
from muster.lab.queries import status_of
from muster.ledger.event import Body
from muster.sampling.events import RoundClosed
from tests.conftest import Play
from tests.laboratory import ASSAY_TEXT as ASSAY
from tests.laboratory import TEMPLATE_TEXT as TEMPLATE
from tests.senders import query, visit
from tests.table import TOWN, events, named

AT = datetime(2022, 8, 3, 12, tzinfo=timezone(timedelta(hours=8)))
TERMS = Terms(negative_hours=48, positive_days=14, pending_hours=72)
HOUR = timedelta(hours=1)


def fact(told: str, hours_ago: float, *, resulted: float | None = None) -> Fact:
    at = AT - hours_ago * HOUR
    return Fact(uuid4(), at, told, None if resulted is None else AT - resulted * HOUR)


SAID: list[tuple[list[Fact], str, float | None]] = [  # facts, the status, and hours until it ends
    ([], "untested", None),
    ([fact("negative", 10, resulted=4)], "negative", 38),
    ([fact("negative", 50, resulted=44)], "untested", None),
    ([fact("pending", 3)], "pending", 69),
    ([fact("pending", 80)], "untested", None),
    ([fact("pending", 3), fact("negative", 20)], "pending", 69),  # the newest that says something
    ([fact("pending", 80), fact("negative", 20)], "negative", 28),
    ([fact("sample_again", 5), fact("negative", 20)], "sample_again", 67),
    ([fact("recalled", 100), fact("negative", 2)], "recalled", None),  # the gravest
    ([fact("positive", 1)], "recalled", None),  # its recall is about to be ordered
    ([fact("indeterminate", 1)], "recalled", None),
    ([fact("confirmed", 30, resulted=24), fact("negative", 2)], "positive", 14 * 24 - 24),
    ([fact("confirmed", 400, resulted=14 * 24), fact("negative", 2)], "negative", 46),
    ([fact("confirmed", 400, resulted=14 * 24)], "untested", None),
]


@pytest.mark.parametrize(("facts", "name", "hours"), SAID)
def test_what_it_is_and_until_when(facts: list[Fact], name: Name, hours: float | None) -> None:
    found = status(facts, TERMS, AT)
    assert (found.status, found.edition) == (name, EDITION)
    assert found.until == (None if hours is None else AT + hours * HOUR)
    assert set(found.because) <= set(facts)


facts_ = st.lists(
    st.builds(
        Fact,
        tube=st.uuids(),
        sampled_at=st.integers(-200, 24).map(lambda hours: AT + hours * HOUR),
        told=st.sampled_from(
            ["pending", "negative", "recalled", "confirmed", "sample_again", "positive"]
        ),
    ),
    max_size=6,
)


@given(facts_)
def test_laws(facts: list[Fact]) -> None:
    """In any order the same; nothing of the future counts; every answer but "untested" names its
    facts; and what it says until then is said until then."""
    found = status(facts, TERMS, AT)
    assert status(list(reversed(facts)), TERMS, AT) == found
    past = [one for one in facts if one.sampled_at <= AT]
    assert status(past, TERMS, AT) == found
    assert found.status == "untested" or found.because
    if found.until:
        just_before = found.until - timedelta(microseconds=1)
        assert status(past, TERMS, just_before).status == found.status
        assert status(past, TERMS, found.until) != replace(found, at=found.until)


STORY = """
    08:20  TubeSealed      T1  members=p1,p2 round=R1
    08:30  TubeSealed      T2  members=p3 round=R1
    12:00  ResultReleased  r1  barcode=T1 outcome=positive
    12:00  ResultReleased  r2  barcode=T2 outcome=negative
    13:00  TubeSealed      T3  members=p1 purpose=recall retest_of=T1
    15:00  ResultReleased  r3  barcode=T3 outcome=positive
"""


def test_from_recorded_facts_with_their_evidence(play: Play) -> None:
    async def story(muster: Instance, http: httpx.AsyncClient) -> None:
        told = events(TOWN + STORY.strip("\n"))
        await muster.door.append(told)
        at = datetime.fromisoformat("2022-08-01T18:00:00+08:00")
        found: dict[str, Status] = {}
        async with muster.pool.connection() as conn:
            for name in ("p1", "p2", "p3", "p4"):
                found[name] = await status_of(conn, named(name), at)
        assert {name: one.status for name, one in found.items()} == {
            "p1": "positive", "p2": "recalled", "p3": "negative", "p4": "untested",
        }  # fmt: skip
        stored = set(await query(muster, "SELECT id FROM ledger.event"))
        for one in found.values():
            assert {id_ for fact in one.because for id_ in fact.evidence} <= stored
            assert {name for name, *_ in one.terms.editions} == {
                "positive_days", "result_valid_hours", "result_window_hours",
            }  # fmt: skip
        by_type = dict(await query(muster, "SELECT id, type FROM ledger.event"))
        assert {by_type[id_] for id_ in found["p1"].because[0].evidence} == {
            "TubeSealed", "ResultReleased", "RecallOrdered", "RecallClosed",
        }  # fmt: skip
        sealed = datetime.fromisoformat("2022-08-01T08:30:00+08:00")
        assert found["p3"].until == sealed + 48 * HOUR
        answer = (await http.get(f"/v1/people/{named('p4')}/status")).json()
        assert answer["status"] == "untested"
        assert answer["edition"] == EDITION

        # Another edition of the policy, and the same facts say something else.
        await muster.door.append(
            events("16:00  PolicyAdopted  V1  name=result_valid_hours value=5 since=16:00")
        )
        async with muster.pool.connection() as conn:
            later = await status_of(conn, named("p3"), at)
        assert later.status == "untested"
        assert ("result_valid_hours", 5, named("V1")) in later.terms.editions

    visit(play, story)


# What a status may follow from: facts about swabs and results, who is whom, and dated policies.
EVIDENCE = {
    "TubeOpened", "SpecimenTaken", "TubeSealed", "SpecimenVoided", "SpecimenRestored",
    "SpecimenMoved", "ResultReleased", "ResultAmended", "ResultBound", "ResultRejected",
    "RecallOrdered", "RecallWithdrawn", "RecallClosed", "RecallReopened", "RecallFellDue",
    "ResidentsMerged", "ResidentsUnmerged", "PolicyAdopted",
    # behind a result: that the tube was received, loaded, measured and called
    "LabListed", "BoxPacked", "BoxRouted", "BoxReceived", "TubesReceived", "ScanUndone",
    "PlateLoaded", "PlateDiscarded", "RunImported", "RunCalled",
}  # fmt: skip
RULES_ONLY = {name for name in EVIDENCE if name.startswith("Recall")}


def _read_by(table: str) -> set[str]:
    """The event types that a read table, and the tables it reads, are made of."""
    by_name = {projection.name: projection for projection in CATALOGUE.projections}
    reached, waiting = set[str](), {table}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= set(re.findall(r"\b\w+\.\w+\b", by_name[name].select)) & set(by_name) - reached
    selects = " ".join(by_name[name].select for name in reached)
    return {type_ for type_ in Body.types if f"'{type_}'" in selects}


def test_no_event_sets_it() -> None:
    """What it is read from is made of evidence only; no event of any kind has a field that says it."""
    tables = ("sampling.specimen", "lab.outcome", "lab.recall", "registry.alias", "registry.policy")
    assert set().union(*(_read_by(table) for table in tables)) <= EVIDENCE
    words = set(get_args(Name)) - {"positive", "negative"}  # what a laboratory says of a tube
    for name, body in Body.types.items():
        for field, type_ in get_type_hints(body, include_extras=True).items():
            assert not re.search(r"status|colou?r|health|code_", field), (name, field)
            assert not words & set(_literals(type_)), (name, field)


def _literals(type_: Any) -> set[Any]:
    inner = get_args(type_)
    return {one for one in inner if isinstance(one, str)} | {
        word for one in inner for word in _literals(one)
    }


def test_no_role_can_decide_what_only_rules_do() -> None:
    for role in ROLES.values():
        assert not role.events & RULES_ONLY, role.name
        assert not {right for right in role.rights if "status" in right} - {"status"}
    emitted = {rule.emits for rule in CATALOGUE.rules}
    assert emitted >= RULES_ONLY


def test_no_column_holds_it_and_no_route_takes_it(play: Play) -> None:
    async def story(muster: Instance) -> None:
        columns = await query(
            muster,
            "SELECT table_schema || '.' || table_name || '.' || column_name"
            " FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog',"
            " 'information_schema') AND column_name ~ 'status|colou?r|health_code'",
        )
        assert columns == []
        app = make_app(muster)
        writing = [path for method, path, _ in routes(app) if method != "GET"]
        assert not [path for path in writing if "status" in path]
        assert [path for method, path, _ in routes(app) if "status" in path and method == "GET"]
        schemas = msgspec.to_builtins(app.openapi_schema.to_schema())["components"]["schemas"]
        for name, schema in schemas.items():
            if name in ("Status", "ProblemDetails"):  # answers, never bodies
                continue
            assert not {"status", "colour", "color"} & set(schema.get("properties", {})), name

    play(story)


def test_nobody_changes_it_by_any_other_event(play: Play) -> None:
    """Every event type that is no evidence, about the person by every key: the status stays."""

    async def story(muster: Instance) -> None:
        await muster.door.append(events(TOWN + STORY.strip("\n")))
        at = datetime.fromisoformat("2022-08-01T18:00:00+08:00")

        async def now_() -> list[Status]:
            async with muster.pool.connection() as conn:
                return [await status_of(conn, named(name), at) for name in ("p1", "p3", "p4")]

        before = await now_()
        told = events(
            OTHERS.replace("{ASSAY}", ASSAY)
            .replace("{TEMPLATE}", TEMPLATE)
            .replace("{GROUPS}", GROUPS)
            .replace("{HASHES}", f"head={HASH} content={HASH} template={HASH}")
            .replace("{HASH}", HASH)
        )
        closed = RoundClosed(balance=[])
        told.append(
            replace(told[0], id=uuid4(), type="RoundClosed", subject=named("R1"), body=closed)
        )
        assert {one.type for one in told} == set(Body.types) - EVIDENCE - _ABOUT_OTHERS
        await muster.door.append(told)
        assert await now_() == before

    play(story)


# Accounts, devices and held items are about nobody who is tested.
_ABOUT_OTHERS = {
    type_.__name__ for type_ in Body.types.values()
    if type_.__module__ in ("muster.access.events", "muster.ledger.event")
}  # fmt: skip
HASH = "00" * 32
GROUPS = f'[{{"group":"{named("g")}","code":"G","name":"N","name_en":"N","area":"{named("S1")}","role":"area_lead"}}]'
OTHERS = """
    15:30  AreaListed           H9  parent=G1
    15:30  UnitListed           U1  area=H1 code=U1 name=U1 kind=school
    15:30  DenominatorDeclared  G1  people=5 source=survey on=2022-08-01
    15:30  ResidentListed       p1  building=H2
    15:30  ResidentMoved        p3  building=H2
    15:30  ResidentStateChanged p3  state=cannot_be_tested
    15:30  ObjectionRaised      p1  about=status
    15:30  ObjectionAnswered    p1  answer=upheld
    15:30  RoundOpened          R9  areas=S1
    15:30  SiteListed           X1  area=G1
    15:30  SiteOpened           X1
    15:30  SiteClosed           X1
    15:30  LaneOpened           X1  lane=1
    15:30  LaneClosed           X1  lane=1
    15:30  RefusalRecorded      p3  round=R1
    15:30  ExemptionGranted     p3  reason=illness
    15:30  VisitMade            p3  outcome=not_home
    15:30  StaffListed          p3  unit=U1
    15:30  StaffDelisted        p3  unit=U1
    15:30  TrainingPassed       p3  role=sampler on=2022-08-01
    15:30  StaffAway            p3  starts_at=16:00 ends_at=17:00
    15:30  StaffBack            p3
    15:30  HardshipFlagged      p3
    15:30  DemandRaised         p3  area=G1 count=1
    15:30  CallUpOpened         p3  demands=p3
    15:30  CallUpClosed         p3  why=stopped
    15:30  StaffCalledUp        p3  call_up=p3 demand=p3 staff=p3
    15:30  CallAnswered         p3  answer=declined
    15:30  SummonsWithdrawn     p3
    15:30  StaffPosted          p3  staff=p3 demand=p3
    15:30  PostingWithdrawn     p3  why=mistake
    15:30  ArrivedAtPost        p3
    15:30  Relieved             p3
    15:30  SkillProven          p3  skill=driving
    15:30  HandedOver           p3  to=p1
    15:30  WorkGiven            p3  what=doors
    15:30  BreakBegun           p3
    15:30  BreakEnded           p3
    15:30  ReliefRequested      p3
    15:30  ReliefNoLongerWanted p3
    15:30  LimitPassed          p3
    15:30  IncidentRecorded     p3  staff=p3
    15:30  ClearedForDuty       p3  starts_at=16:00
    15:30  PlaceLed             p3  staff=p3
    15:30  OwnerNamed           p3  staff=p3
    15:30  HeatRead             p3  decidegrees=360
    15:30  TeamFormed           p3  area=S1
    15:30  TeamJoined           p3  team=p3
    15:30  TeamLeft             p3  team=p3
    15:30  AidAgreed            p3  host=S1
    15:30  WaveSent             p3  aid=p3
    15:30  WaveArrived          p3  count=10
    15:30  AidReleased          p3
    15:30  DutyCarried          p3  days=3
    15:30  LodgingGiven         p3  at_home=true
    15:30  PostureTemplateKept  p3  code=P name=N name_en=N groups=[{"code":"G","name":"N","name_en":"N"}]
    15:30  CommandRaised        p3  template=p3 edition=p3 area=p3 groups={GROUPS}
    15:30  GroupLed             p3  command=p3
    15:30  CommandStoodDown     p3
    15:30  VisitWithdrawn       p3
    15:30  BuildingCalled       H1  round=R1
    15:30  HomeSamplingAsked    p3  reason=bedridden
    15:30  HomeSamplingClosed   p3  outcome=sampled
    15:30  StanceWithdrawn      p3
    15:30  MemberReached        T1  person=p1 recall=N how=phone
    15:30  AddresseeListed      A1  code=a name=A kinds=["positive_tube"] role=squad reach=lab minutes=9 since=15:00
    15:30  TaskIssued           K1  kind=other due_at=16:00 tube=T1
    15:30  TaskAcknowledged     K1
    15:30  TaskDone             K1
    15:30  TaskWithdrawn        K1
    15:30  TaskFellDue          K1
    15:30  BarcodeFormatAdopted F1  supplier=S kind=tube pattern=## since=15:00
    15:30  BoxHandedOver        X1  side=gives giver={"vehicle":"V"} taker={"lab":"L1"}
    15:30  TemperatureRead      X1  temperature_decidegrees=40
    15:30  ReceptionEnded       C1
    15:30  DiscrepancyOpened    C2  reception=C1 lab=L1 kind=missing owner=o barcode=T1
    15:30  DiscrepancyAssigned  C2  lab=L1 owner=o
    15:30  DiscrepancyResolved  C2  lab=L1 how=discarded
    15:30  DiscrepancyWithdrawn C2
    15:30  RepoolingRefused     N1  lab=L1 well=A01 barcodes=["T1","T2"] found_in=loading
    15:30  AssayAdopted         N2  since=15:00 assay={ASSAY}
    15:30  TemplateAdopted      N3  template={TEMPLATE}
    15:30  SitePlaced           X1  lon_micro=0 lat_micro=0 source=s
    15:30  AreaPlaced           G1  lon_micro=0 lat_micro=0 source=s
    15:30  QueueCounted         X1  waiting=9
    15:30  SupplyLow            X1  item=tubes
    15:30  SiteChecked          X1  items=[{"item":"power","ok":true}]
    15:30  FiguresReported      N5  as_of=06:00 source=s parts=[]
    15:30  LabelsIssued         N6  kind=tube format=F1 first=A last=B count=2 site=X1
    15:30  LabelsTakenBack      N6  reason=mistake
    15:30  ReportFrozen         N7  kind=daily area=S1 round=R1 zone=UTC body.seq=1 cut_off=06:00 {HASHES} findings=0
    15:30  ReportSigned         N7  account=N content={HASH}
    15:30  ImportStarted        N8  kind=residents file=f
    15:30  ImportEnded          N8  outcome=done rows=1 stored=1 unchanged=0 joined=0 rejected=0
    15:30  ResultProposed       N4  barcode=T1 outcome=positive
    15:30  ProposalDeclined     N4  barcode=T1
"""


def test_the_person_is_the_one_asked_for(play: Play) -> None:
    async def story(muster: Instance) -> None:
        await muster.door.append(
            events(TOWN + STORY.strip("\n") + "\n    16:00  ResidentsMerged  p4  into=p3")
        )
        at = datetime.fromisoformat("2022-08-01T18:00:00+08:00")
        async with muster.pool.connection() as conn:
            merged = await status_of(conn, named("p4"), at)
            nobody = await status_of(conn, UUID(int=1), at)
        assert (merged.status, nobody.status) == ("negative", "untested")

    play(story)
