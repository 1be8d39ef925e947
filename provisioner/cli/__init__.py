"""The command line: words in, texts or JSON and an exit code out.

In the order in which a command meets the parts:

1.  ``main``        the table of verbs; every exception ends in ``Root.main``. ``lazy`` imports a verb when it is used.
2.  ``options``     options that verbs share, handed over as one object a group; ``completers`` fill them in after TAB;
                    ``shapes``: how values leave for other programs.
3.  ``app``         what every verb gets: the printer, the home, the registry of types.
4.  ``verbs/``      one file a group of verbs. A verb reads its words, calls an operation, tells the result.
5.  ``work``        start here: from words to a plan (``planfile``), to the right cloud or sandbox, to a locked site.
6.  ``runs``        what surrounds every operation that changes something: to ask, to bend, to tell the end;
                    ``flight``: preflight, before a deploy asks.
7.  ``signals``     the first one stops a run in good order, the second ends the process.
8.  ``steps``       a run folded from its events; ``progress`` shows it as lines, ``live`` as a table on a terminal,
                    ``sinks`` writes the events themselves; ``watch`` repeats a text.
9.  ``text/``       every text and every JSON object: pure functions from values to lines or dicts.
10. ``render``      prints every character; ``style`` has the few colours.
11. ``boundary``    exceptions → text or object, and exit code.

Results go to stdout, everything said on the way to stderr. Only click is imported before a verb is known: a second
``import`` at the top of ``main`` would be paid for by every TAB and every ``--help``.

Weaknesses. A question is asked before the lock is given back, so a run that waits for its answer holds it. A process
that is killed while the live table is shown leaves the cursor hidden (``reset`` brings it back). The table is drawn by
a thread, which costs a few milliseconds of CPU a second while a run waits.
"""
