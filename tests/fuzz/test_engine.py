"""Random stories: whatever is typed, goes wrong and dies, in the end record and cloud agree and nothing is left."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.reduce import failure, literal, reduced
from tests.fuzz.story import Story, stories
from tests.fuzz.teller import tell


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(stories)
def test_whatever_happens_nothing_is_forgotten_doubled_stuck_or_taken_from_others(story: Story) -> None:
    found = failure(tell, story)
    if found is not None:
        raise AssertionError(f"{found[0]}; to be told again: tell({literal(reduced(tell, story))})") from found[1]
