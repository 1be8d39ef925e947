"""The engine: takes a plan and a record to the same place, and survives being killed anywhere on the way.

In the order in which a deploy meets the parts:

1. ``context``   what the steps of one run share: store, drivers, values, the way to call and to commit.
2. ``preview``   reads everything, decides every step, does nothing.
3. ``schedule``  the ready-set: a step starts when the last thing that it needs is done.
4. ``loop``      one thread drives all steps as generators; calls go to a pool, waits into a timer heap, looks of one
                 type into one list call, commits of one tick into one write.
5. ``forward``   one step's life: look, ``decide``, announce (``intent``), act, look again. Start here.
6. ``decide``    the table: what the record says × what the cloud says → what to do.
7. ``course``    what one step aims at, and its ways to wait; ``compare`` finds what differs; ``gate`` runs checks.
8. ``retry``     the one place that retries and slows down.
9. ``lost``      knows an object of ours again whose owner's tag is gone; ``claim`` puts it back; ``stop``: dead ends.
10. ``remove``   takes one object away (``held``: who is in the way, and whether waiting helps); ``reverse`` undoes the
                 changes of a run with it.
11. ``drift``    one object three ways: cloud, record, plan (``sides``), field by field (``fields``); ``search`` finds
                 what is ours and in no record.
12. ``events``   what the outside is told; ``clock`` is time, injected.

The engine knows no cloud: types come through the registry, and only their four verbs and class attributes are used.

Weaknesses. A call that hangs keeps its worker until the SDK's time-out. Undoing an update that changed a secret
*parameter* needs the old value from the user again: the state holds a fingerprint of it and nothing more. A replaced
object is deleted before its successor is made, so whatever still points to it must let go first. A create whose answer
was lost is given ``course.LATE`` seconds to show up before an undo calls it undone; a cloud that takes effect later
than that leaves an object behind, which the next deploy finds by its tag.
"""
