"""The drivers: what each cloud can make, one file a type, and the lazy map that finds them.

1. ``typemap``  type name → module and class; cloud → session. Nothing else is imported until a plan names a type.
2. ``aws``      Amazon Web Services over boto3: ``session`` (clients, endpoints, credentials), ``errors`` (one
                translation table), ``tags`` (ownership), then one file a resource.
3. ``check``    gates: does it answer, over TLS, with this password.

A driver imports the core and its own SDK; never the engine, the state, another cloud or the sandbox.
"""
