"""EVERY EVENT × ROLE × IN AND OUT OF SCOPE: what a role may not send, or not there, is held for its
reason, and what it may is stored. A type of event that is not below fails.
"""

from muster.access.engine.roles import ROLES
from muster.cli.listening import serving
from muster.config import Rates
from muster.instance import Instance
from muster.ledger.event import Body
from tests.conftest import Play
from tests.laboratory import ASSAY_TEXT, TEMPLATE_TEXT
from tests.scene_rights import SIDES, Caller, callers, sent, settled

# One event of each type a role may send, in a street {x}, and what kind of place it speaks of.
HASH = "00" * 32
SENT: dict[str, str] = {
    "AreaListed": "area N{x}{who} parent=S{x}",
    "UnitListed": "area N{x}{who} area=H{x} code=N{x}{who} name=N kind=shop",
    "DenominatorDeclared": "area S{x} people=9 source=census on=2022-08-01",
    "SiteListed": "area O{x}{who} area=H{x}",
    "SiteOpened": "site X{x}",
    "LaneOpened": "site X{x} lane=1",
    "LaneClosed": "site X{x} lane=1",
    "SiteClosed": "site X{x}",
    "QueueCounted": "site X{x} waiting=9",
    "SupplyLow": "site X{x} item=tubes",
    "SiteChecked": 'site X{x} items=[{{"item":"power","ok":true}}]',
    "ResidentListed": "person q{x}{who} building=H{x}",
    "ResidentMoved": "person p{x}1 building=H{x} room=9",
    "ResidentStateChanged": "person p{x}1 state=away",
    "RefusalRecorded": "person p{x}5 round=R{x}",
    "ExemptionGranted": "person p{x}5 reason=illness",
    "StanceWithdrawn": "person p{x}5",
    "VisitMade": "person p{x}5 outcome=not_home round=R{x} again_at=18:00",
    "VisitWithdrawn": "person p{x}5",
    "BuildingCalled": "area H{x} round=R{x} to_site=X{x}",
    "HomeSamplingAsked": "person p{x}5 reason=bedridden",
    "HomeSamplingClosed": "person p{x}5 outcome=sampled",
    "StaffListed": "area N{x}{who} unit=U{x}",
    "TrainingPassed": "area st{x} role=caller on=2022-08-01",
    "TubeOpened": "site V{x}{who} site=X{x}",
    "TubeSealed": "site W{x}{who} site=X{x} members=p{x}1",
    "SpecimenTaken": "site T{x}2 person=p{x}2",
    "SpecimenMoved": "site T{x}2 person=p{x}3 to=T{x}3 position=2 reason=other",
    "SpecimenVoided": "site T{x}2 person=p{x}2",
    "SpecimenRestored": "site T{x}2 person=p{x}2",
    "ResultReleased": "lab Q{x}{who} barcode=TUBE-{x}1 outcome=negative lab=LAB-{x}",
    "ResultAmended": "lab r{x}1 barcode=TUBE-{x}1 outcome=negative",
    "ResultBound": "lab r{x}1 barcode=TUBE-{x}1 tube=T{x}1",
    "ResultRejected": "lab r{x}5 barcode=LOST-{x}",
    "MemberReached": "area T{x}1 person=p{x}1 recall=N how=phone",
    "TaskAcknowledged": "lab K{x}",
    "TaskDone": "lab K{x} outcome=duplicate",
    "BoxPacked": "site N{x}{who} code=N site=X{x}",
    "BoxRouted": "box BX{x} bound_for=LAB-{x}",
    "BoxHandedOver": 'lab N{x}{who} side=takes giver={{"vehicle":"V"}} taker={{"lab":"LAB-{x}"}}',
    "TemperatureRead": "box BX{x} temperature_decidegrees=40",
    "BoxReceived": "lab N{x}{who} code=N lab=LAB-{x}",
    "TubesReceived": "lab C{x} lab=LAB-{x} scans=Z{x}",
    "ScanUndone": "lab C{x} lab=LAB-{x} barcode=Z{x}",
    "ReceptionEnded": "lab C{x} lab=LAB-{x}",
    "DiscrepancyAssigned": "lab N lab=LAB-{x} owner=o",
    "DiscrepancyResolved": "lab N lab=LAB-{x} how=other",
}


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


GROUPS = (
    '[{"group":"00000000-0000-7000-8000-000000000001","code":"G","name":"N","name_en":"N",'
    '"area":"00000000-0000-7000-8000-000000000002","role":"area_lead"}]'
)
# Of each type that no role may send, such as decisions and what follows by rule.
NEVER_SENT: dict[str, str] = {
    "StaffDelisted": "st{x} unit=U{x}", "StaffAway": "st{x} starts_at=08:00 ends_at=09:00",
    "StaffBack": "st{x}", "HardshipFlagged": "st{x}", "DemandRaised": "N area=S{x} count=1",
    "CallUpOpened": "N demands=dm{x}", "CallUpClosed": "cu{x} why=stopped",
    "StaffCalledUp": "N call_up=cu{x} demand=dm{x} staff=st{x}", "CallAnswered": "su{x} answer=declined",
    "SummonsWithdrawn": "su{x}", "StaffPosted": "N staff=st{x} demand=dm{x}",
    "PostingWithdrawn": "po{x} why=mistake", "ArrivedAtPost": "po{x}", "Relieved": "po{x}",
    "SkillProven": "st{x} skill=driving", "HandedOver": "pr{x} to=pa{x}", "WorkGiven": "pr{x} what=w",
    "BreakBegun": "pr{x}", "BreakEnded": "pr{x}", "ReliefRequested": "pr{x}", "ReliefNoLongerWanted": "pr{x}",
    "LimitPassed": "pr{x}", "IncidentRecorded": "N staff=st{x}", "ClearedForDuty": "in{x} starts_at=08:00",
    "PlaceLed": "S{x} staff=st{x}", "OwnerNamed": "S{x} staff=st{x}", "HeatRead": "S{x} decidegrees=300",
    "TeamFormed": "N area=S{x}", "TeamJoined": "st{x} team=tm{x}", "TeamLeft": "st{x} team=tm{x}",
    "AidAgreed": "N host=S{x}", "WaveSent": "N aid=ai{x}", "WaveArrived": "wv{x} count=1", "AidReleased": "ai{x}",
    "DutyCarried": "st{x} days=3", "LodgingGiven": "st{x} at_home=true",
    "PostureTemplateKept": 'N code=P name=N name_en=N groups=[{{"code":"G","name":"N","name_en":"N"}}]',
    "CommandRaised": "N template=N edition=N area=S{x} groups="
    + _braces(GROUPS),
    "GroupLed": "N command=N", "CommandStoodDown": "N",
    "RoundOpened": "N areas=S{x}", "RoundClosed": "R{x} balance=[]",
    "SitePlaced": "X{x} lon_micro=0 lat_micro=0 source=s",
    "AreaPlaced": "S{x} lon_micro=0 lat_micro=0 source=s",
    "LabelsIssued": "N kind=tube format=N first=A last=B count=2 site=X{x}",
    "LabelsTakenBack": "N reason=mistake",
    "ReportFrozen": f"N kind=daily area=S{{x}} cut_off=06:00 body.seq=1 head={HASH} content={HASH}"
    f" template={HASH} findings=0 round=R{{x}} zone=UTC",
    "ReportSigned": f"N account=N content={HASH}",
    "ImportStarted": "N kind=areas file=f",
    "ImportEnded": "N outcome=done rows=1 stored=1 unchanged=0 joined=0 rejected=0",
    "FiguresReported": "N as_of=06:00 source=s parts=[]",
    "PolicyAdopted": "N name=tube_size since=06:00 value=5",
    "ResidentsMerged": "p{x}1 into=p{x}2", "ResidentsUnmerged": "p{x}1 into=p{x}2",
    "ObjectionRaised": "p{x}1 about=other", "ObjectionAnswered": "p{x}1 answer=rejected",
    "RecallOrdered": "T{x}1 person=p{x}1 outcome=positive",
    "RecallWithdrawn": "T{x}1 person=p{x}1 recall=N",
    "RecallClosed": "T{x}1 person=p{x}1 recall=N retest=T{x}2 outcome=released",
    "RecallReopened": "T{x}1 person=p{x}1 recall=N closing=N",
    "RecallFellDue": "T{x}1 person=p{x}1 recall=N",
    "AddresseeListed": "N code=N name=N kinds=[\"positive_tube\"] role=tracer reach=lab minutes=1"
    " since=06:00",
    "TaskIssued": "N kind=other due_at=06:00", "TaskWithdrawn": "K{x}", "TaskFellDue": "K{x}",
    "BarcodeFormatAdopted": "N supplier=S kind=tube pattern=## since=06:00",
    "LabListed": "N", "DiscrepancyOpened": "N reception=N lab=L kind=missing owner=o",
    "DiscrepancyWithdrawn": "N", "PlateLoaded": 'N wells=[{{"well":"A01","barcode":"B"}}]',
    "PlateDiscarded": "N", "RepoolingRefused": 'N lab=L well=A01 barcodes=["A","B"] found_in=loading',
    "RunImported": "N plate=N", "RunCalled": "N plate=N calls=[]",
    "AssayAdopted": f"N since=06:00 assay={_braces(ASSAY_TEXT)}",
    "TemplateAdopted": f"N template={_braces(TEMPLATE_TEXT)}",
    "ResultProposed": "N barcode=B outcome=positive", "ProposalDeclined": "N barcode=B",
    "AccountOpened": "N login=n kind=staff starts_at=06:00", "AccountClosed": "N reason=left",
    "RoleGranted": "N role=command_post starts_at=06:00",
    "RoleEnded": "N granted=N ends_at=06:00 reason=left", "UndertakingSigned": "N edition=1",
    "DeviceEnrolled": "N code=N kind=phone", "DeviceBound": "N since=06:00 area=S{x}",
    "DeviceRevoked": "N reason=lost", "DeviceReinstated": "N", "HeldAccepted": "N",
    "HeldRefused": "N reason=other", "RedactionAuthorised": "N reason=retention",
}  # fmt: skip
# Which kinds of place a holding reaches in street A; a site's people meet whoever comes.
REACH = {
    "area": {"area", "site", "person", "box"}, "site": {"site", "person", "box"},
    "lab": {"lab", "box"}, "person": set(),
}  # fmt: skip


def verdict(caller: Caller, type_: str, side: str) -> str:
    if type_ not in caller.role.events:
        return "not-entitled"
    if caller.everywhere:
        return "stored"
    kind = SENT[type_].split()[0]
    here = side == "A" or (caller.place == "site" and kind == "person")
    return "stored" if here and kind in REACH[caller.place] else "outside-scope"


def test_every_event_role_and_scope(play: Play):
    """Each event of the catalogue, sent by each role, is stored, or held for its reason."""
    assert set(SENT) == set().union(*(role.events for role in ROLES.values()))
    assert set(SENT) | set(NEVER_SENT) == set(Body.types)

    async def story(muster: Instance) -> None:
        await settled(muster)
        wrong: list[str] = []
        async with serving(muster, rates=Rates(0, 0, 0)) as (_, address):
            for caller in await callers(muster, address):
                asked = [
                    (type_, side, verdict(caller, type_, side))
                    for type_ in (*SENT, *NEVER_SENT)
                    for side in (SIDES if type_ in caller.role.events else "A")
                ]
                table = "\n".join(line(caller, type_, side) for type_, side, _ in asked)
                answers = await sent(caller, table)
                wrong += [
                    f"{caller.login} {type_} in {side}: {answer}, not {wanted}"
                    for (type_, side, wanted), answer in zip(asked, answers, strict=True)
                    if answer != wanted
                ]
                await caller.http.aclose()
        assert wrong == [], "\n".join(wrong)

    play(story)


def line(caller: Caller, type_: str, side: str) -> str:
    """An event as one line of a table, with an id of its own."""
    said = SENT[type_].split(" ", 1)[1] if type_ in SENT else NEVER_SENT[type_]
    subject, _, rest = said.format(x=side, who=caller.login).partition(" ")
    return f"09:00 {type_} {subject} {rest} id={caller.login}-{type_}-{side}"
