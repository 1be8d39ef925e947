"""What buckets, topics and log groups do beyond the contract."""

import msgspec
import pytest

from provisioner.drivers.aws.sns_subscription import owner_tag
from provisioner.errors import AlreadyExistsError, HoldsDataError
from provisioner.model import Phase
from tests.contract.world import World


def test_a_bucket_with_something_in_it_is_not_deleted_and_says_how_it_would_be(lone_world: World) -> None:
    key, _ = lone_world.make("aws.s3_bucket", "files", {})
    lone_world.session().client("s3").put_object(Bucket=key.name, Key="a", Body=b"1")
    with pytest.raises(HoldsDataError) as caught:
        lone_world.driver("aws.s3_bucket").delete(key)
    assert "--allow-data-loss" in caught.value.hint


def test_discarding_a_bucket_takes_every_version_and_every_delete_marker(lone_world: World) -> None:
    key, _ = lone_world.make("aws.s3_bucket", "files", {})
    s3 = lone_world.session().client("s3")
    for body in (b"1", b"2", b"3"):
        s3.put_object(Bucket=key.name, Key="a", Body=body)
    s3.delete_object(Bucket=key.name, Key="a")
    s3.put_object(Bucket=key.name, Key="b/ü x", Body=b"4")
    driver = lone_world.driver("aws.s3_bucket")
    driver.discard(key)
    assert driver.read(key) is None


def test_a_bucket_of_somebody_else_is_not_configured(lone_world: World) -> None:
    """In us-east-1 a second CreateBucket by the same account succeeds; the driver must not take that for its own."""
    key, _ = lone_world.make("aws.s3_bucket", "files", {"versioning": True})
    driver = lone_world.driver("aws.s3_bucket")
    other = msgspec.structs.replace(key, deployment="other")
    with pytest.raises(AlreadyExistsError, match="somebody else"):
        driver.create(other, lone_world.spec("aws.s3_bucket", {"versioning": False}))
    assert driver.read(key).spec["versioning"] is True and driver.read(key).owner == key.owner


def test_a_bucket_cut_off_after_its_first_call_is_completed(lone_world: World) -> None:
    tree = {"lifecycle": [{"id": "old", "expiration_days": 9}]}
    key = lone_world.key("aws.s3_bucket", "files", tree)
    driver = lone_world.driver("aws.s3_bucket")
    lone_world.watch(driver, key)
    tag = {"Key": "provisioner:owner", "Value": key.owner}
    lone_world.session().client("s3").create_bucket(Bucket=key.name, CreateBucketConfiguration={"Tags": [tag]})
    driver.create(key, lone_world.spec("aws.s3_bucket", tree))
    seen = driver.read(key)
    assert seen.spec["versioning"] and seen.spec["block_public_access"] and seen.spec["lifecycle"][0]["id"] == "old"


def test_a_change_of_tags_keeps_the_owner_of_an_adopted_bucket(lone_world: World) -> None:
    s3 = lone_world.session().client("s3")
    name = f"{lone_world.deployment}-theirs"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "provisioner:owner", "Value": "they/theirs"}]})
    tree = {"name": name, "tags": {"team": "us"}}
    driver = lone_world.driver("aws.s3_bucket")
    key = lone_world.key("aws.s3_bucket", "files", tree)
    driver.update(key, lone_world.spec("aws.s3_bucket", tree))
    seen = driver.read(key)
    assert (seen.owner, seen.spec["tags"]) == ("they/theirs", {"team": "us"})
    s3.delete_bucket(Bucket=name)


def test_an_update_of_an_adopted_bucket_touches_what_it_is_told_and_nothing_else(lone_world: World) -> None:
    s3 = lone_world.session().client("s3")
    name = f"{lone_world.deployment}-corp"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "costcentre", "Value": "42"}]})
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a"]}]
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": rules})
    tree = {"name": name, "tags": {"team": "us"}}
    driver, key = lone_world.driver("aws.s3_bucket"), lone_world.key("aws.s3_bucket", "files", tree)
    spec = lone_world.spec("aws.s3_bucket", tree)
    before = driver.read(key).spec
    driver.update(key, spec, {"tags"})
    after = driver.read(key).spec
    assert after["tags"] == {"costcentre": "42", "team": "us"}
    assert driver.matches["tags"](tree["tags"], after["tags"]), "what is there beside the plan's is no difference"
    assert {**after, "tags": 0} == {**before, "tags": 0} and after["cors"] and not after["versioning"]
    s3.delete_bucket(Bucket=name)


def test_a_log_group_that_rds_made_is_not_taken_for_ours(lone_world: World) -> None:
    logs = lone_world.session().client("logs")
    name = f"/aws/rds/instance/{lone_world.deployment}/postgresql"
    logs.create_log_group(logGroupName=name)
    driver = lone_world.driver("aws.log_group")
    key = lone_world.key("aws.log_group", "log", {"name": name})
    assert driver.read(key).owner is None
    with pytest.raises(AlreadyExistsError):
        driver.create(key, lone_world.spec("aws.log_group", {"name": name}))
    logs.delete_log_group(logGroupName=name)


def test_a_log_group_is_not_mistaken_for_one_whose_name_begins_alike(lone_world: World) -> None:
    lone_world.make("aws.log_group", "long", {"name": f"/{lone_world.deployment}/log-of-others"})
    key = lone_world.key("aws.log_group", "short", {"name": f"/{lone_world.deployment}/log"})
    assert lone_world.driver("aws.log_group").read(key) is None


def test_who_owns_a_subscription_stands_on_its_topic_and_survives_a_change_of_the_topics_tags(
    lone_world: World,
) -> None:
    topic, _ = lone_world.make("aws.sns_topic", "events", {"tags": {"tier": "data"}})
    arn = lone_world["events"]["arn"]
    tree = {"topic_arn": arn, "protocol": "email", "endpoint": "ops@example.com"}
    key, seen = lone_world.make("aws.sns_subscription", "mail", tree)
    assert seen.owner == key.owner
    lone_world.driver("aws.sns_topic").update(topic, lone_world.spec("aws.sns_topic", {"tags": {}}))
    assert lone_world.driver("aws.sns_subscription").read(key).owner == key.owner
    tags = lone_world.session().client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert {"Key": owner_tag("email", "ops@example.com"), "Value": key.owner} in tags


def test_two_deployments_do_not_take_each_others_subscription(lone_world: World) -> None:
    lone_world.make("aws.sns_topic", "events", {})
    tree = {"topic_arn": lone_world["events"]["arn"], "protocol": "email", "endpoint": "ops@example.com"}
    key, _ = lone_world.make("aws.sns_subscription", "mail", tree)
    driver = lone_world.driver("aws.sns_subscription")
    other = msgspec.structs.replace(key, deployment="other")
    assert driver.read(other).owner == key.owner
    with pytest.raises(AlreadyExistsError, match=key.owner):
        driver.create(other, lone_world.spec("aws.sns_subscription", tree))


def test_a_subscription_is_gone_with_its_topic(lone_world: World) -> None:
    topic, _ = lone_world.make("aws.sns_topic", "events", {})
    tree = {"topic_arn": lone_world["events"]["arn"], "protocol": "email", "endpoint": "ops@example.com"}
    key, seen = lone_world.make("aws.sns_subscription", "mail", tree)
    assert seen.phase is Phase.READY
    lone_world.driver("aws.sns_topic").delete(topic)
    driver = lone_world.driver("aws.sns_subscription")
    driver.delete(key)
    assert driver.read(key) is None


def test_a_key_of_another_region_is_made_and_found_there(lone_world: World) -> None:
    driver = lone_world.driver("aws.sns_topic")
    here = lone_world.key("aws.sns_topic", "events", {})
    there = msgspec.structs.replace(here, region="eu-west-1")
    lone_world.watch(driver, there)
    driver.create(there, lone_world.spec("aws.sns_topic", {}))
    assert ":eu-west-1:" in driver.read(there).outputs["arn"]
    assert driver.read(here) is None
