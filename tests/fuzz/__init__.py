"""Fuzz: stories about deployments, and files that nobody would write, until something gives way.

1. ``story``     what a story is: plans, commands, troubles, deaths; plain data whose ``repr`` can be pasted into a test.
2. ``building``  makes plans of wishes; ``teller`` tells a story in the toy cloud, checks what must hold after every
   command, and brings it to its end; ``reduce`` makes smaller what failed.
3. ``mutations`` what can be done to a file: bytes flipped, lines moved, nodes of a wrong type, bombs; data again.
4. ``corpus``    the files that are mutated: plans, parameters, states, journals, the sandbox's files.
5. ``readers``   the functions that read them, each with the errors that it may raise.
6. ``files``     puts the three together into a case; ``worker`` carries out a share of either half in a child.
7. ``__main__``  the long form, ``scripts/fuzz``: counts, violations, a case to paste, memory and time.

The suite tells a few stories and reads a spread of files, always the same ones. What was found and mended has a test of
its own beside what it is about; the stories and files that found it are in ``test_found.py``.
"""
