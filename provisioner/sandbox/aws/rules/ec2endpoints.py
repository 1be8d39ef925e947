"""EC2: VPC endpoints, as particular as AWS about what fits together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from provisioner.sandbox.aws import endpoints
from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.rules.ec2gateways import filters, fits
from provisioner.sandbox.aws.rules.ec2subnets import asking

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_BY_ROUTE: Final = ("s3", "dynamodb")
_NAMES: Final = frozenset({
    "application-autoscaling", "athena", "autoscaling", "backup", "cloudformation", "cloudtrail", "codebuild", "config",
    "dms", "dynamodb", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "elasticache",
    "elasticfilesystem", "elasticloadbalancing", "events", "execute-api", "glue", "guardduty-data", "kinesis-firehose",
    "kinesis-streams", "kms", "kms-fips", "lambda", "logs", "monitoring", "rds", "rds-data", "redshift-data", "s3",
    "secretsmanager", "servicecatalog", "sns", "sqs", "ssm", "ssmmessages", "states", "sts", "synthetics", "xray",
})  # fmt: skip
"""The services that a database layer and its neighbours may want; AWS has some 200 more."""
_ENDED: Final = ("deleted", "failed", "rejected")
_XML: Final = [("Content-Type", "text/xml;charset=UTF-8")]
_NAMESPACE: Final = "http://ec2.amazonaws.com/doc/2016-11-15/"


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidParameter", message)


def _listed(form: dict[str, str], name: str) -> list[str]:
    return [value for field, value in form.items() if field.startswith(f"{name}.") and value]


def _missing(number: str) -> AwsError:
    return AwsError("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{number}' does not exist")


# -- making ---------------------------------------------------------------------------------------------------


def create(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Of a service that there is, in places that fit together."""
    form = call.form
    endpoints.settle(services, call.region)
    for name in ("VpcId", "ServiceName"):
        if not form.get(name):
            raise AwsError("MissingParameter", f"The request must contain the parameter {name}")
    service = _service(form["ServiceName"], call.region)
    kind = form.get("VpcEndpointType", "Gateway")
    if kind not in ("Interface", "Gateway") or (kind == "Gateway" and service not in _BY_ROUTE):
        raise _wrong(f"Endpoint type ({kind}) does not match available service types ([Interface]).")
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        _check_form(form, kind)
        vpc = backend.vpcs.get(form["VpcId"])
        if vpc is None:
            raise AwsError("InvalidVpcId.NotFound", f"The Vpc Id {form['VpcId']} does not exist")
        _check_policy(form)
        if kind == "Interface":
            _check_subnets(backend, vpc.id, _listed(form, "SubnetId"))
            _check_groups(backend, vpc.id, _listed(form, "SecurityGroupId"))
            if form.get("PrivateDnsEnabled", "true").lower() == "true":
                _check_dns(backend, vpc, service, form, "")
        else:
            _check_tables(backend, vpc.id, form["ServiceName"], _listed(form, "RouteTableId"), "")
        before = set(backend.vpc_end_points)
        reply = proceed()
        for number in backend.vpc_end_points.keys() - before:
            endpoint = backend.vpc_end_points[number]
            if kind == "Interface" and not endpoint.security_group_ids:
                endpoint.security_group_ids = [_default_group(backend, vpc.id)]
            endpoints.begin(services, backend, endpoint, call.held)
        return Reply(reply.status, reply.headers, reply.body.replace(b"<state>available<", b"<state>pending<"))


def _service(name: str, region: str) -> str:
    prefix = f"com.amazonaws.{region}."
    if not name.startswith(prefix) or name.removeprefix(prefix) not in _NAMES:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    return name.removeprefix(prefix)


def _check_form(form: dict[str, str], kind: str) -> None:
    if kind == "Interface" and _listed(form, "RouteTableId"):
        raise _wrong("Route table IDs are only supported for Gateway type VPC Endpoint.")
    if kind == "Gateway" and (_listed(form, "SubnetId") or _listed(form, "SecurityGroupId")):
        raise _wrong("Subnet IDs and security group IDs are only supported for Interface type VPC Endpoint.")
    if kind == "Gateway" and form.get("PrivateDnsEnabled", "false").lower() == "true":
        raise _wrong("Private DNS can't be enabled because the VPC endpoint is of type Gateway.")


def _check_policy(form: dict[str, str]) -> None:
    text = form.get("PolicyDocument")
    try:
        fine = text is None or "Statement" in json.loads(text)
    except ValueError:
        fine = False
    if not fine:
        raise AwsError("InvalidPolicyDocument", "The policy document is malformed")


def _check_subnets(backend: Any, vpc: str, subnets: Iterable[str]) -> None:
    zones: set[str] = set()
    for number in subnets:
        subnet = next((zone[number] for zone in backend.subnets.values() if number in zone), None)
        if subnet is None:
            raise AwsError("InvalidSubnetId.NotFound", f"The subnet ID '{number}' does not exist")
        if subnet.vpc_id != vpc:
            raise _wrong(f"Subnet {number} does not belong to VPC {vpc}")
        if subnet.availability_zone in zones:
            raise AwsError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {number}. VPC endpoint subnets should "
                "be in different availability zones supported by the VPC endpoint service.",
            )
        zones.add(subnet.availability_zone)


def _check_groups(backend: Any, vpc: str, groups: Iterable[str]) -> None:
    for number in groups:
        group = backend.get_security_group_from_id(number)
        if group is None:
            raise AwsError("InvalidSecurityGroupId.NotFound", f"The security group ID '{number}' does not exist")
        if group.vpc_id != vpc:
            raise _wrong(f"Security group {number} does not belong to VPC {vpc}")


def _check_dns(backend: Any, vpc: Any, service: str, form: dict[str, str], own: str) -> None:
    """``own``: the endpoint that is being changed."""
    if not (_on(vpc.enable_dns_support) and _on(vpc.enable_dns_hostnames)):
        raise _wrong(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
            f"for {vpc.id}"
        )
    alive = [one for one in backend.vpc_end_points.values() if one.id != own and one.state not in _ENDED]
    beside = [one for one in alive if one.vpc_id == vpc.id and one.service_name.endswith(f".{service}")]
    inbound = form.get("DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint", "true").lower() == "true"
    if service == "s3" and inbound and not any(one.vpc_endpoint_type == "Gateway" for one in beside):
        raise _wrong(
            f"To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC {vpc.id} must have a Gateway endpoint "
            "for the service."
        )
    if any(one.private_dns_enabled for one in beside):
        region = backend.region_name
        raise _wrong(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
            f"{service}.{region}.amazonaws.com in the VPC {vpc.id}"
        )


def _on(value: Any) -> bool:
    return str(value).lower() == "true"


def _check_tables(backend: Any, vpc: str, service: str, tables: Iterable[str], own: str) -> None:
    for number in tables:
        table = backend.route_tables.get(number)
        if table is None:
            raise AwsError("InvalidRouteTableId.NotFound", f"The routeTable ID '{number}' does not exist")
        if table.vpc_id != vpc:
            raise _wrong(f"Route table {number} does not belong to VPC {vpc}")
        for other in backend.vpc_end_points.values():
            alive = other.id != own and other.state not in _ENDED
            if alive and other.service_name == service and number in other.route_table_ids:
                raise AwsError(
                    "RouteAlreadyExists",
                    f"route table {number} already has a route with destination-prefix-list-id "
                    f"{other.destination_prefix_list_id}",
                )


def _default_group(backend: Any, vpc: str) -> str:
    return str(next(group.id for group in backend.groups[vpc].values() if group.name == "default"))


# -- seeing, changing, deleting -------------------------------------------------------------------------------


def describe(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """With every filter that a search needs; moto shows what is left."""
    endpoints.settle(services, call.region)
    moto = services.world.moto
    with moto.lock("ec2"):
        backend = moto.backend("ec2", call.region)
        every = backend.vpc_end_points
        for number in _listed(call.form, "VpcEndpointId"):
            if number not in every:
                raise _missing(number)
        wishes = list(filters(call.form))
        rest = {name: value for name, value in call.form.items() if not name.startswith("Filter.")}
        backend.vpc_end_points = {
            number: one for number, one in every.items() if all(fits(one, _known(one), *wish) for wish in wishes)
        }
        try:
            return moto.handle(asking(call, rest))
        finally:
            backend.vpc_end_points = every


def _known(endpoint: Any) -> dict[str, list[str]]:
    return {
        "vpc-endpoint-id": [endpoint.id],
        "vpc-endpoint-state": [endpoint.state],
        "vpc-endpoint-type": [endpoint.vpc_endpoint_type],
        "vpc-id": [endpoint.vpc_id],
        "service-name": [endpoint.service_name],
    }


def modify(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """One that is available; what it has after that must fit together, as for a new one."""
    form, number = call.form, call.form.get("VpcEndpointId", "")
    endpoints.settle(services, call.region)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        endpoint = backend.vpc_end_points.get(number)
        if endpoint is None or endpoint.state == "deleted":
            raise _missing(number)
        if endpoint.state != "available":
            raise AwsError(
                "IncorrectState", f"Operation is not allowed for endpoint {number} in state {endpoint.state}"
            )
        _check_policy(form)
        after = {name: _after(form, name, seen) for name, seen in _has(endpoint).items()}
        wanted = form.get("PrivateDnsEnabled")
        if endpoint.vpc_endpoint_type == "Interface":
            _check_subnets(backend, endpoint.vpc_id, after["SubnetId"])
            _check_groups(backend, endpoint.vpc_id, after["SecurityGroupId"])
            if wanted is not None and _on(wanted) and not endpoint.private_dns_enabled:
                service = _service(endpoint.service_name, call.region)
                _check_dns(backend, backend.get_vpc(endpoint.vpc_id), service, form, number)
        else:
            _check_tables(backend, endpoint.vpc_id, endpoint.service_name, after["RouteTableId"], number)
        moved = after["SubnetId"] != list(endpoint.subnet_ids or ())
        reply = proceed()
        if wanted is not None and endpoint.vpc_endpoint_type == "Interface":
            endpoint.private_dns_enabled = _on(wanted)
        endpoints.arrange(backend, endpoint)
        if moved:
            endpoints.wait(services, endpoint, call.held)
        return reply


def _has(endpoint: Any) -> dict[str, list[str]]:
    return {
        "SubnetId": list(endpoint.subnet_ids or ()),
        "SecurityGroupId": list(endpoint.security_group_ids),
        "RouteTableId": list(endpoint.route_table_ids),
    }


def _after(form: dict[str, str], name: str, seen: list[str]) -> list[str]:
    drop = _listed(form, f"Remove{name}")
    return [one for one in (*seen, *(a for a in _listed(form, f"Add{name}") if a not in seen)) if one not in drop]


def delete(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Each by itself: what is refused stands in an answer that is a success."""
    endpoints.settle(services, call.region)
    refused = []
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        for number in _listed(call.form, "VpcEndpointId"):
            endpoint = backend.vpc_end_points.get(number)
            if endpoint is None or endpoint.state == "deleted":
                refused.append((number, _missing(number)))
            elif endpoint.state != "deleting":
                endpoints.end(services, backend, endpoint, call.held)
    items = "".join(
        f"<item><error><code>{error.code}</code><message>{escape(error.message)}</message></error>"
        f"<resourceId>{escape(number)}</resourceId></item>"
        for number, error in refused
    )
    text = f'<DeleteVpcEndpointsResponse xmlns="{_NAMESPACE}"><unsuccessful>{items}</unsuccessful>'
    return Reply(200, list(_XML), f"{text}</DeleteVpcEndpointsResponse>".encode())
