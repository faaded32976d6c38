"""Releasing results: one person for negatives, two different ones for everything else, and never a
result without a received tube, its well and its raw value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import msgspec

from muster.config import RELEASE_CHUNK
from muster.core.ids import uuid7
from muster.core.problems import Problem
from muster.core.rows import row, rows
from muster.lab.decide import result_of
from muster.lab.deciding import Desk
from muster.lab.events import (
    Outcome,
    ProposalDeclined,
    ResultAmended,
    ResultProposed,
    ResultRejected,
    ResultReleased,
    Unfit,
)
from muster.lab.loading import one_each
from muster.ledger.event import Body, Event

_HERE = "muster.lab"
GRAVE = ("positive", "indeterminate")  # need two people
Decline = Literal["repeat", "wrong_sample", "doubtful_curve", "other"]
Amends = Literal["repeat_run", "clerical", "wrong_sample", "other"]
Rejects = Literal["wrong_file", "wrong_tube", "superseded", "other"]


class NeedsSecondPerson(Problem):
    """{barcode} was proposed by {proposed_by}: another person must confirm it."""

    zh = "{barcode} 由 {proposed_by} 提请，须由另一人复核确认。"
    status = 409


class NotReadyToRelease(Problem):
    """{count} tubes cannot be released now: {why}. See the open list for what each of them waits for."""

    zh = "{count} 支管目前不能发布：{why}。各管所缺步骤见待办列表。"
    status = 409


class ProposalUnknown(Problem):
    """Nothing waits for a second person under {result}: it was answered, or never was."""

    zh = "{result} 下没有待复核的内容：已处理或不存在。"
    status = 404


class Signed(msgspec.Struct, frozen=True):
    """What a signature did. `waiting`: barcodes that now wait for a second person."""

    released: int
    proposed: int
    waiting: list[str]


@dataclass(frozen=True)
class _Decision:
    """One tube's outcome, ready to be said."""

    barcode: str
    tube: UUID | None
    outcome: Outcome
    run: UUID | None
    unfit: Unfit | None = None


async def release_ready(desk: Desk, run: UUID | None = None) -> Signed:
    """Release all that one person may release, in one run or in the whole laboratory: negatives and
    what stays invalid. What is positive, indeterminate or not finished is never among it."""
    released = 0
    while True:
        found = (
            await rows(desk.conn, _HERE, "samples_of_run", run=run)
            if run
            else await rows(desk.conn, _HERE, "to_release", lab=desk.lab, limit=RELEASE_CHUNK)
        )
        # A run named by its id may be another laboratory's.
        ready = [one for one in found if one["next"] == "release" and one["lab"] == desk.lab]
        await desk.append([_released(desk, _decision(one)) for one in ready])
        released += len(ready)
        if run or len(found) < RELEASE_CHUNK:
            return Signed(released, 0, [])


async def sign(desk: Desk, barcodes: Sequence[str]) -> Signed:
    """Sign for some tubes by name. A negative is released; a positive or indeterminate one is proposed
    by the first person and released by the second. Raises NotReadyToRelease, NeedsSecondPerson; then
    nothing is done."""
    found = one_each(
        await rows(desk.conn, _HERE, "samples_of", lab=desk.lab, barcodes=list(barcodes))
    )
    unready = {
        code: found[code]["next"] if code in found else "not received"
        for code in barcodes
        if code not in found or found[code]["next"] not in ("release", "propose", "confirm")
    }
    if unready:
        why = ", ".join(f"{code} ({word})" for code, word in list(unready.items())[:20])
        raise NotReadyToRelease(count=len(unready), why=why)
    events: list[Event] = []
    proposed = []
    for code in dict.fromkeys(barcodes):
        one = found[code]
        if one["next"] == "release":
            events.append(_released(desk, _decision(one)))
        elif one["next"] == "propose":
            events.append(_proposed(desk, _decision(one)))
            proposed.append(code)
        else:
            events.append(_confirmed(desk, await proposal_of(desk, one["proposed"])))
    await desk.append(events)
    return Signed(len(events) - len(proposed), len(proposed), proposed)


async def reject_tube(desk: Desk, barcode: str, unfit: Unfit) -> UUID:
    """A received tube cannot be tested: its result is invalid, and its people are sampled again. The
    result's id. Raises NotReadyToRelease."""
    found = await rows(desk.conn, _HERE, "samples_of", lab=desk.lab, barcodes=[barcode])
    open_ = [one for one in found if one["next"] not in ("done", "identify")]
    if not open_ or any(one["standing"] in GRAVE and not one["blocked"] for one in open_):
        why = f"{barcode} ({open_[0]['standing'] if open_ else 'not received or released'})"
        raise NotReadyToRelease(count=1, why=why)
    decision = _Decision(barcode, open_[0]["tube"], "invalid", None, unfit)
    event = _released(desk, decision)
    await desk.append([event])
    return event.subject


async def confirm(desk: Desk, result: UUID) -> None:
    """The second person's word on what a first one proposed. Raises ProposalUnknown,
    NeedsSecondPerson."""
    await desk.append([_confirmed(desk, await proposal_of(desk, result))])


async def decline(desk: Desk, result: UUID, reason: Decline) -> None:
    """The second person does not agree: nothing is released. Whoever proposed may take it back, too.
    Raises ProposalUnknown."""
    found = await proposal_of(desk, result)
    body = ProposalDeclined(barcode=found["barcode"], reason=reason)
    await desk.append([desk.event(body, result, cause=found["proposal"])])


async def amend(desk: Desk, result: UUID, *, outcome: Outcome, reason: Amends) -> bool:
    """Give a released result another outcome; whether that was done at once. From or to a positive or
    indeterminate one it takes two: it is proposed first, and a second person's `amend` to the same, or
    `confirm`, does it. Raises ResultUnknown."""
    found = await result_of(desk.conn, result)
    if outcome in GRAVE or found["outcome"] in GRAVE:
        proposal = ResultProposed(
            barcode=found["barcode"], outcome=outcome, lab=found["lab"], amends=reason
        )
        return await _with_second(desk, result, proposal)
    body = ResultAmended(barcode=found["barcode"], outcome=outcome, reason=reason)
    await desk.append([desk.event(body, result, cause=found["event"])])
    return True


async def reject(desk: Desk, result: UUID, *, reason: Rejects) -> bool:
    """Say that a result does not count; whether that was done at once. A positive or indeterminate one
    takes two, as for `amend`. Raises ResultUnknown."""
    found = await result_of(desk.conn, result)
    if found["outcome"] in GRAVE:
        proposal = ResultProposed(
            barcode=found["barcode"], outcome=found["outcome"], lab=found["lab"], rejects=reason
        )
        return await _with_second(desk, result, proposal)
    body = ResultRejected(barcode=found["barcode"], reason=reason)
    await desk.append([desk.event(body, result, cause=found["event"])])
    return True


async def _with_second(desk: Desk, result: UUID, proposal: ResultProposed) -> bool:
    """Do what another person proposed already, else propose it; whether it was done."""
    waiting = await row(desk.conn, _HERE, "proposal", result=result)
    if waiting is not None and (
        (waiting["outcome"], waiting["amends"] is None, waiting["rejects"] is None)
        == (proposal.outcome, proposal.amends is None, proposal.rejects is None)
    ):
        await desk.append([_confirmed(desk, waiting)])
        return True
    await desk.append([desk.event(proposal, result)])
    return False


async def proposal_of(desk: Desk, result: UUID) -> dict[str, Any]:
    """What waits for a second person under a result of the laboratory. Raises ProposalUnknown."""
    found = await row(desk.conn, _HERE, "proposal", result=result)
    if found is None or found["lab"] != desk.lab:
        raise ProposalUnknown(result=result)
    return found


def _decision(sample: dict[str, Any]) -> _Decision:
    return _Decision(sample["barcode"], sample["tube"], sample["standing"], sample["run"])


def _released(desk: Desk, one: _Decision) -> Event:
    body = ResultReleased(
        barcode=one.barcode, outcome=one.outcome, lab=desk.lab, resulted_at=desk.at,
        tube=one.tube, run=one.run, unfit=one.unfit,
    )  # fmt: skip
    return desk.event(body, uuid7())


def _proposed(desk: Desk, one: _Decision) -> Event:
    body = ResultProposed(
        barcode=one.barcode, outcome=one.outcome, lab=desk.lab, tube=one.tube, run=one.run
    )
    return desk.event(body, uuid7())


def _confirmed(desk: Desk, found: dict[str, Any]) -> Event:
    if found["proposed_by"] == desk.actor:
        raise NeedsSecondPerson(barcode=found["barcode"], proposed_by=found["proposed_by"])
    body: Body
    if found["rejects"]:
        body = ResultRejected(barcode=found["barcode"], reason=found["rejects"])
    elif found["amends"]:
        body = ResultAmended(
            barcode=found["barcode"], outcome=found["outcome"], reason=found["amends"]
        )
    else:
        body = ResultReleased(
            barcode=found["barcode"], outcome=found["outcome"], lab=found["lab"],
            resulted_at=desk.at, tube=found["tube"], run=found["run"], unfit=found["unfit"],
        )  # fmt: skip
    return desk.event(body, found["result"], cause=found["proposal"])
