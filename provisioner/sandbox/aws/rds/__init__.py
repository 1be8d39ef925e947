"""RDS for PostgreSQL, strict: what AWS refuses is refused, with AWS's codes, and what it makes is a real server.

The parts, in the order a call meets them:

``service``          the table of operations
``checks``           rules about an instance's settings: names, passwords, storage, windows, network, monitoring
``instances``        create, describe, reboot, delete; the states on the way
``modify``           instant, prompt and deferred changes; PendingModifiedValues
``parameter_table``  the parameters with their types, bounds and defaults; the formulas
``parameter_groups`` groups, and how a change spreads to the servers that use them
``server_values``    from a group to the settings of the PostgreSQL behind
``snapshots``, ``restore``  copies of the data, and instances made from them
``proxies``          DB proxies: create, change, delete; ``proxy_checks`` has the rules, ``proxy`` says what one is
``proxy_targets``    their group and the database registered there; ``proxy_health`` finds out whether they reach it
``backups``          automated backups, and copies of them in another region
``replicas``         instances that stream from another, in the same region or elsewhere
``subnet_groups``, ``subscriptions``, ``tagging``, ``catalogue``, ``versions``, ``views``, ``state``

Weaknesses: the PostgreSQL behind is the one that is installed, whatever EngineVersion says. Clusters,
point-in-time restore, proxies' further endpoints and option groups are not offered (NotImplemented, 501). A maintenance
window never comes. The wait of six hours between two storage changes lasts only as long as ``storage-optimization`` is
shown.
"""
