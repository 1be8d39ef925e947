"""Stories and files that the long form found, and that must end well ever since."""

from __future__ import annotations

import pytest

from tests.fuzz.files import Case, Edit, read
from tests.fuzz.mutations import Change
from tests.fuzz.story import Command, Story, Trouble, Weather, Wish
from tests.fuzz.teller import tell

_A, _E = Wish(name="a"), Wish(name="e")

STORIES = {
    "made before it was refused, and not to be seen yet": Story(
        plans=((_E,),),
        commands=(Command(verb="deploy", trouble=(Trouble("create", "e", "quota", after=True),)),),
        weather=Weather(lag=2.0),
    ),
    "made before it was busy, then reversed": Story(
        plans=((_E, Wish(name="a", kind="gate")),),
        commands=(Command(verb="deploy", trouble=(Trouble("create", "e", "busy", after=True),)),),
    ),
    "made before a part of it was taken, then reversed": Story(
        plans=((_E, _A),),
        commands=(
            Command(
                verb="deploy",
                trouble=(Trouble("create", "a", "taken", after=True), Trouble("create", "e", "invalid")),
            ),
        ),
    ),
    "a step became a check": Story(
        plans=((Wish(name="d"), Wish(name="b", kind="gate", uses=("d",))), (Wish(name="b"),)),
        commands=(Command(verb="deploy", plan=1),),
    ),
    "less time left than a clock shows": Story(
        plans=((_A,), (_E,), (Wish(name="a", kind="light"), Wish(name="d", uses=("a",)))),
        commands=(Command(verb="deploy", plan=2, stuck="d", wait=6.0),),
        weather=Weather(provision=3.0),
    ),
    "an own object in an adopted one's place, then a rollback": Story(
        plans=((Wish(name="e", kind="gate"), Wish(name="b", adopt=True)), (_A,), (Wish(name="b"),)),
        commands=(Command(verb="keep"), Command(verb="deploy", plan=2), Command(verb="rollback")),
    ),
    "an adopted object that was changed, then an own one in its place": Story(
        plans=((_A,), (_E,), (Wish(name="e", kind="vault"), Wish(name="a", size=3, adopt=True))),
        commands=(Command(verb="deploy", plan=2, stop=52, wait=6.0), Command(verb="deploy")),
        weather=Weather(lag=4.0),
        ending="rollback",
    ),
    "a new object that lost its tag before anybody saw it": Story(
        plans=((_E,), (Wish(name="c"),), (Wish(name="c"), _E, _A)),
        commands=(Command(verb="deploy", plan=2, stop=29), Command(verb="keep", plan=2, drift=("untag", "c"))),
        weather=Weather(lag=4.0),
    ),
}

FILES = {
    "a journal nested without end, well sealed": Case(
        corpus="killed",
        edits=(Edit("journal.jsonl", (Change("insert", at=40911, what=2901), Change("nest", at=6676, what=3028))),),
        fit=True,
    ),
    "an audit file nested without end": Case(
        corpus="killed", edits=(Edit("audit.jsonl", (Change("nest", what=952),)),)
    ),
    "a time beyond the calendar, well sealed": Case(
        corpus="killed", edits=(Edit("state.json", (Change("node", at=38263, what=7709),)),), fit=True
    ),
    "a damaged state beside an edited backup": Case(
        corpus="killed",
        edits=(
            Edit("state.json", (Change("repeat", to=49426),)),
            Edit("state.json.backup", (Change("long", at=40756),)),
        ),
    ),
    "seventy thousand lines, and one of them endless": Case(
        corpus="killed",
        edits=(
            Edit(
                "audit.jsonl",
                (
                    Change("nest", at=38263, to=3032, what=3446),
                    Change("long", at=43929, to=52154, what=7219),
                    Change("leave out", at=8423, to=53564, what=3010),
                    Change("long", at=17747, to=23867, what=7322),
                ),
            ),
        ),
    ),
    "a lock of half a character": Case(
        corpus="killed", edits=(Edit("lock", (Change("node", at=23118, what=1142),)),)
    ),
    "a NUL in a key": Case(
        corpus="quickstart-json", edits=(Edit("plan.yaml", (Change("insert", at=34013, what=4570),)),)
    ),
    "a sandbox of nobody": Case(corpus="sandbox", edits=(Edit("sandbox.json", (Change("node", at=21979),)),)),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_a_story_that_once_did_not_ends_well(name: str) -> None:
    tell(STORIES[name])


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_once_was_not_is_read_in_words(name: str) -> None:
    assert read(FILES[name])
