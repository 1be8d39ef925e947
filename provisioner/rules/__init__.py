"""What a check of a plan is made of; ``preflight`` and ``scan`` are two books of such checks.

1. ``rule``     a rule: id, level, family, meaning, hint, source, and one small function that yields hits. ``Book``
                gathers the rules of a package by a decorator.
2. ``look``     what a rule looks at: the plan's outline, today's date, and for some rules a survey of the cloud.
3. ``waived``   which findings a plan has waived, with a reason and until when; what is wrong with the waivers.
4. ``run``      start here: rules over a look → a Report.

A rule knows one thing and says it of each step where it is so. It never stops another: a question that the cloud
will not answer becomes a finding that says that this was not checked.

Weakness: a rule sees what the plan says. What depends on a value that only the cloud knows is not judged at all, nor is
what the plan does not say of an object that it adopts.
"""
