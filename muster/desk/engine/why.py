"""Why is there no result for this person? The chain from the list to the released result, link by link,
and the first link that does not hold: what shows it, and whose turn it is. Values in, values out.

The places where a result is lost are those of facts.md §3.3 (registration and scanning, transport,
laboratory entry): not on the list, another number, somebody else's code shown, not swabbed, a phone that
has not sent, a tube left behind, a box on its way, a tube not in its box, not on a plate, a failed plate,
an indeterminate or invalid run, nobody's signature, results that contradict each other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Stage = Literal[
    "registered", "sampled", "sealed", "packed", "handed_over", "received", "on_plate", "run",
    "released",
]  # fmt: skip
STAGES: tuple[Stage, ...] = Stage.__args__
Reason = Literal[
    "not_registered", "other_id", "someone_elses_code", "taken_out", "exempt", "refused", "away",
    "other_round", "device_unsent", "not_sampled", "tube_open", "tube_at_site", "in_box",
    "on_the_way", "not_in_its_box", "unfit", "not_on_plate", "plate_not_run", "plate_blocked",
    "second_run", "waits_for_signature", "result_conflict", "result_unproven", "invalid",
    "recalled", "left_the_laboratory",
]  # fmt: skip
Who = Literal[
    "grid_worker", "sampler", "courier", "lab_receiver", "lab_operator", "lab_releaser", "squad",
    "command_post", "area_lead",
]  # fmt: skip

# Whose turn it is when the chain ends there.
TURN: dict[Reason, Who] = {
    "not_registered": "grid_worker", "other_id": "area_lead", "someone_elses_code": "area_lead",
    "taken_out": "sampler", "exempt": "grid_worker", "refused": "grid_worker",
    "away": "grid_worker", "other_round": "grid_worker", "device_unsent": "sampler",
    "not_sampled": "grid_worker", "tube_open": "sampler", "tube_at_site": "sampler",
    "in_box": "courier", "on_the_way": "courier", "not_in_its_box": "lab_receiver",
    "unfit": "lab_releaser", "not_on_plate": "lab_operator", "plate_not_run": "lab_operator",
    "plate_blocked": "lab_operator", "second_run": "lab_operator",
    "waits_for_signature": "lab_releaser", "result_conflict": "command_post",
    "result_unproven": "lab_releaser", "invalid": "squad", "recalled": "squad",
    "left_the_laboratory": "lab_receiver",
}  # fmt: skip


class Swab(msgspec.Struct, frozen=True, kw_only=True):
    """A swab of the person and all that is known of its tube. `told`: as results_of says; `next`: what
    the laboratory has to do with it."""

    tube: UUID
    barcode: str
    at: datetime
    round: UUID | None = None
    purpose: str = "round"
    site_code: str | None = None
    site_name: str | None = None
    device: str | None = None
    unsent: bool = False  # its device keeps something, or numbers of it are missing
    sealed_at: datetime | None = None
    box: UUID | None = None
    box_code: str | None = None
    packed_at: datetime | None = None
    with_: str | None = msgspec.field(name="with", default=None)
    handed_at: datetime | None = None
    box_received_at: datetime | None = None
    lab: str | None = None
    lab_name: str | None = None
    received_at: datetime | None = None
    condition: str | None = None
    plate: UUID | None = None
    plate_code: str | None = None
    loaded_at: datetime | None = None
    called_at: datetime | None = None
    blocked: str | None = None
    call: str | None = None
    next: str | None = None
    proposed_by: str | None = None
    outcome: str | None = None
    state: str | None = None
    resulted_at: datetime | None = None
    told: str = "pending"


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another id under which this person's swab may stand. `why`: same_document, same_phone, same_name
    (and birth date), twice (a housemate who is in two tubes of the round)."""

    person: UUID
    name: str | None
    why: Literal["same_document", "same_phone", "same_name", "twice"]
    tubes: list[str]


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known: the person, their swabs of the round asked about, and beside it."""

    listed_at: datetime | None = None
    state: str = "resident"
    stance: Literal["exempt", "refused"] | None = None
    swabs: Sequence[Swab] = ()
    elsewhere: Sequence[Swab] = ()  # of other rounds, or of none
    taken_out: Sequence[Swab] = ()  # tubes they were taken out of
    others: Sequence[Other] = ()
    silent: Sequence[str] = ()  # devices of the round's sites that still keep something


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain; `at`: since when it holds."""

    stage: Stage
    holds: Literal["yes", "no", "not_yet"]
    at: datetime | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The chain of the swab that came furthest, and the first link that does not hold. `reason` None:
    there is a result, and it is `told`. `since`: how long it has been so."""

    told: str | None = None
    reason: Reason | None = None
    turn: Who | None = None
    since: datetime | None = None
    links: list[Link]
    swab: Swab | None = None
    others: list[Other]
    silent: list[str]


def why(chain: Chain) -> Verdict:
    """The first link that does not hold, or what the person may be told."""
    swab = max(chain.swabs, key=_come, default=None)
    told = next((one for one in chain.swabs if one.told in ("negative", "confirmed")), None)
    if told is not None and (swab is None or swab.told != "recalled"):
        return _answer(chain, told, None, told.resulted_at)
    if swab is not None:
        reason, since = _of_swab(swab)
        return _answer(chain, swab, reason, since)
    reason = _without_swab(chain)
    shown = next(iter(chain.taken_out if reason == "taken_out" else chain.elsewhere), None)
    since = shown.at if shown and reason in ("taken_out", "other_round") else chain.listed_at
    return _answer(chain, shown if reason in ("taken_out", "other_round") else None, reason, since)


def _come(one: Swab) -> tuple[bool, int, datetime]:
    """How far a swab has come: a recall before all, the newest of equals."""
    return (one.told == "recalled", sum(at is not None for at in _times(one).values()), one.at)


def _times(one: Swab) -> dict[Stage, datetime | None]:
    return {
        "sampled": one.at, "sealed": one.sealed_at, "packed": one.packed_at,
        "handed_over": one.handed_at, "received": one.received_at, "on_plate": one.loaded_at,
        "run": one.called_at, "released": one.resulted_at,
    }  # fmt: skip


_BY_NEXT: dict[str, Reason] = {
    "load": "not_on_plate", "run": "plate_not_run", "unfit": "unfit",
    "propose": "waits_for_signature", "confirm": "waits_for_signature",
    "release": "waits_for_signature", "done": "left_the_laboratory",
}  # fmt: skip


def _of_swab(one: Swab) -> tuple[Reason | None, datetime | None]:
    """Why a swab has no result, and since when."""
    if one.told == "recalled":
        return "recalled", one.resulted_at
    if one.state == "conflict":
        return "result_conflict", one.resulted_at
    if one.state == "unproven":
        return "result_unproven", one.resulted_at
    if one.outcome == "invalid":
        return "invalid", one.resulted_at
    if one.outcome is not None:
        return None, one.resulted_at
    if one.sealed_at is None:
        return ("device_unsent" if one.unsent else "tube_open"), one.at
    if one.received_at is not None or one.loaded_at is not None:
        since = one.called_at or one.loaded_at or one.received_at
        if one.next == "repeat":
            return ("plate_blocked" if one.blocked else "second_run"), since
        return _BY_NEXT.get(one.next or "load", "not_on_plate"), since
    if one.box_received_at is not None:
        return "not_in_its_box", one.box_received_at
    if one.handed_at is not None:
        return "on_the_way", one.handed_at
    if one.packed_at is not None:
        return "in_box", one.packed_at
    return "tube_at_site", one.sealed_at


def _without_swab(chain: Chain) -> Reason:
    """Why nobody of this id was swabbed in the round: what is recorded weighs more than what is
    guessed."""
    if any(one.why != "twice" and one.tubes for one in chain.others):
        return "other_id"
    if chain.taken_out:
        return "taken_out"
    if chain.listed_at is None:
        return "not_registered"
    if any(one.why == "twice" for one in chain.others):
        return "someone_elses_code"
    if chain.stance:
        return chain.stance
    if chain.elsewhere:
        return "other_round"
    if chain.state in ("away", "moved_away"):
        return "away"
    return "device_unsent" if chain.silent else "not_sampled"


# The link that each reason breaks; where it is another one, the first that is not there.
_BREAKS: dict[Reason, Stage] = {
    "not_registered": "registered", "other_id": "sampled", "someone_elses_code": "sampled",
    "taken_out": "sampled", "exempt": "sampled", "refused": "sampled", "away": "sampled",
    "other_round": "sampled", "not_sampled": "sampled", "tube_open": "sealed",
    "tube_at_site": "packed", "in_box": "handed_over", "on_the_way": "received",
    "not_in_its_box": "received", "unfit": "on_plate", "not_on_plate": "on_plate",
    "plate_not_run": "run", "plate_blocked": "run", "second_run": "run", "invalid": "run",
    "waits_for_signature": "released", "result_conflict": "released",
    "result_unproven": "released", "recalled": "released", "left_the_laboratory": "on_plate",
}  # fmt: skip


def _answer(
    chain: Chain, swab: Swab | None, reason: Reason | None, since: datetime | None
) -> Verdict:
    broken = _BREAKS.get(reason) if reason else None
    if reason == "device_unsent":
        broken = "sealed" if swab else "sampled"
    times = _times(swab) if swab and reason not in ("taken_out", "other_round") else {}
    at = {"registered": chain.listed_at, **times}
    end = STAGES.index(broken) if broken else len(STAGES)
    links = [
        Link(
            stage=stage, at=at.get(stage) if n < end else None,
            holds="yes" if n < end else "no" if n == end else "not_yet",
        )
        for n, stage in enumerate(STAGES)
    ]  # fmt: skip
    return Verdict(
        told=swab.told if swab and reason is None else None, reason=reason,
        turn=TURN[reason] if reason else None, since=since, links=links, swab=swab,
        others=list(chain.others), silent=list(chain.silent),
    )  # fmt: skip
