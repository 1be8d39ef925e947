"""Functions: roles, networks, time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from provisioner.plan.outline import Item
from provisioner.preflight.book import AWS, rule
from provisioner.preflight.metrics import watches
from provisioner.preflight.policies import may, trusts
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on

_GUIDE: Final = f"{AWS}/lambda/latest/dg"
FUNCTION: Final = "aws.lambda_function"


def _roles(look: Look) -> Iterator[tuple[Item, Item]]:
    for function in look.outline.of(FUNCTION):
        role = look.outline.link(function, "role_arn", "aws.iam_role")
        if role is not None:
            yield function, role


@rule(
    "lambda.trust",
    Level.ERROR,
    source=f"{_GUIDE}/lambda-intro-execution-role.html",
    hint="services: [lambda.amazonaws.com]",
)
def trust(look: Look) -> Iterator[Hit]:
    """The role of a function is one that Lambda may not assume."""
    for function, role in _roles(look):
        if not trusts(role, "lambda.amazonaws.com"):
            yield on(function, "role_arn", f"{role.step.name} does not let lambda.amazonaws.com assume it")


@rule(
    "lambda.network-role",
    Level.ERROR,
    source=f"{_GUIDE}/configuration-vpc.html",
    hint="the managed policy service-role/AWSLambdaVPCAccessExecutionRole",
)
def network_role(look: Look) -> Iterator[Hit]:
    """A function is put into a VPC, and its role may not make the network interfaces for that."""
    for function, role in _roles(look):
        if function.sets("subnets") and may(role, "ec2:CreateNetworkInterface") is False:
            yield on(function, "role_arn", f"{role.step.name} may not ec2:CreateNetworkInterface")


@rule(
    "lambda.logs-role",
    Level.WARNING,
    source=f"{_GUIDE}/monitoring-cloudwatchlogs.html",
    hint="Allow logs:CreateLogStream and logs:PutLogEvents on its log group",
)
def logs_role(look: Look) -> Iterator[Hit]:
    """A function may not write its log."""
    for function, role in _roles(look):
        if may(role, "logs:PutLogEvents") is False:
            yield on(function, "role_arn", f"{role.step.name} may not logs:PutLogEvents")


@rule(
    "lambda.alone",
    Level.WARNING,
    source=f"{_GUIDE}/configuration-vpc-internet.html",
    hint="an aws.vpc_endpoint of secretsmanager in its VPC, or a NAT gateway with a route from its subnets",
)
def alone(look: Look) -> Iterator[Hit]:
    """A function in a VPC reads a secret, and its subnets have no way to where secrets are."""
    outline = look.outline
    routed = {
        subnet.step.name
        for table in outline.of("aws.route_table")
        if any(isinstance(route, dict) and route.get("nat_gateway") for route in table.values.get("routes") or ())
        for subnet in outline.links(table, "subnets")
    }
    for function in outline.of(FUNCTION):
        secrets = [link for link in outline.links(function, "environment") if link.type.startswith("aws.secret")]
        subnets = [link.step.name for link in outline.links(function, "subnets")]
        if secrets and subnets and not routed.intersection(subnets) and not _answered_inside(look, function):
            yield on(function, "subnets", f"{', '.join(subnets)} have no route out, so that AWS's APIs are not reached")


def _answered_inside(look: Look, function: Item) -> bool:
    """Whether an endpoint in the VPC of its subnets goes by the name of Secrets Manager."""
    outline = look.outline
    subnets = outline.links(function, "subnets")
    homes = {vpc.step.name for subnet in subnets for vpc in outline.links(subnet, "vpc_id")}
    if any(subnet.type == "aws.default_subnet" for subnet in subnets):
        homes |= {vpc.step.name for vpc in outline.of("aws.default_vpc")}
    return any(
        str(endpoint.get("service")).rpartition(".")[2] == "secretsmanager"
        and endpoint.get("private_dns")
        and homes & {vpc.step.name for vpc in outline.links(endpoint, "vpc_id")}
        for endpoint in outline.of("aws.vpc_endpoint")
    )


@rule("alarm.lambda-duration", Level.ERROR, source=f"{_GUIDE}/configuration-timeout.html", family="alarm")
def duration(look: Look) -> Iterator[Hit]:
    """An alarm waits for a function to take longer than it is ever let run."""
    outline = look.outline
    for watch in watches(look):
        if watch.namespace == "AWS/Lambda" and watch.metric == "Duration" and watch.target is not None:
            yield from _late(watch.target, watch.alarm, ("threshold",), watch.threshold)
    for alarms in outline.of("aws.alarms"):
        thresholds: Any = alarms.values.get("thresholds")
        target = outline.link(alarms, "target", FUNCTION)
        lines = thresholds.get("duration") if isinstance(thresholds, dict) else None
        for name, line in lines.items() if isinstance(lines, dict) and target is not None else ():
            if target is not None and isinstance(line, int | float):
                yield from _late(target, alarms, ("thresholds", "duration", name), line)


def _late(function: Item, alarm: Item, path: tuple[str, ...], line: float) -> Iterator[Hit]:
    seconds = function.get("timeout_seconds", 30)
    if isinstance(seconds, int) and line >= seconds * 1000:
        message = f"{line:g} ms are never reached: {function.step.name} is cut off after {seconds} s"
        hint = f"ring at {seconds * 800} ms, or raise timeout_seconds above {line / 1000:g}"
        yield at(alarm, path, message, hint=hint)
