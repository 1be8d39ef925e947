"""Measures what the project promises about speed and memory: one table, and ``bench/results.json``.

1. ``__main__``   start here: runs the sections, each in processes of its own, prints the table.
2. ``table``      a row: what was measured, its unit, the goal, whether it was reached.
3. ``command``    CPU time of ``provisioner --help`` and of ``validate`` on a plan of 40 steps.
4. ``toy``        150 and 1,500 light steps on the toy cloud of the tests: time a step, memory, cost of a transition.
5. ``sandbox``    credlink in the sandbox: deploy time over its critical path, and the calls of a second deploy.

Weaknesses. One machine's numbers, each the best of a few runs, so that a busy neighbour shows less; the sandbox takes
CPU from the command it serves, which makes the last section pessimistic on few cores.
"""
