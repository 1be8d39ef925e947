"""What the verbs of the command line do, free of any printing: each takes a site, a plan and options.

1. ``home``      where files are.
2. ``site``      start here: the lock, the record, the drivers and the loop of one deployment; how runs are recorded.
3. ``deploy``    preview, refuse or confirm, go forward, reverse on failure.
4. ``reversal``  taking a run back: after a failure, after a crash in the middle of it, and for ``rollback``.
5. ``takedown``  deleting a set of recorded objects; ``destroy`` is that for all of them.
   ``letgo`` is the way out where neither can come to its end.
6. ``outputs``   the plan's outputs, from the record or from the cloud; ``handoff``: all that the next module needs,
                 without a secret; ``privatefile`` keeps either for its owner alone.
7. ``drift``     every object three ways, and what is in no record; ``adopt`` takes the cloud's word into the record,
                 ``salvage`` writes lost records anew (``kin`` guesses what needs what). None of them touches an object.
8. ``surveys``   preflight with the cloud's answers, and the scan of what is deployed.
9. ``verify``    the checklists of what is deployed, gone through; ``costs``: the record, told as a plan's outline, so
                 that it can be priced.
10. ``monitor``   would anybody be told, and a try; ``measure``: what a database is busy with, asked through a check.
11. ``status``, ``graph``, ``doctor``, ``explain`` read and report.

Weakness: a run holds its process for as long as the cloud takes; there is no daemon that would go on without it. If it
dies, the next command goes on.
"""
