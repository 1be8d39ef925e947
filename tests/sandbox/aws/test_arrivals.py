"""When a database or cache became what it is can be asked for afterwards, whoever looked and however seldom."""

from __future__ import annotations

import time

from tests.sandbox.aws.conftest import Aws


def test_what_is_on_its_way_has_not_arrived(aws: Aws) -> None:
    aws.database()
    aws.cache()
    assert aws.admin("GET", "arrivals") == {"objects": []}


def test_a_database_arrived_when_its_time_was_over_and_not_when_somebody_looked(aws: Aws) -> None:
    begun = time.time()
    aws.database()
    aws.pass_time(100)
    (found,) = aws.admin("GET", "arrivals")["objects"]
    since = found.pop("since")
    assert found == {"service": "rds", "type": "db-instance", "name": "db", "status": "available"}
    # 0.6 s of the clock after it was asked for; 100 have passed on it, and next to none on the wall's.
    assert abs(since - (begun - 99.4)) < 20


def test_a_cache_that_was_changed_arrived_when_the_change_was_done(aws: Aws) -> None:
    aws.ready_cache()
    (before,) = aws.admin("GET", "arrivals")["objects"]
    aws.pass_time(100)
    aws.elasticache.modify_replication_group(
        ReplicationGroupId="cache", CacheNodeType="cache.t3.small", ApplyImmediately=True
    )
    assert aws.admin("GET", "arrivals")["objects"] == []
    aws.pass_time(0.2)
    (after,) = aws.admin("GET", "arrivals")["objects"]
    assert (after["name"], after["status"]) == ("cache", "available")
    # The first came to rest 59.6 s before it was asked about, the second just then.
    assert after["since"] > before["since"] + 50
