"""Measures what the project promises about speed and memory, and the same work by Terraform where there is one.

1. ``__main__``   start here: runs the sections, prints the table, keeps every section as it was last taken.
2. ``table``      a row: ours, theirs, the ratio, the goal; ``results`` keeps them, ``page`` prints them for a page.
3. ``process``    runs one command: wall, CPU and memory of all its processes (``sampler``), what it said and when.
4. ``rehearsal``  the sandbox for both sides: slow as told, emptied in between; counts calls, knows what is ready when.
5. ``sides``      the same works by ``provisioner`` and by Terraform (``tf`` finds it and makes its stacks ready).
6. ``contest``    both sides in turn, medians, and the rows that come of it; ``hall`` is where a section does this.

The sections:

============  ========================================================================================================
cold          ``--help``, ``version``, ``validate``, a plan with nothing to do
toy           150 and 1,500 steps on the toy cloud of the tests: time a step, memory, cost of a transition of the record
throttle      300 light resources where every service allows 10 calls a second
waiting       credlink where a database takes 12 s and a cache 8: what is added to that, and the lag from ready to done
credlink      from nothing, no-op, update of one value, destroy; at 0 and 50 ms a call
scale         the same with 10 to 1,500 light resources (``light``)
============  ========================================================================================================

Weaknesses. One machine's numbers; the sandbox takes CPU from the command that it serves, and the more calls a command
makes at once the more, so on few cores walls say as much about the sandbox as about either side. Memory is looked at
every 50 ms: a shorter peak is missed. The lag is that of a database in the sandbox, which is ready in seconds and not
in minutes.
"""
