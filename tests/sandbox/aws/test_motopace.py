"""What is worked out once for moto is what moto itself would work out each time."""

from __future__ import annotations

from tests.sandbox.aws.conftest import Aws


def test_an_object_of_ec2_has_the_tags_that_moto_finds_among_all(aws: Aws) -> None:
    spec = [{"ResourceType": "vpc", "Tags": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": ""}]}]
    tagged = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=spec)["Vpc"]["VpcId"]
    plain = aws.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    aws.ec2.create_tags(Resources=[plain], Tags=[{"Key": "gone", "Value": "x"}])
    aws.ec2.delete_tags(Resources=[plain], Tags=[{"Key": "gone"}])
    moto = aws.sandbox.world.moto
    with moto.lock("ec2"):
        backend = moto.backend("ec2", "us-east-1")
        for vpc in (tagged, plain):
            assert backend.vpcs[vpc].get_tags() == backend.describe_tags(filters={"resource-id": [vpc]})
        assert len(backend.vpcs[tagged].get_tags()) == 2
    found = [{"Name": "tag:b", "Values": ["2"]}]
    assert [vpc["VpcId"] for vpc in aws.ec2.describe_vpcs(Filters=found)["Vpcs"]] == [tagged]


def test_no_answer_invites_pages_of_other_origins(aws: Aws) -> None:
    answer = aws.sns.list_topics()["ResponseMetadata"]["HTTPHeaders"]
    assert "access-control-allow-origin" not in answer
