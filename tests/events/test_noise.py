import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.events import Event, NoiseSettings
from genrec.events.noise import noise_of


def acts(times, **fields):
    base = {"user_id": "ann", "item_id": "tea", "kind": "interaction", "value": "view", **fields}
    return [Event(event_id=f"e{number}", timestamp=int(time), **base) for number, time in enumerate(times)]


def test_sixty_in_a_minute_are_a_person_and_sixty_one_a_machine():
    settings = NoiseSettings()
    assert noise_of(acts(range(60)), settings) == [""] * 60
    assert noise_of(acts(np.linspace(0, 59, 61)), settings) == ["rate"] * 61
    # A minute has 60 seconds: the 61st event comes as the first one's minute is over.
    assert noise_of(acts(range(61)), settings) == [""] * 61


def test_a_burst_does_not_condemn_what_was_done_at_leisure():
    calm, burst = [0, 500, 1_000], [5_000] * 70
    found = noise_of(acts([*calm, *burst, 9_000]), NoiseSettings())
    assert found == ["", "", "", *["rate"] * 70, ""]


def test_a_steady_machine_is_found_by_the_day():
    found = noise_of(acts(range(0, 40 * 2_001, 40)), NoiseSettings())
    assert set(found) == {"rate"}
    assert set(noise_of(acts(range(0, 40 * 2_000, 40)), NoiseSettings())) == {""}


@pytest.mark.parametrize(
    ("dwell_ms", "value", "reason"),
    [(999, "view", "dwell"), (1_000, "view", ""), (None, "view", ""), (10, "purchase", ""), (10, "cart", "")],
)
def test_a_slip_of_the_finger_is_short_and_not_deliberate(dwell_ms, value, reason):
    assert noise_of(acts([1], dwell_ms=dwell_ms, value=value), NoiseSettings()) == [reason]


def test_impressions_come_by_the_hundred_and_feedback_counts_as_an_act():
    assert noise_of(acts([1] * 500, kind="impression", value=""), NoiseSettings()) == [""] * 500
    assert noise_of(acts([1] * 500, kind="feedback", value="like"), NoiseSettings()) == ["rate"] * 500


@given(
    st.lists(st.integers(0, 300), max_size=40).map(sorted),
    st.integers(1, 6),
    st.integers(1, 12),
)
def test_rate_agrees_with_counting_every_window(times, per_minute, per_day):
    settings = NoiseSettings(max_per_minute=per_minute, max_per_day=per_day)

    def crowded(time, seconds, most):
        starts = [start for start in times if start <= time < start + seconds]
        return any(sum(start <= other < start + seconds for other in times) > most for start in starts)

    expected = ["rate" if crowded(t, 60, per_minute) or crowded(t, 86_400, per_day) else "" for t in times]
    assert noise_of(acts(times), settings) == expected
