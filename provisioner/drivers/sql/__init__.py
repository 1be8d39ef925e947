"""Objects inside a database, made over its own protocol with a user's password.

::

    session     the trust anchors, and the fence that is asked before a connection is opened
    server      one connection for one verb; what PostgreSQL and libpq say, as the errors of our tree
    extension   an extension of PostgreSQL, owned by a mark in its comment

They belong to no cloud: the same step works on every PostgreSQL, wherever it came from. What it takes to log in is lent
by the engine (:class:`provisioner.resource.CanBorrow`), and nothing of it is kept.

Weakness: they run where provisioner runs. A database in private subnets is reached from inside the network alone: run
provisioner there, or leave the step out with a ``when``. A record that was lost does not bring them back: nobody says
which databases to search.
"""
