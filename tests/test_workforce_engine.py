"""Who may stand where, and who is asked first: the rules without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from muster.core.ids import NAMESPACE
from muster.workforce.engine.choosing import Candidate, Need, Rates, choose, expected, fair
from muster.workforce.engine.limits import Limits, Person, Shift, broken, without_rest, worked_hours

NOON = datetime(2022, 8, 1, 12, tzinfo=UTC)


def id_(name: object) -> UUID:
    return uuid5(NAMESPACE, str(name))


def shift(start: float, end: float) -> Shift:
    return Shift(NOON + timedelta(hours=start), NOON + timedelta(hours=end))


def test_limits_of_a_shift():
    def found(new: Shift, *others: Shift, role: str = "caller", **of: Any) -> list[str]:
        return list(broken(new, others, role, Person(**of), Limits()))

    assert found(shift(0, 12)) == []
    assert found(shift(0, 12.5)) == ["too_long"]
    assert found(shift(0, 4), shift(3, 6)) == ["double_booked"]
    assert found(shift(0, 4), shift(4, 8)) == []  # twice half a day
    assert found(shift(0, 8), shift(8, 14)) == ["too_little_rest"]
    assert found(shift(0, 12), shift(20, 32)) == []  # eight hours between them
    assert found(shift(0, 12), shift(19, 31)) == ["too_little_rest"]
    # Three that hang together: who looks at the neighbour only would let a day of 15 hours through.
    assert found(shift(6, 9), shift(0, 6), shift(9, 15)) == ["too_little_rest"]
    trained = frozenset({"sampler"})
    assert found(shift(0, 4), role="sampler") == ["not_trained"]
    assert found(shift(0, 4), role="sampler", trained=trained, birth_year=1962) == []
    assert found(shift(0, 4), role="sampler", trained=trained, birth_year=1961) == ["too_old"]
    assert found(shift(0, 4), role="sampler", trained=trained, fit=False) == ["not_fit"]
    assert found(shift(0, 4), role="escort", fit=False, birth_year=1940) == []


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 14)), max_size=12))
def test_what_hangs_together_leaves_no_rest_and_forgets_nobody(starts: list[tuple[int, int]]):
    shifts = [shift(start, start + length) for start, length in starts]
    limits, new = Limits(), shift(100, 104)
    together = without_rest(new, shifts, limits)
    assert new in together
    rest = timedelta(hours=limits.rest_hours)
    for one in shifts:
        alone = all(
            one.starts_at >= of.ends_at + rest or of.starts_at >= one.ends_at + rest
            for of in together
        )
        assert alone == (one not in together)
    assert worked_hours(together) >= 4


def people(unit: str, count: int, **said: Any) -> list[Candidate]:
    return [Candidate(id_(f"{unit}{n}"), id_(unit), **said) for n in range(count)]


def test_units_are_asked_in_fair_share_and_who_was_not_asked_first():
    order = fair([*people("A", 100), *people("B", 10), *people("C", 10, asked_at=NOON)])
    assert [one.unit for one in order[-10:]] == [id_("C")] * 10
    first = [one.unit for one in order[:55]]
    assert first.count(id_("B")) == 5


def test_who_lives_nearest_goes_there():
    town, east, west = id_("town"), id_("east"), id_("west")
    near = people("A", 30, line=(town, east))
    far = people("B", 30, line=(town, west))
    needs = [Need(id_("D1"), 5, (town, east)), Need(id_("D2"), 20, (town, west))]
    chosen = choose(needs, [*near, *far], Rates())
    assert set(chosen[id_("D1")]) <= {one.staff for one in near}
    assert {one.staff for one in far} <= set(chosen[id_("D2")])
    assert len(chosen[id_("D2")]) == 37  # 20 / 0.55, seven of them from the other side
    asked = [one for several in chosen.values() for one in several]
    assert len(asked) == len(set(asked))


def test_only_those_who_may():
    may = frozenset({id_("A3"), id_("A4")})
    chosen = choose([Need(id_("D1"), 5, (), may), Need(id_("D2"), 1)], people("A", 10), Rates())
    assert set(chosen[id_("D1")]) == may
    assert not may & set(chosen[id_("D2")])


def test_rates_are_learned_by_unit_and_never_nothing():
    rates = Rates({id_("A"): 200, id_("B"): 200}, {id_("A"): 180, id_("B"): 0})
    assert rates.of(id_("A")) > 0.85
    assert 0.1 <= rates.of(id_("B")) < 0.15
    assert 0.44 < rates.of(id_("new")) < 0.47
    assert expected([id_("new")] * 10, Rates()) == 6
    assert expected([], Rates()) == 0
