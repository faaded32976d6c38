"""Whether a report's figures agree with each other: what is a part of what, what adds up to what.

Values in, values out. Shares are whole numbers of hundredths of a percent, so that a report's data
holds no fractions whose last digit depends on a machine.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

WHOLE = 10_000  # 100 %, in hundredths of a percent
Line = Mapping[str, int]


class Check(msgspec.Struct, frozen=True, order=True):
    """Two figures that must agree: `equal`, or the left no more than the right (`most`). `where`: the
    area, site or laboratory; empty for the report as a whole."""

    check: str
    where: str
    relation: str
    left: int
    right: int
    holds: bool


def share(part: int, whole: int | None) -> int | None:
    """A part of a whole in hundredths of a percent, rounded half up; None of nothing."""
    return (2 * WHOLE * part + whole) // (2 * whole) if whole else None


def equal(check: str, left: int, right: int, where: str = "") -> Check:
    return Check(check, where, "equal", left, right, left == right)


def at_most(check: str, left: int, right: int, where: str = "") -> Check:
    return Check(check, where, "most", left, right, left <= right)


def of_people(line: Line, where: str = "") -> list[Check]:
    """One line of persons: expected = sampled + exempt + away + refused + missing; sampled = resulted +
    invalid + pending; nobody sampled who is not expected; no fewer swabs than people swabbed."""
    resolved = sum(line[one] for one in ("sampled", "exempt", "away", "refused", "missing"))
    told = sum(line[one] for one in ("resulted", "invalid", "pending"))
    return [
        equal("expected_resolved", line["expected"], resolved, where),
        equal("sampled_told", line["sampled"], told, where),
        at_most("sampled_of_expected", line["sampled"], line["expected"], where),
        at_most("persons_and_swabs", line["sampled"], line["swabs"], where),
    ]


def of_parts(name: str, whole: int, parts: Iterable[int], where: str = "") -> Check:
    """The parts that are listed are no more than the whole that is told."""
    return at_most(f"parts_{name}", sum(parts), whole, where)


def of_tubes(line: Line, where: str = "") -> list[Check]:
    """One site's tubes: each has a result, is invalid or is waited for."""
    told = sum(line[one] for one in ("resulted", "invalid", "pending"))
    return [
        equal("tubes_told", line["tubes"], told, where),
        at_most("persons_and_swabs", line["persons"], line["swabs"], where),
    ]


def of_lab(line: Line, where: str = "") -> list[Check]:
    """A laboratory that scans what it takes in loads no more than that."""
    if not line["received"]:
        return []
    return [at_most("plates_of_received", line["on_plate"], line["received"], where)]


def of_declared(sampled: int, people: int | None, where: str = "") -> list[Check]:
    """No more people sampled than were declared to live there."""
    return [at_most("sampled_of_declared", sampled, people, where)] if people is not None else []


def findings(checks: Sequence[Check]) -> list[Check]:
    """What does not hold."""
    return [one for one in checks if not one.holds]
