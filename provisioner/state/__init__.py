"""A deployment's record on disk. One directory is one deployment.

In the order in which data meets the parts:

1. ``records``   what is recorded: steps, runs, changes with their undo, and the entries that change them.
2. ``store``     start here: ``Store.open``, ``commit``, ``fold``, ``close``; and ``peek`` for readers.
3. ``lock``      one writer: the kernel's lock on ``lock``, and in it who holds it.
4. ``journal``   ``journal.jsonl``: a commit is one checksummed write and one sync, however big the state.
5. ``ledger``    what an entry does to the state in memory; live and after a crash it is the same code.
6. ``snapshot``  ``state.json``: the whole state for people, with a checksum; a fold replaces it atomically.
7. ``load``      snapshot + journal = state, or a refusal that says what is wrong.
8. ``upgrade``   from older formats to the present one.
9. ``recovery``  what can be had back from damaged files.
10. ``audit``    ``audit.jsonl``: who did what and when, each line chained to the one before.
11. ``files``    the system calls under all of it, in one object that tests replace.

What holds: a commit that returned survives ``kill -9`` and a power cut; one that did not return is there
whole or not at all; a reader without a lock sees the state as of some commit. No secret gets in: the encoder
refuses it.

Weaknesses. The directory must be on a file system whose ``flock`` and ``rename`` can be trusted; some network
file systems' cannot. Whoever breaks a lock between a writer's last look at it and its fold lets that writer
replace ``state.json`` once more; the new owner's next fold puts it right. Deleting ``journal.jsonl`` by hand
after a crash loses what was not folded, and nothing tells: the objects are found again by their tags. A
snapshot is held in memory and written whole, so a fold costs in proportion to the number of steps (0.1 s
and 12 MB at 10,000).
"""
