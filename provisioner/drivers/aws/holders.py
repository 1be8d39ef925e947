"""Who holds an object that AWS will not delete. AWS says "has a dependent object" and no more, so this asks around.

Asked after a refusal only. Each source is asked for itself, and one that may not be asked is left out: better some
names than none. A network interface that AWS manages does not say whose database it belongs to, so the databases are
asked, and the proxies where it is one of theirs; where none answers to it, the interface is on its way out, for AWS
takes it away some time after its database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from provisioner.drivers.aws import arn_tags, tags
from provisioner.drivers.aws.cache_state import description
from provisioner.errors import CloudError
from provisioner.model import Key
from provisioner.resource import Holder

Found = Mapping[str, Any]
_RDS: Final = "amazon-rds"
_ELASTICACHE: Final = "amazon-elasticache"
_NAT: Final = "nat_gateway"
"""The type of the interface by which a NAT gateway is in its subnet."""
_ENDPOINT: Final = "vpc_endpoint"
"""The type of the interface by which a VPC endpoint is in each of its subnets; its description ends in its id."""
_LAMBDA: Final = "AWS Lambda VPC ENI"
"""What the description of Lambda's interfaces begins with. They name one function, and may serve others too."""
_OF_PROXY: Final = "DBProxy"
"""What stands in the description of a proxy's interface."""


def _listed(session: Any, service: str, operation: str, field: str, key: Key, **parameters: Any) -> list[Found]:
    """All items, or none where that may not be asked."""
    with suppress(CloudError):
        return list(session.pages(service, operation, field, what=key.name, region=key.region, **parameters))
    return []


def _filter(name: str, value: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": [value]}]


def _show(key: Key, command: str, then: str) -> str:
    return f"`aws {command} --region {key.region}` shows it; {then}"


# -- EC2 ------------------------------------------------------------------------------------------------------


def of_security_group(session: Any, key: Key, group: str) -> list[Holder]:
    """Interfaces that wear it (databases by their name), and other groups whose rules refer to it."""
    interfaces = _listed(
        session, "ec2", "describe_network_interfaces", "NetworkInterfaces", key, Filters=_filter("group-id", group)
    )
    then = "take the group off"
    found = _of_interfaces(session, key, interfaces, group, lambda instance: group in _groups(instance), then)
    referring: dict[str, Holder] = {}
    for direction in ("ip-permission.group-id", "egress.ip-permission.group-id"):
        question = _filter(direction, group)
        for other in _listed(session, "ec2", "describe_security_groups", "SecurityGroups", key, Filters=question):
            if other["GroupId"] != group:
                referring[other["GroupId"]] = _rule(key, other)
    return [*found, *referring.values()]


def _groups(instance: Found) -> list[str]:
    return [group["VpcSecurityGroupId"] for group in instance.get("VpcSecurityGroups", ())]


def _rule(key: Key, group: Found) -> Holder:
    number = group["GroupId"]
    command = f"ec2 describe-security-groups --group-ids {number}"
    return Holder(
        f"a rule of security group {number} ({group['GroupName']})",
        tags.owner(tags.from_list(group.get("Tags"))),
        by_hand=_show(key, command, "revoke the rule that refers to this one"),
    )


def of_subnet(session: Any, key: Key, subnet: str) -> list[Holder]:
    """Interfaces that are in it; databases and NAT gateways by their name."""
    interfaces = _listed(
        session, "ec2", "describe_network_interfaces", "NetworkInterfaces", key, Filters=_filter("subnet-id", subnet)
    )
    gateways, others = _apart(session, key, "subnet-id", subnet, interfaces)
    found = _of_interfaces(session, key, others, subnet, lambda instance: subnet in _subnets(instance), "move it away")
    return [*gateways, *found]


def _apart(
    session: Any, key: Key, question: str, value: str, interfaces: Iterable[Found]
) -> tuple[list[Holder], list[Found]]:
    """The NAT gateways that some of the interfaces belong to, and the other interfaces."""
    of_nat = [item for item in interfaces if item.get("InterfaceType") == _NAT]
    if not of_nat:
        return [], list(interfaces)
    gateways = nat_gateways(session, key, question, value) or [_leftover(item, "NAT gateway") for item in of_nat]
    return gateways, [item for item in interfaces if item.get("InterfaceType") != _NAT]


def nat_gateways(session: Any, key: Key, question: str, value: str) -> list[Holder]:
    """NAT gateways that are there or on their way out."""
    return [
        Holder(
            f"NAT gateway {item['NatGatewayId']}",
            tags.owner(tags.from_list(item.get("Tags"))),
            leaving=item.get("State") == "deleting",
            by_hand=_show(key, f"ec2 describe-nat-gateways --nat-gateway-ids {item['NatGatewayId']}", "delete it"),
        )
        for item in _listed(
            session, "ec2", "describe_nat_gateways", "NatGateways", key, Filters=_filter(question, value)
        )
        if item.get("State") != "deleted"
    ]


def of_internet_gateway(session: Any, key: Key, vpc: str) -> list[Holder]:
    """What in a VPC has a public address: NAT gateways by their name."""
    question = _filter("vpc-id", vpc)
    every = _listed(session, "ec2", "describe_network_interfaces", "NetworkInterfaces", key, Filters=question)
    interfaces = [item for item in every if item.get("Association", {}).get("PublicIp")]
    gateways, others = _apart(session, key, "vpc-id", vpc, interfaces)
    then = "take its public address away"
    return [*gateways, *_of_interfaces(session, key, others, vpc, lambda instance: False, then)]


def of_address(session: Any, key: Key, address: Found) -> list[Holder]:
    """The interface that has an elastic address, or the NAT gateway that it belongs to."""
    number = address.get("NetworkInterfaceId")
    if not number:
        return []
    question = _filter("network-interface-id", number)
    (interface,) = _listed(
        session, "ec2", "describe_network_interfaces", "NetworkInterfaces", key, Filters=question
    ) or [{"NetworkInterfaceId": number}]
    if interface.get("InterfaceType") == _NAT:
        every = nat_gateways(session, key, "subnet-id", interface["SubnetId"])
        found = [one for one in every if one.what.rpartition(" ")[2] in interface.get("Description", "")]
        return found or [_leftover(interface, "NAT gateway")]
    return [_interface(key, interface, "disassociate the address")]


def _subnets(instance: Found) -> list[str]:
    return [subnet["SubnetIdentifier"] for subnet in instance.get("DBSubnetGroup", {}).get("Subnets", ())]


_IN_VPC: Final = (
    ("describe_subnets", "Subnets", "SubnetId", "subnet", "vpc-id"),
    ("describe_security_groups", "SecurityGroups", "GroupId", "security group", "vpc-id"),
    ("describe_internet_gateways", "InternetGateways", "InternetGatewayId", "internet gateway", "attachment.vpc-id"),
    ("describe_nat_gateways", "NatGateways", "NatGatewayId", "NAT gateway", "vpc-id"),
    ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "VPC endpoint", "vpc-id"),
    ("describe_route_tables", "RouteTables", "RouteTableId", "route table", "vpc-id"),
    ("describe_network_acls", "NetworkAcls", "NetworkAclId", "network ACL", "vpc-id"),
)


def of_vpc(session: Any, key: Key, vpc: str) -> list[Holder]:
    """What is in it, but for what goes with it: its default group, its main route table, its default list."""
    found = []
    for operation, field, ident, kind, question in _IN_VPC:
        for item in _listed(session, "ec2", operation, field, key, Filters=_filter(question, vpc)):
            if _goes_along(item) or item.get("State") in ("deleted", "deleting"):
                continue
            marks = tags.from_list(item.get("Tags"))
            name = item.get("GroupName") or marks.get(tags.NAME)
            command = f"ec2 {operation.replace('_', '-')} --filters Name={question},Values={vpc}"
            found.append(
                Holder(
                    f"{kind} {item[ident]}" + (f" ({name})" if name else ""),
                    tags.owner(marks),
                    by_hand=_show(key, command, "delete it"),
                )
            )
    return found


def _goes_along(item: Found) -> bool:
    main = any(link.get("Main") for link in item.get("Associations", ()))
    return item.get("GroupName") == "default" or bool(item.get("IsDefault")) or main


def _of_interfaces(
    session: Any, key: Key, interfaces: Iterable[Found], place: str, fits: Callable[[Found], bool], then: str
) -> list[Holder]:
    """``place``: the id of the group or subnet; ``fits``: whether an instance is there."""
    found: list[Holder] = []
    of_rds = [item for item in interfaces if item.get("RequesterId") == _RDS]
    of_caches = [item for item in interfaces if item.get("RequesterId") == _ELASTICACHE]
    if of_rds:
        proxies = any(_OF_PROXY in str(item.get("Description", "")) for item in of_rds)
        held = [*instances(session, key, fits, then), *(_proxies(session, key, place, then) if proxies else ())]
        found += held or [_leftover(item) for item in of_rds]
    if of_caches:
        nodes = {str(item.get("Description", "")).removeprefix("ElastiCache ") for item in of_caches}
        held = caches(session, key, lambda node: node["CacheClusterId"] in nodes, then)
        found += held or [_leftover(item) for item in of_caches]
    of_functions = [item for item in interfaces if str(item.get("Description", "")).startswith(_LAMBDA)]
    if of_functions:
        found += functions(session, key, of_functions, then) or [_left_by_function(item) for item in of_functions]
    of_endpoints = [item for item in interfaces if item.get("InterfaceType") == _ENDPOINT]
    if of_endpoints:
        held = _endpoints(session, key, of_endpoints, then)
        found += held or [_interface(key, item, then) for item in of_endpoints]
    known = {item["NetworkInterfaceId"] for item in (*of_rds, *of_caches, *of_functions, *of_endpoints)}
    return [*found, *(_interface(key, item, then) for item in interfaces if item["NetworkInterfaceId"] not in known)]


def _interface(key: Key, item: Found, then: str) -> Holder:
    number = item["NetworkInterfaceId"]
    attached = item.get("Attachment", {}).get("InstanceId")
    whose = item.get("RequesterId") if item.get("RequesterManaged") else item.get("OwnerId")
    parts = [item.get("Description"), attached and f"attached to {attached}", whose and f"of {whose}"]
    command = f"ec2 describe-network-interfaces --network-interface-ids {number}"
    return Holder(
        f"network interface {number} ({', '.join(part for part in parts if part) or 'no description'})",
        tags.owner(tags.from_list(item.get("TagSet"))),
        leaving=item.get("Status") == "detaching",
        by_hand=_show(key, command, f"{then}, or delete the interface with what it belongs to"),
    )


def _left_by_function(item: Found) -> Holder:
    what = f"network interface {item['NetworkInterfaceId']} ({item.get('Description')})"
    return Holder(f"{what}, whose function is gone; Lambda takes it away within 45 minutes", leaving=True)


def _leftover(item: Found, whose: str = "database") -> Holder:
    return Holder(
        f"network interface {item['NetworkInterfaceId']} ({item.get('Description')}), whose {whose} is gone",
        leaving=True,
    )


def _endpoints(session: Any, key: Key, interfaces: Iterable[Found], then: str) -> list[Holder]:
    """VPC endpoints that are there or on their way out, by what their interfaces say."""
    numbers = sorted({str(item.get("Description", "")).rpartition(" ")[2] for item in interfaces})
    what = [{"Name": "vpc-endpoint-id", "Values": numbers}]
    return [
        Holder(
            f"VPC endpoint {item['VpcEndpointId']} ({item['ServiceName']})",
            tags.owner(tags.from_list(item.get("Tags"))),
            leaving=str(item.get("State")).lower() == "deleting",
            by_hand=_show(
                key,
                f"ec2 describe-vpc-endpoints --vpc-endpoint-ids {item['VpcEndpointId']}",
                f"{then}, or delete the endpoint",
            ),
        )
        for item in _listed(session, "ec2", "describe_vpc_endpoints", "VpcEndpoints", key, Filters=what)
        if str(item.get("State")).lower() != "deleted"
    ]


# -- functions ------------------------------------------------------------------------------------------------


def functions(session: Any, key: Key, interfaces: Iterable[Found], then: str) -> list[Holder]:
    """Functions, and published versions of them, that are where the interfaces are: same subnet, same groups."""
    places = {(item["SubnetId"], _worn(item)) for item in interfaces}
    listed = _listed(session, "lambda", "list_functions", "Functions", key, FunctionVersion="ALL")
    found: dict[str, Holder] = {}
    for item in listed:
        network = item.get("VpcConfig") or {}
        groups = frozenset(network.get("SecurityGroupIds") or ())
        if any((subnet, groups) in places for subnet in network.get("SubnetIds") or ()):
            name, version = item["FunctionName"], item["Version"]
            found.setdefault(name if version == "$LATEST" else f"{name}:{version}", _function(session, key, item, then))
    # A version goes with its function, so it is worth a word only where the function itself is elsewhere by now.
    return [holder for name, holder in found.items() if ":" not in name or name.partition(":")[0] not in found]


def _worn(item: Found) -> frozenset[str]:
    return frozenset(group["GroupId"] for group in item.get("Groups", ()))


def _function(session: Any, key: Key, item: Found, then: str) -> Holder:
    name, version = item["FunctionName"], item["Version"]
    plain = str(item["FunctionArn"]).removesuffix(f":{version}")
    with suppress(CloudError):
        answer = session.call("lambda", "list_tags", what=name, region=key.region, Resource=plain)
        owner = tags.owner(answer.get("Tags") or {})
        if version == "$LATEST":
            shown = _show(key, f"lambda get-function --function-name {name}", f"{then}, or delete the function")
            return Holder(f"function {name}", owner, item.get("State") == "Deleting", shown)
        command = f"aws lambda delete-function --function-name {name} --qualifier {version} --region {key.region}"
        return Holder(f"version {version} of function {name}", owner, by_hand=f"`{command}` deletes that version")
    return Holder(f"function {name}")


# -- databases and caches -------------------------------------------------------------------------------------


def instances(session: Any, key: Key, fits: Callable[[Found], bool], then: str) -> list[Holder]:
    """DB instances that fit."""
    return [
        Holder(
            f"DB instance {item['DBInstanceIdentifier']}",
            tags.owner(tags.from_list(item.get("TagList"))),
            leaving=item.get("DBInstanceStatus") == "deleting",
            by_hand=_show(
                key,
                f"rds describe-db-instances --db-instance-identifier {item['DBInstanceIdentifier']}",
                f"{then}, or delete the instance",
            ),
        )
        for item in _listed(session, "rds", "describe_db_instances", "DBInstances", key)
        if fits(item)
    ]


def _proxies(session: Any, key: Key, place: str, then: str) -> list[Holder]:
    """DB proxies that wear a security group or are in a subnet."""
    found = []
    for item in _listed(session, "rds", "describe_db_proxies", "DBProxies", key):
        if place not in (*item.get("VpcSecurityGroupIds", ()), *item.get("VpcSubnetIds", ())):
            continue
        name, owner = str(item["DBProxyName"]), None
        with suppress(CloudError):
            owner = tags.owner(arn_tags.of(session, "rds", item["DBProxyArn"], name, key.region))
        command = f"rds describe-db-proxies --db-proxy-name {name}"
        leaving = item.get("Status") == "deleting"
        found.append(Holder(f"DB proxy {name}", owner, leaving, _show(key, command, f"{then}, or delete the proxy")))
    return found


def caches(session: Any, key: Key, fits: Callable[[Found], bool], then: str) -> list[Holder]:
    """Replication groups of which a node fits, and cache clusters that belong to none."""
    nodes = [n for n in _listed(session, "elasticache", "describe_cache_clusters", "CacheClusters", key) if fits(n)]
    names = {node.get("ReplicationGroupId") for node in nodes}
    groups = _listed(session, "elasticache", "describe_replication_groups", "ReplicationGroups", key) if names else []
    found = [_cache_group(key, group, then) for group in groups if group["ReplicationGroupId"] in names]
    return [*found, *(_cluster(key, node, then) for node in nodes if not node.get("ReplicationGroupId"))]


def _cache_group(key: Key, group: Found, then: str) -> Holder:
    name = group["ReplicationGroupId"]
    command = f"elasticache describe-replication-groups --replication-group-id {name}"
    return Holder(
        f"replication group {name}",
        description(group)[1] or None,
        leaving=group.get("Status") == "deleting",
        by_hand=_show(key, command, f"{then}, or delete the replication group"),
    )


def _cluster(key: Key, node: Found, then: str) -> Holder:
    name = node["CacheClusterId"]
    command = f"elasticache describe-cache-clusters --cache-cluster-id {name}"
    leaving = node.get("CacheClusterStatus") == "deleting"
    return Holder(f"cache cluster {name}", None, leaving, _show(key, command, f"{then}, or delete the cluster"))


def of_named_group(session: Any, key: Key, word: str, kind: str) -> list[Holder]:
    """Instances or caches in a subnet group, or with a parameter group: ``word`` DB or Cache, ``kind`` Subnet or
    Parameter."""
    then = f"give it another {kind.lower()} group" if kind == "Parameter" else "move it to another subnet group"

    def fits(item: Found) -> bool:
        return key.name in {str(name).lower() for name in _named_groups(item, word, kind)}

    return (instances if word == "DB" else caches)(session, key, fits, then)


def _named_groups(item: Found, word: str, kind: str) -> Iterator[Any]:
    name = f"{word}{kind}GroupName"
    if kind == "Subnet":
        yield item.get("DBSubnetGroup", {}).get(name) if word == "DB" else item.get(name)
    elif word == "DB":
        yield from (group.get(name) for group in item.get("DBParameterGroups", ()))
    else:
        yield item.get("CacheParameterGroup", {}).get(name)
