"""Calls: from Ct values to what is said of a tube, in one run."""

from collections.abc import Mapping
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.lab.engine.assay import Assay, Control, InternalControl, usual
from muster.lab.engine.calls import (
    Call,
    ControlVerdict,
    Loaded,
    Measured,
    Verdict,
    call_run,
    judge,
)
from muster.lab.engine.plates import Template
from muster.lab.engine.plates import usual as usual_template

ASSAY = usual()  # ORF1ab and N: positive to 37, grey to 40; RNase P to 38
ALWAYS = msgspec.structs.replace(ASSAY, internal=InternalControl("RNase P", 38_000, "always"))
ANY_ONE = msgspec.structs.replace(ASSAY, positive_needs=1)
NO_INTERNAL = msgspec.structs.replace(ASSAY, internal=None, aliases={})
PLATE = usual_template(96)  # H11 negative, H12 positive control
TARGETS = ("ORF1ab", "N", "RNase P")
CONTROLS_FINE = {
    ("H11", "ORF1ab"): None,
    ("H11", "N"): None,
    ("H12", "ORF1ab"): 28_000,
    ("H12", "N"): 27_000,
}
NEGATIVE = (None, None, 25_000)
POSITIVE = (20_000, 21_000, 25_000)


def run(
    wells: Mapping[str, tuple],
    *,
    loaded: list[Loaded] | None = None,
    controls: dict[tuple[str, str], int | None] = CONTROLS_FINE,
    assay: Assay = ASSAY,
    plate: Template = PLATE,
) -> Verdict:
    """A run of wells → Ct of ORF1ab, N and RNase P; "-" was not read. Well A01 holds tube "A01"."""
    found = [Measured(well, target, ct) for (well, target), ct in controls.items()]
    for well, cts in wells.items():
        found += [Measured(well, t, ct) for t, ct in zip(TARGETS, cts, strict=True) if ct != "-"]
    return call_run(assay, plate, loaded or [Loaded(well, well) for well in wells], found)


def said(verdict: Verdict) -> list[tuple[str, str]]:
    return [(one.call, one.reason) for one in verdict.calls]


@pytest.mark.parametrize(
    ("cts", "assay", "call", "reason"),
    [
        ((20_000, 21_000, 25_000), ASSAY, "positive", "all-targets-positive"),
        ((37_000, 37_000, 25_000), ASSAY, "positive", "all-targets-positive"),  # on the limit
        ((37_001, 37_000, 25_000), ASSAY, "indeterminate", "one-target-positive"),
        ((None, 20_000, 25_000), ASSAY, "indeterminate", "one-target-positive"),
        ((None, 20_000, 25_000), ANY_ONE, "positive", "enough-targets-positive"),
        ((37_001, None, 25_000), ASSAY, "indeterminate", "grey-zone"),
        ((37_001, None, 25_000), ANY_ONE, "indeterminate", "grey-zone"),
        ((40_000, 40_000, 25_000), ASSAY, "indeterminate", "grey-zone"),
        ((40_001, None, 25_000), ASSAY, "negative", "late-curve"),
        ((None, None, 25_000), ASSAY, "negative", "no-curve"),
        ((None, None, 38_000), ASSAY, "negative", "no-curve"),
        ((None, None, 38_001), ASSAY, "invalid", "internal-control-failed"),
        ((None, None, None), ASSAY, "invalid", "internal-control-failed"),
        ((40_001, None, None), ASSAY, "invalid", "internal-control-failed"),
        ((None, None, "-"), ASSAY, "invalid", "no-reading"),
        ((None, None, "-"), NO_INTERNAL, "negative", "no-curve"),
        ((None, None, None), NO_INTERNAL, "negative", "no-curve"),
        ((20_000, 21_000, None), ASSAY, "positive", "all-targets-positive"),  # drowned
        ((20_000, 21_000, "-"), ASSAY, "positive", "all-targets-positive"),
        ((20_000, None, None), ASSAY, "indeterminate", "one-target-positive"),
        ((20_000, 21_000, None), ALWAYS, "invalid", "internal-control-failed"),
        ((20_000, 21_000, "-"), ALWAYS, "invalid", "no-reading"),
        (("-", None, 25_000), ASSAY, "invalid", "no-reading"),
        (("-", 20_000, 25_000), ASSAY, "invalid", "no-reading"),
        (("-", "-", "-"), ASSAY, "invalid", "no-reading"),
        ((4_999, None, 25_000), ASSAY, "invalid", "curve-too-early"),
        ((4_999, 20_000, 25_000), ASSAY, "invalid", "curve-too-early"),
        ((None, None, 4_999), ASSAY, "invalid", "curve-too-early"),
        ((5_000, 5_000, 25_000), ASSAY, "positive", "all-targets-positive"),
    ],
)
def test_the_call_of_one_well(cts, assay, call, reason):
    assert said(run({"A01": cts}, assay=assay)) == [(call, reason)]


def test_a_call_keeps_its_tube_wells_and_values():
    assert run({"A01": (20_000, None, 25_000)}).calls == (
        Call(
            "A01", ("A01",), "indeterminate", "one-target-positive",
            (("ORF1ab", 20_000), ("N", None), ("RNase P", 25_000)),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("well", "target", "ct", "why", "blocked"),
    [
        ("H11", "N", 45_000, "curve", "negative-control-contaminated"),
        ("H11", "ORF1ab", 20_000, "curve", "negative-control-contaminated"),
        ("H11", "N", "-", "not-read", "control-not-read"),
        ("H12", "N", None, "no-curve", "positive-control-failed"),
        ("H12", "N", 35_001, "curve-too-late", "positive-control-failed"),
        ("H12", "N", 4_999, "curve-too-early", "positive-control-failed"),
        ("H12", "ORF1ab", "-", "not-read", "control-not-read"),
    ],
)
def test_a_control_that_fails_blocks_the_plate(well, target, ct, why, blocked):
    controls = {key: value for key, value in CONTROLS_FINE.items() if key != (well, target)}
    if ct != "-":
        controls[well, target] = ct
    verdict = run({"A01": NEGATIVE, "B01": POSITIVE}, controls=controls)
    assert verdict.blocked == blocked
    assert [one.why for one in verdict.controls if not one.ok] == [why]
    assert said(verdict) == [("invalid", "plate-blocked")] * 2
    assert verdict.calls[1].values[0] == ("ORF1ab", 20_000)  # what was read stays to be seen


def test_controls_that_are_as_they_should_be():
    verdict = run({"A01": NEGATIVE}, controls={**CONTROLS_FINE, ("H12", "N"): 35_000})
    assert verdict.blocked is None
    assert [(one.well, one.target, one.ct_milli) for one in verdict.controls] == [
        ("H12", "ORF1ab", 28_000),
        ("H12", "N", 35_000),
        ("H11", "ORF1ab", None),
        ("H11", "N", None),
    ]
    assert {(one.ok, one.why) for one in verdict.controls} == {(True, "as-it-should-be")}


@pytest.mark.parametrize(
    ("faults", "blocked"),
    [
        ({("H12", "N"): None, ("H11", "N"): 30_000}, "negative-control-contaminated"),
        ({("H12", "N"): None, ("H11", "N"): "-"}, "positive-control-failed"),
    ],
)
def test_the_gravest_fault_of_controls_is_named(faults, blocked):
    controls = {key: ct for key, ct in {**CONTROLS_FINE, **faults}.items() if ct != "-"}
    assert run({"A01": NEGATIVE}, controls=controls).blocked == blocked


@pytest.mark.parametrize(("ct", "ok"), [(24_999, False), (25_000, True), (35_000, True)])
def test_a_positive_control_may_also_come_too_early(ct, ok):
    controls = tuple(
        Control("positive_control", "N", least=25_000, most=35_000)
        if (one.role, one.target) == ("positive_control", "N")
        else one
        for one in ASSAY.controls
    )
    assay = msgspec.structs.replace(ASSAY, controls=controls)
    verdict = run({"A01": NEGATIVE}, assay=assay, controls={**CONTROLS_FINE, ("H12", "N"): ct})
    assert verdict.blocked == (None if ok else "positive-control-failed")


def test_every_well_of_a_control_is_judged():
    plate = Template("t", 96, {**PLATE.controls, "G12": "positive_control"})
    assert run({"A01": NEGATIVE}, plate=plate).blocked == "control-not-read"
    second = {("G12", "ORF1ab"): 28_000, ("G12", "N"): None}
    verdict = run({"A01": NEGATIVE}, plate=plate, controls={**CONTROLS_FINE, **second})
    assert verdict.blocked == "positive-control-failed"


def test_a_template_without_a_control_that_the_assay_asks_for():
    plate = Template("t", 96, {"H11": "no_template_control", "H12": "positive_control"})
    verdict = run({"A01": NEGATIVE}, plate=plate)
    assert verdict.blocked == "control-not-read"
    assert ControlVerdict("", "negative_control", "N", None, False, "no-such-control") in (
        verdict.controls
    )


def test_a_negative_control_that_must_show_the_internal_control():
    assay = msgspec.json.decode(
        msgspec.json.encode(ASSAY).replace(
            b'"controls":[', b'"controls":[{"role":"negative_control","target":"IC","most":38000},'
        ),
        type=Assay,
    )
    for ct, blocked in ((30_000, None), (None, "negative-control-failed")):
        controls = {**CONTROLS_FINE, ("H11", "RNase P"): ct}
        assert run({"A01": NEGATIVE}, assay=assay, controls=controls).blocked == blocked


def test_targets_by_the_names_of_the_instrument():
    found = [Measured(well, target, ct) for (well, target), ct in CONTROLS_FINE.items()]
    found += [Measured("A01", "orf1AB ", None), Measured("A01", "N基因", None)]
    found += [Measured("A01", "ＩＣ", 25_000), Measured("A01", " ROX", 9_000)]
    verdict = call_run(ASSAY, PLATE, [Loaded("A01", "t")], found)
    assert said(verdict) == [("negative", "no-curve")]
    assert verdict.unknown_targets == ("ROX",)


@pytest.mark.parametrize(
    ("wells", "call", "reason"),
    [
        ({"A01": NEGATIVE, "A02": NEGATIVE}, "negative", "no-curve"),
        ({"A01": POSITIVE, "A02": POSITIVE}, "positive", "all-targets-positive"),
        ({"A01": NEGATIVE, "A02": POSITIVE}, "positive", "replicates-disagree"),
        ({"A01": (20_000, None, 1), "A02": POSITIVE}, "positive", "replicates-disagree"),
        ({"A01": NEGATIVE, "A02": (38_000, None, 25_000)}, "indeterminate", "replicates-disagree"),
        (
            {"A01": (20_000, None, 25_000), "A02": (None, 20_000, 25_000)},
            "indeterminate", "one-target-positive",
        ),
        ({"A01": NEGATIVE, "A02": (None, None, None)}, "invalid", "internal-control-failed"),
        ({"A01": NEGATIVE, "A02": ("-", "-", "-")}, "invalid", "no-reading"),
        ({"A01": NEGATIVE, "A02": (None, "-", 25_000)}, "invalid", "no-reading"),
        # one target a well: the wells complete each other
        (
            {"A01": (None, "-", "-"), "A02": ("-", None, "-"), "A03": ("-", "-", 25_000)},
            "negative", "no-curve",
        ),
        (
            {"A01": (20_000, "-", "-"), "A02": ("-", 21_000, "-"), "A03": ("-", "-", None)},
            "positive", "all-targets-positive",
        ),
        ({"A01": (None, "-", "-"), "A02": ("-", None, "-")}, "invalid", "no-reading"),
    ],
)  # fmt: skip
def test_one_tube_in_several_wells(wells, call, reason):
    loaded = [Loaded(well, "t", repeat=i > 0) for i, well in enumerate(wells)]
    verdict = run(wells, loaded=loaded)
    assert said(verdict) == [(call, reason)]
    assert verdict.calls[0].wells == tuple(wells)


def test_a_tube_in_two_wells_without_a_word_is_not_negative():
    twice = [Loaded("A01", "t"), Loaded("A02", "t")]
    assert said(run({"A01": NEGATIVE, "A02": NEGATIVE}, loaded=twice)) == [
        ("invalid", "undeclared-repeat")
    ]
    assert said(run({"A01": NEGATIVE, "A02": POSITIVE}, loaded=twice)) == [
        ("positive", "replicates-disagree")
    ]
    singly = {"A01": (None, "-", 25_000), "A02": ("-", None, "-")}
    assert said(run(singly, loaded=twice)) == [("negative", "no-curve")]


@pytest.mark.parametrize(
    ("loaded", "reason"),
    [
        ([Loaded("A01", "t"), Loaded("A01", "u")], "two-tubes-in-well"),
        ([Loaded("A01", "t"), Loaded("A02", "t", True), Loaded("A02", "u")], "two-tubes-in-well"),
        ([Loaded("H12", "t")], "not-a-sample-well"),
        ([Loaded("D05", "t")], "not-a-sample-well"),
        ([Loaded("P24", "t")], "not-a-sample-well"),
    ],
)
def test_wells_that_say_nothing_of_a_tube(loaded, reason):
    plate = msgspec.structs.replace(PLATE, empty=("D05",))
    wells = {"A01": NEGATIVE, "A02": NEGATIVE, "D05": NEGATIVE, "P24": NEGATIVE}
    verdict = run(wells, loaded=loaded, plate=plate)
    assert set(said(verdict)) == {("invalid", reason)}


def test_a_fault_of_one_well_does_not_hide_what_another_shows():
    loaded = [Loaded("A01", "t"), Loaded("A02", "t", True), Loaded("A02", "u")]
    verdict = run({"A01": POSITIVE, "A02": NEGATIVE}, loaded=loaded)
    assert [(one.tube, one.call, one.reason) for one in verdict.calls] == [
        ("t", "positive", "replicates-disagree"),
        ("u", "invalid", "two-tubes-in-well"),
    ]


def test_curves_where_nothing_was_loaded():
    nothing = (None, None, None)
    verdict = run(
        {"A01": NEGATIVE, "B01": nothing, "C01": NEGATIVE, "P24": POSITIVE},
        loaded=[Loaded("A01", "t")],
    )
    assert verdict.stray_wells == ("C01", "P24")
    assert [one.tube for one in verdict.calls] == ["t"]


def test_two_readings_of_one_target_must_agree():
    found = [Measured(well, target, ct) for (well, target), ct in CONTROLS_FINE.items()]
    found += [Measured("A01", target, ct) for target, ct in zip(TARGETS, NEGATIVE, strict=True)]
    same = [*found, Measured("A01", "n", None)]
    other = [*found, Measured("A01", "n", 30_000)]
    late = [*found, Measured("A01", "ORF 1ab", 45_000)]
    control = [*found, Measured("H11", "n", 30_000)]
    at = [Loaded("A01", "t")]
    assert said(call_run(ASSAY, PLATE, at, same)) == [("negative", "no-curve")]
    assert said(call_run(ASSAY, PLATE, at, other)) == [("invalid", "contradicting-readings")]
    assert said(call_run(ASSAY, PLATE, at, late)) == [("invalid", "contradicting-readings")]
    assert call_run(ASSAY, PLATE, at, control).blocked == "negative-control-failed"


@pytest.mark.parametrize("ct", [0, -1, 60_001])
def test_a_reading_that_cannot_be(ct):
    with pytest.raises(ValueError, match="A01 N"):
        Measured("A01", "N", ct)


def test_a_run_without_readings_says_nothing_of_any_tube():
    verdict = call_run(ASSAY, PLATE, [Loaded("A01", "t")], [])
    assert (verdict.blocked, said(verdict)) == ("control-not-read", [("invalid", "plate-blocked")])


CTS = st.none() | st.sampled_from((4_000, 20_000, 37_000, 37_001, 40_000, 40_001))
WELLS = ("A01", "B01", "C01", "D01")


@st.composite
def plates(draw) -> tuple[list[Loaded], list[Measured], Assay]:
    places = draw(st.lists(st.tuples(st.sampled_from(WELLS), st.sampled_from("tuv")), unique=True))
    loaded = [Loaded(well, tube, draw(st.booleans())) for well, tube in places]
    found = [Measured(well, target, ct) for (well, target), ct in CONTROLS_FINE.items()]
    found += [
        Measured(well, target, draw(CTS))
        for well in WELLS
        for target in TARGETS
        for _ in range(draw(st.sampled_from((0, 1, 1, 1, 1, 2))))
    ]
    return loaded, found, draw(st.sampled_from((ASSAY, ALWAYS, ANY_ONE)))


@given(plates())
def test_every_tube_has_one_call_and_none_with_a_signal_is_negative(plate):
    loaded, found, assay = plate
    verdict = call_run(assay, PLATE, loaded, found)
    assert sorted(one.tube for one in verdict.calls) == sorted({one.tube for one in loaded})
    for call in verdict.calls:
        values = [(target, ct) for target, ct in call.values if target != "RNase P"]
        if any(ct is not None and ct <= 40_000 for _, ct in values):
            assert call.call != "negative"
        if call.call == "negative":
            assert {target for target, _ in call.values} == set(TARGETS)
        if call.call == "positive":
            assert sum(ct is not None and ct <= 37_000 for _, ct in values) >= assay.positive_needs


@given(plates(), st.randoms(use_true_random=False))
def test_the_order_of_readings_and_tubes_does_not_matter(plate, random: Random):
    loaded, found, assay = plate
    before = call_run(assay, PLATE, loaded, found)
    random.shuffle(loaded)
    random.shuffle(found)
    assert call_run(assay, PLATE, loaded, found) == before


@given(st.fixed_dictionaries(dict.fromkeys(TARGETS, CTS)), st.sampled_from(TARGETS[:2]))
def test_a_stronger_target_never_makes_a_call_less_grave(cts, target):
    gravity = ["negative", "indeterminate", "positive"]
    before, _ = judge(ASSAY, cts)
    after, _ = judge(ASSAY, {**cts, target: 10_000})
    if "invalid" not in (before, after):
        assert gravity.index(after) >= gravity.index(before)
