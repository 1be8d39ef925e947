"""Scan: what is not as safe as it could be, in a plan or in what is deployed.

1. ``book``       the table of its rules; ``families`` reads every family once.
2. ``encryption``, ``transport``, ``exposure``, ``access``, ``resilience``, ``traces``   the rules.
3. ``deployed``   the same plan with the values that the cloud reports: the same rules then look at what is there.
4. ``scan``       start here.

Levels: high is what lets somebody in or loses data, medium what makes that easier or a mishap worse, low what audits
ask for. A plan waives a finding with a reason and a day on which somebody looks again.

Weakness: of what is deployed, only what the drivers' types report is seen; what a plan says nothing of (objects of
others, the account's own settings) is not.
"""
