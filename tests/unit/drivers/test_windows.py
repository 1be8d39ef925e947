"""Windows: what a week looks like in minutes."""

from hypothesis import given
from hypothesis import strategies as st

from provisioner.drivers.aws import windows

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE = st.integers(0, 24 * 60 - 1)


def _time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def test_windows_that_touch_do_not_overlap() -> None:
    assert windows.apart("03:00-04:00", "mon:04:00-mon:05:00") is None
    assert windows.apart("05:00-06:00", "mon:04:00-mon:05:00") is None


def test_a_daily_window_meets_the_weekly_one_on_any_day() -> None:
    for day in _DAYS:
        assert windows.overlap("03:30-04:30", f"{day}:04:00-{day}:05:00")


def test_windows_across_midnight_and_across_the_week_are_whole() -> None:
    assert windows.overlap("23:30-00:30", "tue:00:00-tue:01:00")
    assert windows.overlap("00:10-00:40", "sun:23:30-mon:00:30")
    assert not windows.overlap("01:00-02:00", "sun:23:30-mon:00:30")


def test_a_window_that_ends_where_it_begins_has_no_length() -> None:
    check = windows.at_least(30, windows.daily_span)
    assert check("03:00-03:00") is not None
    assert check("03:00-03:30") is None


def test_text_that_is_no_window_is_left_to_the_pattern() -> None:
    assert windows.apart("3-4", "mon:04:00-mon:05:00") is None
    assert windows.at_least(30, windows.daily_span)("soon") is None


def test_case_means_nothing() -> None:
    assert windows.same("Mon:04:00-Mon:05:00", "mon:04:00-mon:05:00")
    assert windows.overlap("04:00-05:00", "Mon:04:00-Mon:05:00")


@given(_MINUTE, st.integers(30, 600), st.integers(0, 6), _MINUTE, st.integers(30, 600))
def test_overlap_agrees_with_counting_minutes(start: int, length: int, day: int, other: int, other_length: int) -> None:
    daily = f"{_time(start)}-{_time((start + length) % 1440)}"
    end = day * 1440 + other + other_length
    weekly = f"{_DAYS[day]}:{_time(other)}-{_DAYS[end // 1440 % 7]}:{_time(end % 1440)}"
    one = {(d * 1440 + start + m) % 10080 for d in range(7) for m in range(length)}
    two = {(day * 1440 + other + m) % 10080 for m in range(other_length)}
    assert windows.overlap(daily, weekly) == bool(one & two)
