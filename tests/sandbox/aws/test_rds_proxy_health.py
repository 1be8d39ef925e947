"""Whether a DB proxy gets through to its database: worked out from roles, keys, secrets and security groups as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.sandbox.aws.policies import decide
from tests.sandbox.aws.conftest import PASSWORD, Aws, refused
from tests.sandbox.aws.proxysite import Site

ROOT = "arn:aws:iam::123456789012:root"


@pytest.fixture
def site(aws: Aws) -> Site:
    return Site(aws)


def test_a_proxy_whose_role_may_do_what_it_must_reaches_its_database(site: Site) -> None:
    site.registered()
    first = site.aws.rds.describe_db_proxy_targets(DBProxyName="proxy")["Targets"][0]["TargetHealth"]
    assert first["State"] in ("REGISTERING", "AVAILABLE")
    assert site.health() == ("AVAILABLE", "")
    (rules,) = site.aws.databases.rules.values()
    assert (dict(rules.users), rules.reachable, rules.require_tls) == ({"app": False}, True, True)


def _trust(site: Site, service: str) -> None:
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    site.aws.iam.update_assume_role_policy(RoleName="proxy", PolicyDocument=document)


def _key_policy(site: Site, *statements: dict[str, Any]) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    site.aws.kms.put_key_policy(KeyId=site.key, PolicyName="default", Policy=text)


def _value(site: Site, text: str) -> None:
    site.aws.secretsmanager.put_secret_value(SecretId="login", SecretString=text)


def _mend(site: Site) -> None:
    site.aws.kms.enable_key(KeyId=site.key.rpartition("/")[2])
    site.allow(site.read, site.decrypt)
    _trust(site, "rds.amazonaws.com")
    _key_policy(site, _EVERYTHING)
    _value(site, json.dumps({"username": "app", "password": PASSWORD}))


_OTHER_SERVICE = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
_DENY = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}
_EVERYTHING = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
AUTH: list[tuple[str, Callable[[Site], object]]] = [
    ("no policy at all", lambda s: s.aws.iam.delete_role_policy(RoleName="proxy", PolicyName="p")),
    ("no kms:Decrypt", lambda s: s.allow(s.read)),
    ("no secretsmanager:GetSecretValue", lambda s: s.allow(s.decrypt)),
    ("another secret", lambda s: s.allow({**s.read, "Resource": s.secret[:-3] + "xyz"}, s.decrypt)),
    ("another key", lambda s: s.allow(s.read, {**s.decrypt, "Resource": s.key[:-3] + "xyz"})),
    ("by way of another service", lambda s: s.allow(s.read, {**s.decrypt, "Condition": _OTHER_SERVICE})),
    ("denied in so many words", lambda s: s.allow(s.read, s.decrypt, _DENY)),
    ("the role is for another service", lambda s: _trust(s, "lambda.amazonaws.com")),
    ("the key's own policy denies", lambda s: _key_policy(s, _EVERYTHING, {**_DENY, "Principal": "*"})),
    ("the key's own policy is for others", lambda s: _key_policy(s, {**_EVERYTHING, "Principal": {"AWS": "x"}})),
    ("the secret is no JSON", lambda s: _value(s, "app")),
    ("the secret has no password", lambda s: _value(s, json.dumps({"username": "app"}))),
    ("the password is another", lambda s: _value(s, json.dumps({"username": "app", "password": "another"}))),
    ("the key is disabled", lambda s: s.aws.kms.disable_key(KeyId=s.key.rpartition("/")[2])),
    ("the secret is being deleted", lambda s: s.aws.secretsmanager.delete_secret(SecretId="login")),
]


def test_a_log_in_that_cannot_work_is_an_auth_failure(site: Site) -> None:
    site.registered()
    for what, spoil in AUTH:
        _mend(site)
        assert site.health() == ("AVAILABLE", ""), f"before {what}"
        spoil(site)
        assert site.health() == ("UNAVAILABLE", "AUTH_FAILURE"), what
        (rules,) = site.aws.databases.rules.values()
        refusal = rules.refusal("app", secure=True)
        assert refusal is not None and "has no credentials for the role app" in refusal.message


def test_what_is_mended_is_found_at_the_next_look(site: Site) -> None:
    site.allow(site.read)
    site.registered()
    assert site.health() == ("UNAVAILABLE", "AUTH_FAILURE")
    site.allow(site.read, site.decrypt)
    assert site.health() == ("AVAILABLE", "")


def test_the_keys_own_policy_may_let_the_role_in_without_a_policy_of_the_role(site: Site) -> None:
    site.allow(site.read)
    allow = {"Effect": "Allow", "Principal": {"AWS": site.role}, "Action": "kms:Decrypt", "Resource": "*"}
    _key_policy(site, allow)
    site.registered()
    assert site.health() == ("AVAILABLE", "")
    _key_policy(site, {**allow, "Principal": {"AWS": site.role + "x"}})
    assert site.health() == ("UNAVAILABLE", "AUTH_FAILURE")


def test_a_secret_without_a_key_of_its_own_needs_no_kms(site: Site) -> None:
    value = site.aws.secretsmanager.get_secret_value(SecretId="login")["SecretString"]
    plain = site.aws.secretsmanager.create_secret(Name="plain", SecretString=value)["ARN"]
    site.allow({**site.read, "Resource": f"{plain[:-6]}??????"})
    site.registered(Auth=[{"AuthScheme": "SECRETS", "SecretArn": plain}])
    assert site.health() == ("AVAILABLE", "")


def test_one_good_secret_of_several_is_enough_and_lets_its_own_user_in(site: Site) -> None:
    other = site.make_secret("other", {"username": "reader", "password": "another-password"})
    site.allow({**site.read, "Resource": "*"}, site.decrypt)
    site.registered(Auth=[{"SecretArn": other}, {"SecretArn": site.secret, "IAMAuth": "REQUIRED"}])
    assert site.health() == ("AVAILABLE", "")
    (rules,) = site.aws.databases.rules.values()
    assert dict(rules.users) == {"app": True}


def _apart(site: Site) -> None:
    site.aws.ec2.revoke_security_group_ingress(GroupId=site.wall, IpPermissions=site.rule)


def _locked_in(site: Site) -> None:
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    site.aws.ec2.revoke_security_group_egress(GroupId=site.front, IpPermissions=everything)


def _other_port(site: Site) -> None:
    _apart(site)
    rule = [{**site.rule[0], "FromPort": 5433, "ToPort": 5439}]
    site.aws.ec2.authorize_security_group_ingress(GroupId=site.wall, IpPermissions=rule)


def _one_subnet(site: Site) -> None:
    _apart(site)
    subnet = site.aws.ec2.describe_subnets(SubnetIds=site.aws.subnets("a"))["Subnets"][0]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": subnet["CidrBlock"]}]}
    site.aws.ec2.authorize_security_group_ingress(GroupId=site.wall, IpPermissions=[rule])


@pytest.mark.parametrize("spoil", [_apart, _locked_in, _other_port, _one_subnet])
def test_a_security_group_in_the_way_makes_it_unreachable(site: Site, spoil: Callable[[Site], object]) -> None:
    site.registered()
    spoil(site)
    assert site.health() == ("UNAVAILABLE", "UNREACHABLE")


def test_addresses_will_do_where_they_cover_all_of_the_proxys_subnets(site: Site) -> None:
    _apart(site)
    rule = {"IpProtocol": "tcp", "FromPort": 5000, "ToPort": 6000, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
    site.aws.ec2.authorize_security_group_ingress(GroupId=site.wall, IpPermissions=[rule])
    site.registered()
    assert site.health() == ("AVAILABLE", "")


def test_a_database_that_does_not_answer_is_a_failed_connection_and_one_that_is_gone_unreachable(site: Site) -> None:
    site.registered()
    site.aws.databases.failing = True
    assert site.health() == ("UNAVAILABLE", "CONNECTION_FAILED")
    site.aws.databases.failing = False
    site.aws.rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    site.aws.pass_time()
    assert site.health() == ("UNAVAILABLE", "UNREACHABLE")


def test_why_is_in_the_log_where_debug_logging_is_on_and_nowhere_else(site: Site) -> None:
    site.allow(site.read)
    site.registered()
    target = site.aws.rds.describe_db_proxy_targets(DBProxyName="proxy")
    assert site.health() == ("UNAVAILABLE", "AUTH_FAILURE") and site.told() == []
    assert site.role not in str(target)
    site.aws.rds.modify_db_proxy(DBProxyName="proxy", DebugLogging=True)
    site.aws.pass_time()
    site.allow(site.read, site.decrypt)
    assert site.health() == ("AVAILABLE", "")
    site.allow(site.read)
    assert site.health() == ("UNAVAILABLE", "AUTH_FAILURE")
    (line,) = site.told()
    assert f'The IAM role "{site.role}" is not authorized to read the AWS Secrets Manager secret' in line


def test_the_simulator_says_what_the_roles_own_policies_say(site: Site) -> None:
    def says(action: str, resource: str, **context: str) -> str:
        entries = [
            {"ContextKeyName": f"kms:{name}", "ContextKeyValues": [value], "ContextKeyType": "string"}
            for name, value in context.items()
        ]
        answer = site.aws.iam.simulate_principal_policy(
            PolicySourceArn=site.role, ActionNames=[action], ResourceArns=[resource], ContextEntries=entries
        )
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    assert says("secretsmanager:GetSecretValue", site.secret) == "allowed"
    assert says("kms:Decrypt", site.key) == "implicitDeny"
    assert says("kms:Decrypt", site.key, ViaService="secretsmanager.us-east-1.amazonaws.com") == "allowed"
    site.allow(site.read, _DENY)
    assert says("kms:Decrypt", site.key) == "explicitDeny"
    nobody = {"PolicySourceArn": site.role + "x", "ActionNames": ["kms:Decrypt"]}
    assert refused(lambda: site.aws.iam.simulate_principal_policy(**nobody)) == "NoSuchEntity"


def _allow(**more: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*", **more}}


def _condition(operator: str, key: str, *values: str) -> dict[str, Any]:
    return _allow(Condition={operator: {key: list(values)}})


POLICIES: list[tuple[dict[str, Any], str]] = [
    (_allow(), "allowed"),
    (_allow(Action=["S3:GETOBJECT"]), "allowed"),
    (_allow(Action="s3:Put*"), "implicitDeny"),
    (_allow(NotAction="s3:Put*"), "allowed"),
    (_allow(NotAction="s3:Get*"), "implicitDeny"),
    (_allow(Resource="arn:aws:s3:::b/?"), "allowed"),
    (_allow(Resource="arn:aws:s3:::b/??"), "implicitDeny"),
    (_allow(Resource="arn:aws:s3:::B/*"), "implicitDeny"),
    (_allow(NotResource="arn:aws:s3:::c/*"), "allowed"),
    (_allow(Effect="Deny"), "explicitDeny"),
    ({"Statement": [_allow()["Statement"], _allow(Effect="Deny", Action="*")["Statement"]]}, "explicitDeny"),
    (_condition("StringEquals", "AWS:Via", "x", "here"), "allowed"),
    (_condition("StringEquals", "aws:Via", "there"), "implicitDeny"),
    (_condition("StringNotEquals", "aws:Via", "there"), "allowed"),
    (_condition("StringNotEquals", "aws:Via", "there", "here"), "implicitDeny"),
    (_condition("StringLike", "aws:Via", "h*e"), "allowed"),
    (_condition("StringEqualsIgnoreCase", "aws:Via", "HERE"), "allowed"),
    (_condition("ArnLike", "aws:Via", "*:x"), "implicitDeny"),
    (_condition("ForAnyValue:StringEquals", "aws:Via", "here"), "allowed"),
    (_condition("StringEquals", "aws:Missing", "x"), "implicitDeny"),
    (_condition("StringEqualsIfExists", "aws:Missing", "x"), "allowed"),
    (_condition("StringNotEquals", "aws:Missing", "x"), "allowed"),
    (_condition("Null", "aws:Missing", "true"), "allowed"),
    (_condition("Null", "aws:Via", "true"), "implicitDeny"),
    (_condition("DateGreaterThan", "aws:Via", "2020-01-01"), "implicitDeny"),
    (_allow(Effect="Deny", Condition={"DateGreaterThan": {"aws:Via": "2020-01-01"}}), "explicitDeny"),
    ({}, "implicitDeny"),
]


@pytest.mark.parametrize(("document", "decision"), POLICIES)
def test_a_policy_is_read_as_aws_reads_it(document: dict[str, Any], decision: str) -> None:
    assert decide([document], "s3:GetObject", "arn:aws:s3:::b/1", {"aws:via": "here"}) == decision


@pytest.mark.parametrize(
    ("principal", "decision"),
    [
        ("*", "allowed"),
        ({"Service": "rds.amazonaws.com"}, "allowed"),
        ({"Service": ["lambda.amazonaws.com", "rds.amazonaws.com"]}, "allowed"),
        ({"Service": "lambda.amazonaws.com"}, "implicitDeny"),
        ({"AWS": "*"}, "allowed"),
    ],
)
def test_a_policy_that_names_principals_is_for_them(principal: Any, decision: str) -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    assert decide([trust], "sts:AssumeRole", "arn:r", {}, ["rds.amazonaws.com", "*"]) == decision
