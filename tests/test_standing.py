"""What is said of a tube after several runs, and what is to be done next."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.lab.engine.assay import Repeats, usual
from muster.lab.engine.calls import Call, Said, standing

# After several runs: P positive, N negative, I indeterminate, X invalid, small letters on a plate
# that was blocked.
SAID: dict[str, Said] = {"P": "positive", "N": "negative", "I": "indeterminate", "X": "invalid"}


def after(runs: str, repeats: Repeats = Repeats()) -> tuple[str, str]:  # noqa: B008  # frozen
    calls = [
        (Call("t", ("A01",), SAID[one.upper()], f"{one} of run {i}", ()), one.islower())
        for i, one in enumerate(runs, 1)
    ]
    stands = standing(calls, msgspec.structs.replace(usual(), repeats=repeats))
    return stands.call, stands.next


@pytest.mark.parametrize(
    ("runs", "call", "next_"),
    [
        ("N", "negative", "release"),
        ("P", "positive", "propose"),
        ("I", "indeterminate", "repeat"),
        ("X", "invalid", "repeat"),
        ("IN", "negative", "release"),
        ("II", "indeterminate", "propose"),
        ("IP", "positive", "propose"),
        ("PN", "positive", "propose"),
        ("PNN", "positive", "propose"),
        ("NP", "positive", "propose"),
        ("NI", "indeterminate", "repeat"),
        ("NN", "negative", "release"),
        ("XN", "negative", "release"),
        ("NX", "negative", "release"),
        ("XX", "invalid", "release"),
        ("XI", "indeterminate", "repeat"),
        ("XII", "indeterminate", "propose"),
        ("IX", "indeterminate", "repeat"),
        ("IXN", "negative", "release"),
        ("IXX", "indeterminate", "propose"),
        ("IXI", "indeterminate", "propose"),
        ("INI", "indeterminate", "propose"),
        ("IIN", "negative", "release"),
        ("n", "invalid", "repeat"),
        ("p", "invalid", "repeat"),
        ("xxxx", "invalid", "repeat"),
        ("xX", "invalid", "repeat"),
        ("iI", "indeterminate", "repeat"),
        ("In", "indeterminate", "repeat"),
        ("nN", "negative", "release"),
    ],
)
def test_what_is_said_after_several_runs(runs, call, next_):
    assert after(runs) == (call, next_)


@pytest.mark.parametrize(
    ("runs", "repeats", "call", "next_"),
    [
        ("I", Repeats(indeterminate=0), "indeterminate", "propose"),
        ("X", Repeats(invalid=0), "invalid", "release"),
        ("II", Repeats(indeterminate=2), "indeterminate", "repeat"),
        ("III", Repeats(indeterminate=2), "indeterminate", "propose"),
        ("XX", Repeats(invalid=2), "invalid", "repeat"),
        ("I", Repeats(negative_clears=False), "indeterminate", "repeat"),
        ("IN", Repeats(negative_clears=False), "indeterminate", "propose"),
        ("NN", Repeats(negative_clears=False), "negative", "release"),
    ],
)
def test_other_rules_of_repeating(runs, repeats, call, next_):
    assert after(runs, repeats) == (call, next_)


def test_a_call_of_a_blocked_plate_never_counts():
    blocked = Call("t", ("A01",), "invalid", "plate-blocked", ())
    assert standing([(blocked, False)] * 3, usual()) == ("invalid", "plate-blocked", "repeat")
    with pytest.raises(ValueError, match="no run"):
        standing([], usual())


RUNS = st.text("PNIXpnix", min_size=1, max_size=6)


@given(RUNS, st.builds(Repeats, st.integers(0, 3), st.integers(0, 3), st.booleans()))
def test_laws_of_several_runs(runs, repeats):
    call, next_ = after(runs, repeats)
    counted = "".join(one for one in runs if one.isupper())
    assert (call == "positive") == ("P" in counted)
    if call == "negative":
        assert counted.rstrip("X")[-1] == "N"
        assert repeats.negative_clears or "I" not in counted
    assert next_ in {
        "positive": {"propose"}, "negative": {"release"},
        "indeterminate": {"repeat", "propose"}, "invalid": {"repeat", "release"},
    }[call]  # fmt: skip
    if counted:
        assert after(counted, repeats) == (call, next_)
    for more in ("IIII", "XXXX"):  # there is an end to repeating
        assert after(counted + more, repeats)[1] != "repeat"
