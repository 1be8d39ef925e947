"""Gates: steps that make nothing and pass or fail the deployment.

::

    session     the trust anchors that the endpoints file names, so that TLS is verified where it can be
    stages      a look in stages: name, connection, TLS, login, answer; the first that fails is the verdict
    tls         how strictly a certificate is judged, and the contexts for it
    tcp         something listens
    postgres    a PostgreSQL answers, over TLS, with this password and these parameters
    pgstats     what that PostgreSQL has counted: slow statements, and samples for a baseline
    redis       a Redis or Valkey answers, over TLS, with this token and not without it

A gate looks once and says what it saw; the engine repeats it, every 30 s for 300 s unless the plan says
otherwise.

Weakness: a gate runs where provisioner runs. A database in private subnets is reached from inside the network
alone: run provisioner there, or leave the gate out by a parameter.
"""
