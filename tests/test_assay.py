"""Assays: what is a valid one, what is not, and how instruments' names find their target."""

import msgspec
import pytest

from muster.core.text import fold
from muster.lab.engine.assay import (
    Assay,
    Control,
    InternalControl,
    Repeats,
    Target,
    codes_by_name,
    usual,
)

GOOD = {
    "code": "duo",
    "name": "two genes",
    "targets": (Target("ORF1ab", 37_000, 40_000), Target("N", 37_000)),
    "positive_needs": 2,
    "internal": InternalControl("RNase P", 38_000),
    "controls": (
        Control("positive_control", "N", most=35_000),
        Control("no_template_control", "N", absent=True),
    ),
    "aliases": {"FAM": "ORF1ab", "VIC": "N", "内标": "RNase P"},
}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"code": ""}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"targets": ()}, "targets"),
        ({"targets": [Target("N", 37_000)]}, "targets"),
        ({"targets": (Target("N", 37_000), Target("n", 37_000))}, "not distinct"),
        ({"positive_needs": 0}, "positive_needs"),
        ({"positive_needs": 3}, "not so many targets"),
        ({"positive_needs": True}, "positive_needs"),
        ({"internal": InternalControl("ｎ", 38_000)}, "not distinct"),
        ({"controls": (Control("positive_control", "N", most=1),)}, "controls"),
        ({"controls": (Control("positive_control", "N", most=1),) * 2}, "says twice"),
        (
            {"controls": (*GOOD["controls"], Control("positive_control", "vic", most=1))},
            "says twice",
        ),
        (
            {"controls": (*GOOD["controls"], Control("positive_control", "E", most=1))},
            "the assay has not",
        ),
        (
            {"controls": tuple(Control("positive_control", t, most=1) for t in ("N", "ORF1ab"))},
            "negative or no-template control is missing",
        ),
        (
            {"controls": tuple(Control("negative_control", t, most=1) for t in ("N", "ORF1ab"))},
            "positive control is missing",
        ),
        (
            {
                "controls": (
                    Control("positive_control", "N", absent=True),
                    Control("negative_control", "N", absent=True),
                )
            },
            "must show a curve",
        ),
        ({"aliases": {"FAM": "E"}}, "the assay has not"),
        ({"aliases": {"n": "ORF1ab"}}, "two targets"),
        ({"aliases": {"FAM": "N", "fam": "ORF1ab"}}, "two targets"),
    ],
)
def test_an_assay_that_cannot_be(wrong, why):
    with pytest.raises(ValueError, match=why):
        Assay(**{**GOOD, **wrong})


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Target("N", 0), "positive_to"),
        (lambda: Target("N", 60_001), "positive_to"),
        (lambda: Target("N", 37.5), "positive_to"),  # type: ignore[arg-type]
        (lambda: Target("N", 37_000, 37_000), "ends before it begins"),
        (lambda: InternalControl("IC", 38_000, "sometimes"), "needed"),  # type: ignore[arg-type]
        (lambda: Control("sample", "N", most=1), "role"),  # type: ignore[arg-type]
        (lambda: Control("positive_control", "N"), "say absent"),
        (lambda: Control("positive_control", "N", least=10_000), "say absent"),
        (lambda: Control("negative_control", "N", most=1, absent=True), "absent, so"),
        (lambda: Control("positive_control", "N", least=2, most=1), "least is above most"),
        (lambda: Repeats(indeterminate=-1), "indeterminate"),
        (lambda: Repeats(invalid=6), "invalid"),
    ],
)
def test_a_part_that_cannot_be(make, why):
    with pytest.raises(ValueError, match=why):
        make()


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("N", "N"),
        ("n ", "N"),
        ("orf1AB", "ORF1ab"),
        ("ORF 1ab", "ORF1ab"),
        ("ＯＲＦ１ａｂ", "ORF1ab"),
        ("rnase_p", "RNase P"),
        ("fam", "ORF1ab"),
        ("內標", "RNase P"),
        ("S", None),
        ("", None),
    ],
)
def test_the_target_an_instrument_means(written, code):
    assert codes_by_name(Assay(**GOOD)).get(fold(written)) == code


def test_limits_may_meet():
    assert Control("positive_control", "N", least=25_000, most=25_000).least == 25_000


def test_an_assay_is_kept_as_json_without_loss():
    for assay in (usual(), Assay(**GOOD)):
        assert msgspec.json.decode(msgspec.json.encode(assay), type=Assay) == assay


def test_an_assay_read_from_json_is_held_to_the_same_rules():
    text = msgspec.json.encode(usual()).replace(b'"positive_needs":2', b'"positive_needs":3')
    with pytest.raises(msgspec.ValidationError, match="not so many targets"):
        msgspec.json.decode(text, type=Assay)


def test_the_usual_assay_asks_for_both_genes_and_an_internal_control():
    assay = usual()
    assert [(one.code, one.positive_to, one.grey_to) for one in assay.targets] == [
        ("ORF1ab", 37_000, 40_000),
        ("N", 37_000, 40_000),
    ]
    assert assay.positive_needs == 2
    assert assay.internal is not None
    assert {one.role for one in assay.controls} == {"positive_control", "negative_control"}
