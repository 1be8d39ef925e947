"""A sandbox of cloud control planes on the user's own machine, with real databases behind them.

1. ``supervisor``  starts, finds and stops the one background process; light to import, used by the command line.
2. ``server``      that process: a gateway a cloud, and the admin interface (``admin``) for faults, latency, inventory.
3. ``aws``         the AWS control plane: a gateway that logs, delays, faults and routes each call, strict services of
                   our own for RDS and ElastiCache, and moto with tightened rules for the rest.
4. ``databases``   real PostgreSQL and Valkey on loopback, with TLS, their own addresses and a throwaway authority.

Drivers do not know that it exists: they read one file of endpoints. It imports nothing of provisioner but itself.

Weaknesses: control planes live in memory, so stopping the sandbox forgets them; quotas, IAM policy evaluation and
prices are not simulated; the databases run without fsync, because their data is throwaway.
"""
