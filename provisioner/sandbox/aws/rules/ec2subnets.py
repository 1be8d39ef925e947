"""EC2: what hangs on subnets, network ACLs and route tables, and the rules and routes in them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from provisioner.sandbox.aws import natgateways
from provisioner.sandbox.aws.call import AwsError, Call, Reply

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_LAST_RULE: Final = 32767
_MOST_RULES: Final = 20
"""In one direction, AWS's own last one included."""
_MOST_ROUTES: Final = 50
_BY_ID: Final = "network-acl-id"
_PORTS: Final = ("6", "17")
_ICMP: Final = ("1", "58")


def forget_subnet(backend: Any, subnet: str) -> None:
    """What hung on a subnet that was deleted hangs on nothing."""
    for acl in backend.network_acls.values():
        acl._associations = {name: link for name, link in acl._associations.items() if link.subnet_id != subnet}
    for table in backend.route_tables.values():
        table._associations = {name: target for name, target in table._associations.items() if target != subnet}


# -- network ACLs ---------------------------------------------------------------------------------------------


def describe_acls(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """By their ids, too, which moto takes for no filter."""
    starts = [name.removesuffix("Name") for name, value in call.form.items() if value == _BY_ID]
    if not starts:
        return proceed()
    wanted = [{value for name, value in call.form.items() if name.startswith(f"{start}Value.")} for start in starts]
    rest = {name: value for name, value in call.form.items() if not name.startswith(tuple(starts))}
    moto = services.world.moto
    with moto.lock("ec2"):
        backend = moto.backend("ec2", call.region)
        every = backend.network_acls
        backend.network_acls = {number: acl for number, acl in every.items() if all(number in ids for ids in wanted)}
        try:
            return moto.handle(asking(call, rest))
        finally:
            backend.network_acls = every


def asking(call: Call, form: dict[str, str]) -> Call:
    """The same call with other parameters."""
    body = urlencode(form).encode()
    environ = {**call.environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    return replace(call, form=form, body=body, environ=environ)


def create_acl(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """With the two rules that deny what no other decides."""
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        before = set(backend.network_acls)
        reply = proceed()
        for number in backend.network_acls.keys() - before:
            for egress in (True, False):
                backend.create_network_acl_entry(
                    number, _LAST_RULE, "-1", "deny", egress, "0.0.0.0/0", None, None, None, None, None
                )
    return reply


def create_entry(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A rule that EC2 would take, in a list that is not full."""
    with services.world.moto.lock("ec2"):
        _check_entry(call.form)
        beside = _beside(call, services)
        if call.form["RuleNumber"] in {str(entry.rule_number) for entry in beside}:
            raise AwsError(
                "NetworkAclEntryAlreadyExists",
                f"The network acl entry identified by {call.form['RuleNumber']} already exists.",
            )
        if len(beside) >= _MOST_RULES:
            raise AwsError(
                "NetworkAclEntryLimitExceeded",
                "The maximum number of network acl entries for the network acl has been reached.",
            )
        reply = proceed()
        _tidy(call, services)
        return reply


def replace_entry(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A rule that is there, by one that EC2 would take."""
    with services.world.moto.lock("ec2"):
        _check_entry(call.form)
        _need_entry(call, services)
        reply = proceed()
        _tidy(call, services)
        return reply


def delete_entry(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A rule that is there, and not AWS's own."""
    with services.world.moto.lock("ec2"):
        _check_number(call.form)
        _need_entry(call, services)
        return proceed()


def _need_entry(call: Call, services: Services) -> None:
    number = call.form.get("RuleNumber", "")
    if number not in {str(entry.rule_number) for entry in _beside(call, services)}:
        acl = call.form.get("NetworkAclId", "")
        raise AwsError("InvalidNetworkAclEntry.NotFound", f"The network acl entry {number} in '{acl}' does not exist")


def _beside(call: Call, services: Services) -> list[Any]:
    """The rules in the same direction."""
    number = call.form.get("NetworkAclId", "")
    acl = services.world.moto.backend("ec2", call.region).network_acls.get(number)
    if acl is None:
        raise AwsError("InvalidNetworkAclID.NotFound", f"The network acl ID '{number}' does not exist")
    egress = call.form.get("Egress", "")
    return [entry for entry in acl.network_acl_entries if str(entry.egress).lower() == egress.lower()]


def _check_number(form: dict[str, str]) -> None:
    for name in ("NetworkAclId", "RuleNumber", "Egress"):
        if not form.get(name):
            raise AwsError("MissingParameter", f"The request must contain the parameter {name}")
    number = form["RuleNumber"]
    if not number.isdigit() or not 1 <= int(number) < _LAST_RULE:
        raise AwsError(
            "InvalidParameterValue", f"Value ({number}) for parameter ruleNumber is invalid. It is from 1 to 32766."
        )


def _check_entry(form: dict[str, str]) -> None:
    _check_number(form)
    if form.get("RuleAction") not in ("allow", "deny"):
        raise AwsError("InvalidParameterValue", f"Invalid value '{form.get('RuleAction')}' for ruleAction")
    if ("CidrBlock" in form) == ("Ipv6CidrBlock" in form):
        raise AwsError("MissingParameter", "Either 'cidrBlock' or 'ipv6CidrBlock' must be provided")
    _check_block(form)
    protocol = form.get("Protocol", "")
    if protocol != "-1" and not (protocol.isdigit() and int(protocol) <= 255):
        raise AwsError("InvalidParameterValue", f"Invalid value '{protocol}' for IP protocol. Unknown protocol.")
    if protocol in _PORTS:
        _check_ports(form)
    if protocol in _ICMP and not ("Icmp.Type" in form and "Icmp.Code" in form):
        raise AwsError("MissingParameter", "The request must contain the parameter icmpTypeCode")


def _check_block(form: dict[str, str]) -> None:
    name = "CidrBlock" if "CidrBlock" in form else "Ipv6CidrBlock"
    kind = ipaddress.IPv4Network if name == "CidrBlock" else ipaddress.IPv6Network
    try:
        kind(form[name], strict=False)
    except ValueError as err:
        raise AwsError("InvalidParameterValue", f"CIDR block {form[name]} is malformed") from err


def _check_ports(form: dict[str, str]) -> None:
    low, high = form.get("PortRange.From"), form.get("PortRange.To")
    if low is None or high is None:
        raise AwsError("MissingParameter", "The request must contain the parameter portRange")
    if not (low.isdigit() and high.isdigit() and int(low) <= int(high) <= 65535):
        raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({low}:{high})")


def _tidy(call: Call, services: Services) -> None:
    """EC2 stores a network by its first address, and does not lose what ICMP messages a rule is for, as moto does."""
    for entry in _beside(call, services):
        if str(entry.rule_number) == call.form["RuleNumber"]:
            if entry.cidr_block:
                entry.cidr_block = str(ipaddress.ip_network(entry.cidr_block, strict=False))
            if entry.protocol in _ICMP:
                entry.icmp_type, entry.icmp_code = int(call.form["Icmp.Type"]), int(call.form["Icmp.Code"])


def delete_acl(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not the VPC's default one; moto itself looks at subnets."""
    number = call.form.get("NetworkAclId", "")
    with services.world.moto.lock("ec2"):
        acl = services.world.moto.backend("ec2", call.region).network_acls.get(number)
        if acl is not None and acl.default:
            raise AwsError("InvalidParameterValue", f"cannot delete default network ACL {number}")
        return proceed()


def replace_acl(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """An association that there is, by a list of the same VPC."""
    link, number = call.form.get("AssociationId", ""), call.form.get("NetworkAclId", "")
    with services.world.moto.lock("ec2"):
        acls = services.world.moto.backend("ec2", call.region).network_acls
        before = next((acl for acl in acls.values() if link in acl._associations), None)
        if before is None:
            raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{link}' does not exist")
        if number in acls and acls[number].vpc_id != before.vpc_id:
            raise AwsError("InvalidParameterValue", f"{number} and the subnet belong to different networks")
        return proceed()


# -- route tables ---------------------------------------------------------------------------------------------


def associate(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """One table a subnet, of the same VPC."""
    number, subnet = call.form.get("RouteTableId", ""), call.form.get("SubnetId", "")
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        for table in backend.route_tables.values():
            for link, target in table._associations.items():
                if subnet and target == subnet and table.id != number:
                    raise AwsError(
                        "Resource.AlreadyAssociated",
                        f"the specified association for route table {number} conflicts with an existing association "
                        f"({link})",
                    )
        found = next((zone[subnet] for zone in backend.subnets.values() if subnet in zone), None)
        own = backend.route_tables.get(number)
        if own is not None and found is not None and own.vpc_id != found.vpc_id:
            raise AwsError(
                "InvalidParameterValue", f"route table {number} and subnet {subnet} belong to different networks"
            )
        return proceed()


def route(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """CreateRoute, ReplaceRoute: through a gateway of the same VPC that is alive."""
    natgateways.settle(services, call.region)
    number = call.form.get("RouteTableId", "")
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        table = backend.route_tables.get(number)
        if table is None:
            return proceed()
        _check_gateway(backend, table, call.form)
        if call.operation == "CreateRoute":
            _check_new(table, call.form)
        return proceed()


def _check_gateway(backend: Any, table: Any, form: dict[str, str]) -> None:
    nat, door = form.get("NatGatewayId"), form.get("GatewayId", "")
    if nat:
        gateway = backend.nat_gateways.get(nat)
        if gateway is None or gateway.state in ("deleting", "deleted", "failed"):
            raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
        if gateway.vpc_id != table.vpc_id:
            raise AwsError("InvalidParameterValue", f"route table {table.id} and {nat} belong to different networks")
    if door.startswith("igw-"):
        gateway = backend.internet_gateways.get(door)
        if gateway is None:
            raise AwsError("InvalidGatewayID.NotFound", f"The gateway ID '{door}' does not exist")
        if getattr(gateway.vpc, "id", None) != table.vpc_id:
            raise AwsError(
                "InvalidParameterValue",
                f"route table {table.id} and network gateway {door} belong to different networks",
            )


def _check_new(table: Any, form: dict[str, str]) -> None:
    wide = form.get("DestinationIpv6CidrBlock")
    if wide and any(one.destination_ipv6_cidr_block == wide for one in table._routes.values()):
        raise AwsError("RouteAlreadyExists", f"The route identified by {wide} already exists.")
    if len(table._routes) >= _MOST_ROUTES:
        raise AwsError("RouteLimitExceeded", "The maximum number of routes has been reached.")


def delete_table(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not a VPC's main one; moto itself looks at subnets."""
    number = call.form.get("RouteTableId", "")
    with services.world.moto.lock("ec2"):
        table = services.world.moto.backend("ec2", call.region).route_tables.get(number)
        if table is not None and table.main_association_id:
            raise AwsError("DependencyViolation", f"The routeTable '{number}' has dependencies and cannot be deleted.")
        return proceed()
