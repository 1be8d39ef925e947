"""Real PostgreSQL and Valkey behind the sandbox's control planes, on loopback and with TLS.

In the order that a database meets them:

1. ``host``: the façade. Identifiers, locks, endpoints, snapshots; everything else is called from here.
2. ``binaries``: where the servers are. ``rootless``: who they run as; ``_launch`` is the small program that
   becomes that user and then the server.
3. ``pgtemplate``: a pristine cluster, made once for a directory. ``pgparameters``: what a cluster is
   configured with. ``postgres``: one cluster, copied from the template or a snapshot.
4. ``valkey``: one cache, a primary with replicas.
5. ``processes``: servers are started from one thread that lives as long as the sandbox, because the kernel
   ends them when that thread ends; what survives all the same is swept up at the next start.
6. ``addresses``: a loopback address for each endpoint, so that it has the port that was asked for.
   ``authority``: certificates. ``tlsfront``: one event loop in front of all servers, which have no TLS of
   their own. ``pgproxy``: an endpoint in front of another's server, which plays RDS Proxy.

Weaknesses: one PostgreSQL version plays all, and the wheel's has no ``pgcrypto`` and ``uuid-ossp``;
``shared_buffers`` and the size of the WAL are capped; ``pg_stat_ssl`` says false and ``channel_binding=require``
fails, since TLS ends at the front; extensions that only a superuser may create become trusted on PostgreSQL 18
and newer alone; without Linux, servers outlive a sandbox that is killed, until the next one starts in the same
directory.
"""
