"""A deployment's record: in a directory, or under a prefix in a bucket.

In the order in which data meets the parts:

1. ``records``   what is recorded: steps, runs, changes with their undo, and the entries that change them.
2. ``store``     start here: ``Store.open``, ``commit``, ``fold``, ``close``; and ``peek`` for readers.
3. ``backend``   where it is kept, as the store sees it: something to read, and a pen that one process holds.
4. ``local``     the backend of a directory. ``lock``: the kernel's lock, and who holds it; ``journal``: a commit is one
   checksummed write and one sync, however big the state; ``files``: the system calls under all of it, which tests
   replace.
5. ``remote``    the backend of a bucket: a lease, and commits that are created, never overwritten.
6. ``ledger``    what an entry does to the state in memory; live and after a crash it is the same code.
7. ``snapshot``  ``state.json``: the whole state for people, with a checksum; a fold replaces it atomically.
8. ``load``      snapshot + journal = state, or a refusal that says what is wrong.
9. ``upgrade``   from older formats to the present one.
10. ``recovery``  what can be had back from damaged files.
11. ``transfer``  a record as one file: pull and push.
12. ``audit``     ``audit.jsonl``: who did what and when, each line chained to the one before.

What holds: a commit that returned survives ``kill -9`` and a power cut; one that did not return is there
whole or not at all; a reader without a lock sees the state as of some commit. No secret gets in: the encoder
refuses it.

Weaknesses. A directory must be on a file system whose ``flock`` and ``rename`` can be trusted; some network
file systems' cannot. Whoever breaks a lock between a writer's last look at it and its fold lets that writer
replace ``state.json`` once more; the new owner's next fold puts it right. Deleting ``journal.jsonl`` by hand
after a crash loses what was not folded, and nothing tells: the objects are found again by their tags. A
snapshot is held in memory and written whole, so a fold costs in proportion to the number of steps (0.1 s
and 12 MB at 10,000).
"""
