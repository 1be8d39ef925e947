"""One suite over every registered type: what the engine relies on, each type must keep.

``cases/<cloud>_<type>.py`` holds a type's CASE: an example spec, what must exist before it, changes.
``case.py`` says what a case is, ``world.py`` makes and removes objects as the engine would,
``test_types.py`` is the suite. A type that is in the type map and has no case fails the suite, so a new
type is tested the day it is written. What one type promises beyond that (a secret taken back from deletion,
for one) stands in ``test_<what>.py``.

Weakness: it believes the sandbox, which has its own tests against botocore's models.
"""
