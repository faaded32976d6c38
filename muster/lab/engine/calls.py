"""From Ct values to calls: what a run says of each tube, and what several runs say together.

Whatever cannot be judged is invalid, never negative. Among wells of one tube the gravest call wins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from muster.core.text import clean, fold
from muster.lab.engine.assay import (
    NEGATIVE_ROLES,
    POSITIVE_ROLES,
    Assay,
    Control,
    Target,
    codes_by_name,
)
from muster.lab.engine.plates import Template, wells

Said = Literal["positive", "negative", "indeterminate", "invalid"]
Next = Literal["release", "repeat", "propose"]
Tube = UUID | str

TOO_EARLY = 5_000  # no swab holds so much that its curve rises before the fifth cycle
CT_LIMIT = 60_000
_GRAVITY: dict[Said, int] = {"positive": 3, "indeterminate": 2, "invalid": 1, "negative": 0}


class Measured(msgspec.Struct, frozen=True, gc=False):
    """One reading of a run file. `target` as written there; `ct_milli` in thousandths of a cycle,
    None where the instrument looked and found no curve."""

    well: str
    target: str
    ct_milli: int | None

    def __post_init__(self) -> None:
        if self.ct_milli is not None and not 0 < self.ct_milli <= CT_LIMIT:
            raise ValueError(f"{self.well} {self.target}: no Ct of {self.ct_milli} thousandths")


class Loaded(msgspec.Struct, frozen=True, gc=False):
    """A tube stands in a well; `repeat` if it was declared to stand in another one too."""

    well: str
    tube: Tube
    repeat: bool = False


class Call(msgspec.Struct, frozen=True):
    """What one run says of one tube, why, and by which values (target, Ct in thousandths).

    Reasons: all-targets-positive, enough-targets-positive; one-target-positive,
    some-targets-positive, grey-zone; no-curve, late-curve; no-reading, curve-too-early,
    contradicting-readings, internal-control-failed, not-a-sample-well, two-tubes-in-well,
    undeclared-repeat, plate-blocked; replicates-disagree: positive or indeterminate in some wells.
    """

    tube: Tube
    wells: tuple[str, ...]
    call: Said
    reason: str
    values: tuple[tuple[str, int | None], ...]


class ControlVerdict(msgspec.Struct, frozen=True):
    """One target of one control well. `well` is "" when the template has no well for the role.

    Why: as-it-should-be; not-read, no-such-control, contradicting-readings, curve, no-curve,
    curve-too-early, curve-too-late.
    """

    well: str
    role: str
    target: str
    ct_milli: int | None
    ok: bool
    why: str


class Verdict(msgspec.Struct, frozen=True):
    """What a run says. `calls` by their first well.

    `blocked`: negative-control-contaminated, positive-control-failed, negative-control-failed or
    control-not-read, the first of these that holds; then no call of the plate counts.
    `unknown_targets`: in the file, not in the assay. `stray_wells`: a curve where neither a tube nor
    a control stands, as when the file is of another plate.
    """

    blocked: str | None
    controls: tuple[ControlVerdict, ...]
    calls: tuple[Call, ...]
    unknown_targets: tuple[str, ...] = ()
    stray_wells: tuple[str, ...] = ()


class Standing(NamedTuple):
    """What is to be said of a tube after all its runs, and what is to be done next: "release" takes
    one person, "propose" a second one, "repeat" another run of the same tube."""

    call: Said
    reason: str
    next: Next


class _Readings(NamedTuple):
    """By well and code. `torn`: the wells where two readings of one target differ, and the word for
    it; the earlier Ct is kept."""

    by_well: dict[str, dict[str, int | None]]
    torn: dict[str, str]
    unknown: set[str]


_Replicate = dict[str, int | None]  # code of a target → Ct, over wells that complete each other


def call_run(
    assay: Assay, template: Template, loaded: Sequence[Loaded], measured: Sequence[Measured]
) -> Verdict:
    """The calls of one run of one plate. The order of tubes and readings does not matter.

    A tube may stand in several wells: wells with different targets complete each other, wells with
    the same ones are replicates. Replicates that do not agree give the gravest of their calls
    (positive, indeterminate, invalid, negative). More than one well of a tube without the word that
    it is a repeat is never negative, nor is a well with two tubes in it.
    """
    readings = _sorted_out(assay, measured)
    controls = tuple(_control_verdicts(assay, template, readings))
    blocked = _blocked(controls)
    placed: dict[Tube, list[Loaded]] = {}
    for one in loaded:
        placed.setdefault(one.tube, []).append(one)
    unfit = _unfit_wells(template, loaded)
    calls = [_call(assay, readings, unfit=unfit, places=places) for places in placed.values()]
    if blocked:
        calls = [
            msgspec.structs.replace(one, call="invalid", reason="plate-blocked") for one in calls
        ]
    stands_somewhere = {one.well for one in loaded}.union(template.controls)
    stray = [
        one
        for one, found in readings.by_well.items()
        if one not in stands_somewhere and any(ct is not None for ct in found.values())
    ]
    return Verdict(
        blocked,
        controls,
        tuple(sorted(calls, key=lambda call: (call.wells, str(call.tube)))),
        tuple(sorted(readings.unknown)),
        tuple(sorted(stray)),
    )


def _call(
    assay: Assay, readings: _Readings, *, unfit: Mapping[str, str], places: Sequence[Loaded]
) -> Call:
    codes = [target.code for target in assay.targets]
    if assay.internal is not None:
        codes.append(assay.internal.target)
    stands = sorted({one.well for one in places})
    faults = {at: why for at in stands if (why := unfit.get(at) or readings.torn.get(at))}
    sound = [at for at in stands if at not in faults]
    replicates = _replicates(sound, readings.by_well)
    judged: list[tuple[Said, str]] = [("invalid", why) for why in sorted(faults.values())]
    call, reason = _gravest(judged + [judge(assay, one) for one in replicates])
    undeclared = sum(not one.repeat for one in places) > 1
    if call == "negative" and len(replicates) > 1 and undeclared:
        call, reason = "invalid", "undeclared-repeat"
    read = [readings.by_well.get(at, {}) for at in stands]
    values = tuple((code, found[code]) for found in read for code in codes if code in found)
    return Call(places[0].tube, tuple(stands), call, reason, values)


def judge(assay: Assay, read: Mapping[str, int | None]) -> tuple[Said, str]:
    """The call and its reason from one reading of each target, as code → Ct. A Ct exactly on a
    limit counts as within it."""
    if any(target.code not in read for target in assay.targets):
        return "invalid", "no-reading"
    if any(ct is not None and ct < TOO_EARLY for ct in read.values()):
        return "invalid", "curve-too-early"
    found = [_found(target, read[target.code]) for target in assay.targets]
    positive = found.count("positive")
    signal = positive > 0 or "grey" in found
    internal = assay.internal
    if internal is not None and not (signal and internal.needed == "unless_positive"):
        if internal.target not in read:
            return "invalid", "no-reading"
        ct = read[internal.target]
        if ct is None or ct > internal.most:
            return "invalid", "internal-control-failed"
    if positive >= assay.positive_needs:
        every = positive == len(found)
        return "positive", "all-targets-positive" if every else "enough-targets-positive"
    if positive:
        return "indeterminate", "one-target-positive" if positive == 1 else "some-targets-positive"
    if signal:
        return "indeterminate", "grey-zone"
    return "negative", "late-curve" if "late" in found else "no-curve"


def _found(target: Target, ct: int | None) -> str:
    if ct is None:
        return "none"
    if ct <= target.positive_to:
        return "positive"
    return "grey" if target.grey_to is not None and ct <= target.grey_to else "late"


def standing(calls: Sequence[tuple[Call, bool]], assay: Assay) -> Standing:
    """What is to be said of one tube after its runs, in order of time, each with whether its plate
    was blocked: such a run says nothing. ValueError without any run.

    A positive is never cleared by a later negative. An indeterminate is cleared by a negative
    repeat if the assay says so. Else it stays, and an invalid yields to anything that is none.
    """
    if not calls:
        raise ValueError("a tube that was in no run has no standing")
    counted = [one for one, blocked in calls if not blocked and one.reason != "plate-blocked"]
    if not counted:
        return Standing("invalid", "plate-blocked", "repeat")
    for one in counted:
        if one.call == "positive":
            return Standing("positive", one.reason, "propose")
    told = [one for one in counted if one.call != "invalid"]
    last = max((i for i, one in enumerate(counted) if one.call != "invalid"), default=-1)
    failed_too_often = len(counted) - 1 - last > assay.repeats.invalid
    if not told:
        return Standing("invalid", counted[-1].reason, "release" if failed_too_often else "repeat")
    first = next((i for i, one in enumerate(told) if one.call == "indeterminate"), None)
    if first is None:
        return Standing("negative", told[-1].reason, "release")
    if told[-1].call == "negative":
        if assay.repeats.negative_clears:
            return Standing("negative", "repeat-negative", "release")
        return Standing("indeterminate", "negative-does-not-clear", "propose")
    repeated = len(told) - first - 1
    again = repeated < assay.repeats.indeterminate and not failed_too_often
    return Standing("indeterminate", told[-1].reason, "repeat" if again else "propose")


def _sorted_out(assay: Assay, measured: Iterable[Measured]) -> _Readings:
    codes = codes_by_name(assay)
    by_name: dict[str, str | None] = {}
    found = _Readings({}, {}, set())
    for one in measured:
        name, ct = one.target, one.ct_milli
        if name not in by_name:
            by_name[name] = codes.get(fold(name))
        code = by_name[name]
        if code is None:
            found.unknown.add(clean(name))
            continue
        at = found.by_well.setdefault(one.well, {})
        if at.setdefault(code, ct) != ct:
            found.torn[one.well] = "contradicting-readings"
            at[code] = min(at[code] or CT_LIMIT, ct or CT_LIMIT)
    return found


def _control_verdicts(
    assay: Assay, template: Template, readings: _Readings
) -> Iterable[ControlVerdict]:
    codes = codes_by_name(assay)
    for control in assay.controls:
        code = codes[fold(control.target)]
        stands = sorted(one for one, role in template.controls.items() if role == control.role)
        if not stands:
            yield ControlVerdict("", control.role, code, None, False, "no-such-control")
        for at in stands:
            read = readings.by_well.get(at, {})
            if code not in read:
                why = "not-read"
            elif at in readings.torn:
                why = readings.torn[at]
            else:
                why = _why(control, read[code])
            ok = why == "as-it-should-be"
            yield ControlVerdict(at, control.role, code, read.get(code), ok, why)


def _why(control: Control, ct: int | None) -> str:
    if control.absent:
        return "as-it-should-be" if ct is None else "curve"
    if ct is None:
        return "no-curve"
    if ct < max(control.least or 0, TOO_EARLY):
        return "curve-too-early"
    return "as-it-should-be" if control.most is None or ct <= control.most else "curve-too-late"


def _blocked(controls: Sequence[ControlVerdict]) -> str | None:
    failed = [one for one in controls if not one.ok]
    unread = [one for one in failed if one.why in ("not-read", "no-such-control")]
    judged = [one for one in failed if one not in unread]
    if any(one.role in NEGATIVE_ROLES and one.why == "curve" for one in judged):
        return "negative-control-contaminated"
    if any(one.role in POSITIVE_ROLES for one in judged):
        return "positive-control-failed"
    if judged:
        return "negative-control-failed"
    return "control-not-read" if unread else None


def _unfit_wells(template: Template, loaded: Sequence[Loaded]) -> dict[str, str]:
    """The wells from which nothing can be said of a tube, and why."""
    fit = set(wells(template.size)) - set(template.controls) - set(template.empty)
    unfit = {one.well: "not-a-sample-well" for one in loaded if one.well not in fit}
    tubes = Counter(at for at, _ in {(one.well, one.tube) for one in loaded})
    return unfit | {at: "two-tubes-in-well" for at, count in tubes.items() if count > 1}


def _replicates(
    stands: Sequence[str], by_well: Mapping[str, Mapping[str, int | None]]
) -> list[_Replicate]:
    """Each well goes to the first replicate that lacks all its targets; a well without any reading
    is one of its own."""
    replicates: list[_Replicate] = []
    for at in stands:
        read = by_well.get(at, {})
        room = (one for one in replicates if one and read and not one.keys() & read.keys())
        partner = next(room, None)
        if partner is None:
            replicates.append(dict(read))
        else:
            partner.update(read)
    return replicates


def _gravest(calls: Sequence[tuple[Said, str]]) -> tuple[Said, str]:
    call, reason = max(calls, key=lambda one: _GRAVITY[one[0]])
    agree = call == "invalid" or all(other == call for other, _ in calls)
    return call, reason if agree else "replicates-disagree"
