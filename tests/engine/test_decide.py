"""The table of decisions, row by row: each case says why it must be so."""

from __future__ import annotations

import itertools

import pytest

from provisioner.engine.decide import Gap, Sight, Verdict, decide, sight
from provisioner.model import Observed, Phase
from provisioner.state.records import Status

_S, _G, _V = Sight, Gap, Verdict
_NEW, _MAKING, _CHANGING, _WHOLE, _GOING = None, Status.CREATING, Status.UPDATING, Status.READY, Status.DELETING

ROWS = [
    ("nothing recorded and nothing there: the first deploy", _NEW, _S.NOTHING, _G.NONE, _V.CREATE),
    ("the state was lost, the tag says ours, and it fits", _NEW, _S.READY, _G.NONE, _V.FINISH),
    ("the state was lost, and the plan has changed since", _NEW, _S.READY, _G.CHANGE, _V.UPDATE),
    ("the handler refuses this one: nobody knows what it holds", _NEW, _S.READY, _G.REPLACE, _V.REPLACE),
    ("the state was lost while it was being made", _NEW, _S.PENDING, _G.NONE, _V.SETTLE),
    ("the state was lost and it is broken: it may hold data", _NEW, _S.FAILED, _G.NONE, _V.BROKEN),
    ("the state was lost while it was being deleted", _NEW, _S.DELETING, _G.NONE, _V.SETTLE),
    ("announced, never made: the process died between", _MAKING, _S.NOTHING, _G.NONE, _V.CREATE),
    ("announced and made", _MAKING, _S.READY, _G.NONE, _V.FINISH),
    ("made, and the plan has changed before the next try", _MAKING, _S.READY, _G.CHANGE, _V.UPDATE),
    ("made, and now only another object will do; nobody used it", _MAKING, _S.READY, _G.REPLACE, _V.REPLACE),
    ("the cloud is still at it", _MAKING, _S.PENDING, _G.NONE, _V.SETTLE),
    ("it never was usable, so it holds nothing", _MAKING, _S.FAILED, _G.NONE, _V.REPLACE),
    ("a half-made one is going away", _MAKING, _S.DELETING, _G.NONE, _V.SETTLE),
    ("deleted outside during an update", _CHANGING, _S.NOTHING, _G.NONE, _V.CREATE),
    ("the update was carried out", _CHANGING, _S.READY, _G.NONE, _V.FINISH),
    ("the update was not carried out", _CHANGING, _S.READY, _G.CHANGE, _V.UPDATE),
    ("the plan has moved on to what no update can do", _CHANGING, _S.READY, _G.REPLACE, _V.REPLACE),
    ("the update is under way", _CHANGING, _S.PENDING, _G.NONE, _V.SETTLE),
    ("broken with the wanted values: no call of ours helps", _CHANGING, _S.FAILED, _G.NONE, _V.BROKEN),
    ("broken by a value that the plan has mended", _CHANGING, _S.FAILED, _G.CHANGE, _V.UPDATE),
    ("broken and only a new one would do: it holds data", _CHANGING, _S.FAILED, _G.REPLACE, _V.BROKEN),
    ("somebody deletes it meanwhile", _CHANGING, _S.DELETING, _G.NONE, _V.SETTLE),
    ("drift: somebody deleted it", _WHOLE, _S.NOTHING, _G.NONE, _V.CREATE),
    ("nothing to do: no write call at all", _WHOLE, _S.READY, _G.NONE, _V.KEEP),
    ("the plan changed, or somebody changed it outside", _WHOLE, _S.READY, _G.CHANGE, _V.UPDATE),
    ("the plan asks for what only a new object has", _WHOLE, _S.READY, _G.REPLACE, _V.REPLACE),
    ("maintenance: wait for its end, then compare", _WHOLE, _S.PENDING, _G.NONE, _V.SETTLE),
    ("broken by itself: it may hold data", _WHOLE, _S.FAILED, _G.NONE, _V.BROKEN),
    ("broken by a value that the plan has mended", _WHOLE, _S.FAILED, _G.CHANGE, _V.UPDATE),
    ("broken and only a new one would do: it holds data", _WHOLE, _S.FAILED, _G.REPLACE, _V.BROKEN),
    ("somebody deletes it meanwhile", _WHOLE, _S.DELETING, _G.NONE, _V.SETTLE),
    ("the delete was carried out, and the plan wants it again", _GOING, _S.NOTHING, _G.NONE, _V.CREATE),
    ("the delete never happened: what is whole stays, data and all", _GOING, _S.READY, _G.NONE, _V.FINISH),
    ("the delete never happened, and the plan has changed", _GOING, _S.READY, _G.CHANGE, _V.UPDATE),
    ("deleted in order to be made anew: go on with that", _GOING, _S.READY, _G.REPLACE, _V.REPLACE),
    ("the cloud is at something: see what comes of it", _GOING, _S.PENDING, _G.NONE, _V.SETTLE),
    ("broken and on its way out: finish the delete", _GOING, _S.FAILED, _G.NONE, _V.REPLACE),
    ("being deleted: wait, then make it anew", _GOING, _S.DELETING, _G.NONE, _V.SETTLE),
]


@pytest.mark.parametrize(("why", "record", "what", "gap", "verdict"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_the_table(why: str, record: Status | None, what: Sight, gap: Gap, verdict: Verdict) -> None:
    assert decide(record, what, gap, adopt=False, young=False) is verdict, why


_DECIDED = [what for what in Sight if what not in (Sight.FOREIGN, Sight.UNTAGGED)]
"""What the table decides; of the others the tests below speak."""


def test_there_is_a_row_for_everything_that_can_be_true() -> None:
    named = {(record, what) for _, record, what, _, _ in ROWS}
    for record, what in itertools.product([None, *Status], _DECIDED):
        assert (record, what) in named
        for gap, adopt, young in itertools.product(Gap, (False, True), (False, True)):
            decide(record, what, gap, adopt=adopt, young=young)


@pytest.mark.parametrize("record", [None, *Status])
def test_somebody_elses_object_stops_the_step_whatever_was_recorded(record: Status | None) -> None:
    assert decide(record, Sight.FOREIGN, Gap.NONE, adopt=False, young=False) is Verdict.FOREIGN
    assert decide(record, Sight.FOREIGN, Gap.NONE, adopt=True, young=False) is Verdict.ADOPT


@pytest.mark.parametrize("record", Status)
@pytest.mark.parametrize("adopt", [False, True])
def test_what_is_ours_without_its_tag_gets_it_back_before_anything_else(record: Status, adopt: bool) -> None:
    assert decide(record, Sight.UNTAGGED, Gap.REPLACE, adopt=adopt, young=True) is Verdict.CLAIM
    untagged = Observed(phase=Phase.READY, owner=None)
    assert sight(untagged, "shop/db", adopted=False, known=True) is Sight.UNTAGGED
    theirs = Observed(phase=Phase.READY, owner="other/db")
    assert sight(theirs, "shop/db", adopted=False, known=True) is Sight.FOREIGN


@pytest.mark.parametrize("record", [None, *Status])
def test_what_is_to_be_adopted_is_never_made(record: Status | None) -> None:
    assert decide(record, Sight.NOTHING, Gap.NONE, adopt=True, young=False) is Verdict.MISSING


def test_what_may_not_be_visible_yet_is_waited_for_before_it_is_made_again() -> None:
    for record in (Status.CREATING, Status.DELETING):
        assert decide(record, Sight.NOTHING, Gap.NONE, adopt=False, young=True) is Verdict.WAIT


def test_what_may_be_deleted_and_still_show_is_waited_for_before_it_is_taken_for_whole() -> None:
    assert decide(Status.DELETING, Sight.READY, Gap.NONE, adopt=False, young=True) is Verdict.WAIT
    assert decide(Status.CREATING, Sight.READY, Gap.NONE, adopt=False, young=True) is Verdict.FINISH


def test_an_object_is_ours_by_its_tag_or_because_we_adopted_it() -> None:
    untagged = Observed(phase=Phase.READY, owner=None)
    assert sight(None, "shop/db", adopted=False) is Sight.NOTHING
    assert sight(untagged, "shop/db", adopted=False) is Sight.FOREIGN
    assert sight(untagged, "shop/db", adopted=True) is Sight.READY
    for phase in Phase:
        ours = Observed(phase=phase, owner="shop/db")
        assert sight(ours, "shop/db", adopted=False).value == phase.value
        assert sight(ours, "shop/cache", adopted=False) is Sight.FOREIGN
