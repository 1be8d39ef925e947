"""Preflight: what would go wrong, or be of no use, told before a cent is spent. Nothing is written to any cloud.

1. ``book``       the table of its rules; ``rule`` is the decorator. ``families`` reads every family once.
2. ``network``    networks, zones, who reaches whom; ``region``: what belongs into another region or account.
3. ``rds`` and ``storage``, ``proxy``, ``cache``, ``functions``   versions, classes, what must fit together;
                  ``policies`` tells what a role of the plan may.
4. ``parameters`` names, units and ranges; ``capacity``: memory and connections.
5. ``secrets``, ``passwords``             documents, how well a password withstands guessing.
6. ``alarms``, ``metrics``, ``thresholds``   alarms that cannot fire; ``costs``: budgets.
7. ``identity``, ``offers``, ``quotas``, ``reserved``   ask the cloud (:mod:`provisioner.survey`).
8. ``check``      start here: offline, or online too, over a plan; the scan's gravest findings are among its warnings.

What a Spec's own rules refuse (``provisioner validate``) is not said here a second time.

Weaknesses. Quotas that AWS does not count for its callers are not judged. Permissions are those that the policies of
the caller itself give: what an organization or a boundary takes away shows only where AWS's simulator knows of it.
"""
