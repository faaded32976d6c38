"""How long somebody stands: hours of duty, minutes in the suit, days on end, what the heat asks for."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from muster.workforce.engine.clocks import Clock, Span, Stint, clock, days_on_end, passed
from muster.workforce.engine.heat import measures, suit_minutes
from muster.workforce.engine.limits import Limits, Person, Shift, broken

NOON = datetime(2022, 8, 1, 12, tzinfo=UTC)
LIMITS = Limits()


def hour(n: float) -> datetime:
    return NOON + timedelta(hours=n)


def stint(
    start: float, end: float | None = None, *breaks: tuple[float, float | None], suit: bool = False
) -> Stint:
    rested = tuple(Span(hour(a), None if b is None else hour(b)) for a, b in breaks)
    return Stint(Span(hour(start), None if end is None else hour(end)), suit, rested)


def test_duty_counts_since_the_last_rest():
    assert clock([stint(0)], hour(5.5), LIMITS) == Clock(330, 0, False)
    # A pause of three hours is no rest: what came before it counts on.
    assert clock([stint(0, 4), stint(7)], hour(9), LIMITS) == Clock(360, 0, False)
    # Eight hours are.
    assert clock([stint(0, 4), stint(12)], hour(14), LIMITS) == Clock(120, 0, False)
    # Two posts at once, by mistake, are one time.
    assert clock([stint(0, 6), stint(4)], hour(8), LIMITS) == Clock(480, 0, False)
    # Who left stands no more, and has begun nothing that lies ahead.
    assert clock([stint(0, 4), stint(20)], hour(5), LIMITS) == Clock(240, 0, False)
    assert clock([stint(0, 4)], hour(12), LIMITS) == Clock(0, 0, False)


def test_a_break_empties_the_clock_of_the_suit_only():
    assert clock([stint(0, suit=True)], hour(2), LIMITS) == Clock(120, 120, False)
    assert clock([stint(0, None, (2, 2.5), suit=True)], hour(4), LIMITS) == Clock(240, 90, False)
    assert clock([stint(0, None, (2, None), suit=True)], hour(4), LIMITS) == Clock(240, 0, True)
    assert clock([stint(0, None, (2, None))], hour(4), LIMITS) == Clock(240, 0, True)


def test_of_hours_the_gravest_limit_is_told():
    def told(duty: int, suit: int = 0) -> list[tuple[str, int]]:
        return list(passed(Clock(duty, suit, False), LIMITS, suit_minutes=240))

    assert told(479) == []
    assert told(480) == [("watch", 8)]
    assert told(12 * 60, 240) == [("limit", 12), ("suit", 240)]
    assert told(72 * 60) == [("grave", 72)]


def test_days_on_end():
    days = [date(2022, 8, n) for n in (1, 2, 3, 5, 6)]
    assert days_on_end(days, date(2022, 8, 6)) == 2
    assert days_on_end(days, date(2022, 8, 7)) == 2  # today's shift has not begun
    assert days_on_end(days, date(2022, 8, 8)) == 0
    assert days_on_end(days, date(2022, 8, 3)) == 3


def test_what_the_heat_asks_for():
    assert [measures(n, LIMITS)[:1] for n in (None, 319, 320, 350, 370, 400)] == [
        (), (), ("rotate",), ("rotate",), ("six_hours",), ("stop",),
    ]  # fmt: skip
    assert [suit_minutes(n, LIMITS) for n in (None, 319, 320, 410)] == [240, 240, 60, 60]
    assert suit_minutes(320, Limits(suit_minutes=30)) == 30  # heat never lengthens it


def test_whoever_was_hurt_stands_nowhere():
    shift = Shift(NOON, hour(4))
    assert broken(shift, (), "caller", Person(hurt=True), LIMITS) == ["not_cleared"]


stints = st.lists(
    st.tuples(st.integers(-90, 20), st.integers(1, 20)).map(lambda of: stint(of[0], of[0] + of[1])),
    max_size=6,
)


@given(stints, st.integers(-10, 60))
def test_nobody_has_stood_longer_than_since_they_began(found: list[Stint], at: int):
    told = clock(found, hour(at), LIMITS)
    begun = [one.stood.starts_at for one in found if one.stood.starts_at <= hour(at)]
    longest = (hour(at) - min(begun)) / timedelta(minutes=1) if begun else 0
    assert 0 <= told.duty_minutes <= longest
    more = clock([*found, stint(at - 1)], hour(at), LIMITS)
    assert more.duty_minutes >= 60
