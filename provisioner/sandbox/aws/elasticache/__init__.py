"""ElastiCache, strict: what AWS refuses is refused, with AWS's codes, and what it makes is a real Valkey.

``service`` is the table of operations; ``groups`` makes, shows and deletes replication groups, ``modify`` changes them,
``checks`` has the rules about their settings; ``parameter_table`` and ``parameter_groups`` are what servers run with;
``subnet_groups``, ``snapshots``, ``tagging``, ``catalogue``, ``views`` and ``state`` are what their names say.

Weaknesses: cache clusters outside replication groups, cluster mode, serverless caches, users, global datastores,
log delivery, replica counts that change and failover on demand are not offered (NotImplemented, 501). A snapshot is
a record without data. Encryption in transit is decided when a group is made.
"""
