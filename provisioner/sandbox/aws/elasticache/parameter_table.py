"""The parameters of ElastiCache: type, bounds, default, and whether Valkey itself knows them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from provisioner.sandbox.aws.call import AwsError

# name | change | type | allowed | default | Valkey's too (x) or AWS's alone (-) | families | description
_TABLE: Final = """
acllog-max-len | immediate | integer | 0-10000 | 128 | x | redis6 redis7 valkey7 valkey8 | Maximum length of the ACL log.
activedefrag | immediate | string | yes,no | no | - | redis6 redis7 valkey7 valkey8 | Enabled active memory defragmentation.
active-defrag-cycle-max | immediate | integer | 1-99 | 75 | - | redis6 redis7 valkey7 valkey8 | Maximal effort for defrag in CPU percentage.
active-defrag-cycle-min | immediate | integer | 1-99 | 5 | - | redis6 redis7 valkey7 valkey8 | Minimal effort for defrag in CPU percentage.
active-expire-effort | immediate | integer | 1-10 | 1 | x | redis6 redis7 valkey7 valkey8 | Effort of deleting expired keys in the background.
activerehashing | fixed | string | yes,no | yes | - | redis6 redis7 valkey7 valkey8 | Apply rehashing or not.
appendonly | fixed | string | yes,no | no | - | redis6 redis7 valkey7 valkey8 | Enable Redis persistence.
client-output-buffer-limit-normal-hard-limit | immediate | integer | 0- | 0 | - | redis6 redis7 valkey7 valkey8 | Normal client output buffer hard limit in bytes.
client-output-buffer-limit-pubsub-hard-limit | immediate | integer | 0- | 33554432 | - | redis6 redis7 valkey7 valkey8 | Pubsub client output buffer hard limit in bytes.
client-output-buffer-limit-pubsub-soft-limit | immediate | integer | 0- | 8388608 | - | redis6 redis7 valkey7 valkey8 | Pubsub client output buffer soft limit in bytes.
client-output-buffer-limit-pubsub-soft-seconds | immediate | integer | 0- | 60 | - | redis6 redis7 valkey7 valkey8 | Pubsub client output buffer soft limit in seconds.
close-on-replica-write | immediate | string | yes,no | yes | - | redis6 redis7 valkey7 valkey8 | Close connections when clients write to read-only replicas.
cluster-enabled | requires-reboot | string | yes,no | no | - | redis6 redis7 valkey7 valkey8 | Enable cluster mode.
databases | requires-reboot | integer | 1-1200000 | 16 | - | redis6 redis7 valkey7 valkey8 | Set the number of databases.
hash-max-listpack-entries | immediate | integer | 0- | 512 | x | redis7 valkey7 valkey8 | The maximum number of hash entries in order for the dataset to be compressed.
hash-max-listpack-value | immediate | integer | 0- | 64 | x | redis7 valkey7 valkey8 | The threshold of biggest hash entries in order for the dataset to be compressed.
hash-max-ziplist-entries | immediate | integer | 0- | 512 | x | redis6 | The maximum number of hash entries in order for the dataset to be compressed.
hash-max-ziplist-value | immediate | integer | 0- | 64 | x | redis6 | The threshold of biggest hash entries in order for the dataset to be compressed.
hll-sparse-max-bytes | immediate | integer | 1-16000 | 3000 | x | redis6 redis7 valkey7 valkey8 | HyperLogLog sparse representation bytes limit.
latency-tracking | immediate | string | yes,no | no | x | redis7 valkey7 valkey8 | Tracks per command latency.
lazyfree-lazy-eviction | immediate | string | yes,no | no | x | redis6 redis7 valkey7 valkey8 | Perform an asynchronous delete on evictions.
lazyfree-lazy-expire | immediate | string | yes,no | no | x | redis6 redis7 valkey7 valkey8 | Perform an asynchronous delete on expired keys.
lazyfree-lazy-server-del | immediate | string | yes,no | no | x | redis6 redis7 valkey7 valkey8 | Perform an asynchronous delete on key updates.
lazyfree-lazy-user-del | immediate | string | yes,no | no | x | redis6 redis7 valkey7 valkey8 | Specifies whether DEL acts like UNLINK.
lfu-decay-time | immediate | integer | 0- | 1 | x | redis6 redis7 valkey7 valkey8 | The amount of time in minutes to decrement the key counter for LFU eviction policy.
lfu-log-factor | immediate | integer | 1- | 10 | x | redis6 redis7 valkey7 valkey8 | Set the log factor for key counter for LFU eviction policy.
list-compress-depth | immediate | integer | 0- | 0 | x | redis6 redis7 valkey7 valkey8 | Number of quicklist ziplist nodes to exclude from compression.
list-max-listpack-size | immediate | integer | -5- | -2 | x | redis7 valkey7 valkey8 | The number of entries allowed per internal list node.
lua-time-limit | fixed | integer | 5000 | 5000 | - | redis6 redis7 valkey7 valkey8 | Max execution time of a Lua script in milliseconds.
maxclients | fixed | integer | 1-65000 | 65000 | - | redis6 redis7 valkey7 valkey8 | The maximum number of clients.
maxmemory-policy | immediate | string | volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction | volatile-lru | x | redis6 redis7 valkey7 valkey8 | Max memory policy.
maxmemory-samples | immediate | integer | 1- | 3 | x | redis6 redis7 valkey7 valkey8 | Max memory samples.
min-replicas-max-lag | immediate | integer | 0- | 10 | x | redis6 redis7 valkey7 valkey8 | The maximum lag in seconds of replicas.
min-replicas-to-write | immediate | integer | 0- | 0 | x | redis6 redis7 valkey7 valkey8 | The minimum number of replicas that must be available for writes.
notify-keyspace-events | immediate | string | | | x | redis6 redis7 valkey7 valkey8 | The keyspace events to notify Pub/Sub clients about.
proto-max-bulk-len | immediate | integer | 1048576-536870912 | 536870912 | x | redis6 redis7 valkey7 valkey8 | Max size of a single element request in bytes.
rename-commands | immediate | string | | | - | redis6 redis7 | Space separated list of renamed commands.
repl-backlog-size | immediate | integer | 16384- | 1048576 | x | redis6 redis7 valkey7 valkey8 | The replication backlog size in bytes.
repl-backlog-ttl | fixed | integer | 0- | 3600 | - | redis6 redis7 valkey7 valkey8 | The amount of time in seconds after the master no longer has connected slaves.
repl-timeout | fixed | integer | 11- | 60 | - | redis6 redis7 valkey7 valkey8 | The replication timeout in seconds.
reserved-memory | immediate | integer | 0- | 0 | - | redis6 redis7 valkey7 valkey8 | The amount of memory reserved for non-cache memory usage in bytes.
reserved-memory-percent | immediate | integer | 0-100 | 25 | - | redis6 redis7 valkey7 valkey8 | The percent of memory reserved for non-cache memory usage.
set-max-intset-entries | immediate | integer | 0- | 512 | x | redis6 redis7 valkey7 valkey8 | The limit in the size of the set in order for the dataset to be compressed.
slowlog-log-slower-than | immediate | integer | -1- | 10000 | x | redis6 redis7 valkey7 valkey8 | The execution time, in microseconds, to exceed in order for the command to get logged.
slowlog-max-len | immediate | integer | 0- | 128 | x | redis6 redis7 valkey7 valkey8 | The length of the slow log.
stream-node-max-bytes | immediate | integer | 0- | 4096 | x | redis6 redis7 valkey7 valkey8 | The maximum size of a single node in a stream in bytes.
stream-node-max-entries | immediate | integer | 0- | 100 | x | redis6 redis7 valkey7 valkey8 | The maximum number of items a single node in a stream can contain.
tcp-keepalive | immediate | integer | 0- | 300 | x | redis6 redis7 valkey7 valkey8 | If non-zero, send ACKs every given number of seconds.
timeout | immediate | integer | 0,20- | 0 | x | redis6 redis7 valkey7 valkey8 | Close connection if client is idle for a given number of seconds, or never if 0.
tracking-table-max-keys | immediate | integer | 0-100000000 | 1000000 | x | redis6 redis7 valkey7 valkey8 | The maximum number of keys allowed for the tracking table.
zset-max-listpack-entries | immediate | integer | 0- | 128 | x | redis7 valkey7 valkey8 | The maximum number of sorted set entries in order for the dataset to be compressed.
zset-max-listpack-value | immediate | integer | 0- | 64 | x | redis7 valkey7 valkey8 | The threshold of biggest sorted set entries in order for the dataset to be compressed.
"""  # noqa: E501 - one row a line


@dataclass(frozen=True, slots=True)
class CacheParameter:
    """One row. ``allowed``: ``low-high`` (either may be open), words, both mixed, or empty for any text."""

    name: str
    change: str
    kind: str
    allowed: str
    default: str
    known_to_server: bool
    description: str

    def check(self, value: str) -> None:
        """AwsError where the parameter cannot have ``value``."""
        if not self._fits(value):
            raise AwsError(
                "InvalidParameterValue",
                f"The value {value} is not valid for parameter {self.name}; allowed values are: {self.allowed}",
            )

    def _fits(self, value: str) -> bool:
        if not self.allowed:
            return True
        if self.kind != "integer":
            return value in self.allowed.split(",")
        if not re.fullmatch(r"-?\d+", value):
            return False
        return any(_within(int(value), part) for part in self.allowed.split(","))


def _within(number: int, part: str) -> bool:
    found = re.fullmatch(r"(-?\d+)(?:(-)(\d*))?", part)
    if not found:
        raise AssertionError(f"{part!r} is not a range")
    low, dash, high = found.groups()
    if not dash:
        return number == int(low)
    return int(low) <= number and (not high or number <= int(high))


@functools.cache
def parameters(family: str) -> dict[str, CacheParameter]:
    """The parameters of a family by name."""
    rows = {}
    for line in _TABLE.strip().splitlines():
        cells = [cell.strip() for cell in line.split("|", 7)]
        name, change, kind, allowed, default, server, families, description = cells
        if family.removesuffix(".x") in families.split():
            rows[name] = CacheParameter(name, change, kind, allowed, default, server == "x", description)
    return rows
