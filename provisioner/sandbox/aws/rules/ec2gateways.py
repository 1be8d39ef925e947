"""EC2: NAT gateways, internet gateways and elastic addresses, and who is in whose way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from provisioner.sandbox.aws import endpoints, natgateways
from provisioner.sandbox.aws.call import AwsError, Call, Reply

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_FOREIGN = AwsError("AuthFailure", "You do not have permission to access the specified resource.")
"""What EC2 says of an address that one of its own has."""


def create_nat(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """In a subnet that there is, with an address if it is public; whether it works shows later."""
    form = call.form
    public = form.get("ConnectivityType", "public") == "public"
    allocation = form.get("AllocationId", "")
    if not form.get("SubnetId"):
        raise AwsError("MissingParameter", "The request must contain the parameter SubnetId")
    if public and not allocation:
        raise AwsError("MissingParameter", "The request must include the AllocationId parameter.")
    if allocation and not public:
        raise AwsError("InvalidParameterCombination", "A private NAT gateway has no AllocationId")
    natgateways.settle(services, call.region)
    default_door(services, call.region)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        if public:
            _free_address(backend, allocation)
        before = set(backend.nat_gateways)
        reply = proceed()
        for number in backend.nat_gateways.keys() - before:
            gateway = backend.nat_gateways[number]
            failure = _doorless(backend, gateway.vpc_id) if public else None
            natgateways.begin(services, backend, gateway, failure, call.held)
            return Reply(reply.status, reply.headers, _pending(reply.body))
    return reply


def _free_address(backend: Any, allocation: str) -> None:
    address = next((one for one in backend.addresses if one.allocation_id == allocation), None)
    if address is None:
        raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{allocation}' does not exist")
    if address.association_id:
        raise AwsError("Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated")


def _doorless(backend: Any, vpc: str) -> tuple[str, str] | None:
    """Why a public gateway in this VPC fails, or None."""
    if any(getattr(door.vpc, "id", None) == vpc for door in backend.internet_gateways.values()):
        return None
    return "Gateway.NotAttached", f"Network {vpc} has no Internet gateway attached"


def _pending(body: bytes) -> bytes:
    """moto's answer, in which a new gateway is available already."""
    return body.replace(b"<state>available</state>", b"<state>pending</state>")


def describe_nat(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """With every filter that EC2 has; moto shows what is left."""
    natgateways.settle(services, call.region)
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        every = backend.nat_gateways
        for name, number in call.form.items():
            if name.startswith("NatGatewayId.") and number not in every:
                raise _no_nat(number)
        wishes = list(filters(call.form))
        backend.nat_gateways = {
            number: one for number, one in every.items() if all(fits(one, _known(one), *w) for w in wishes)
        }
        try:
            return proceed()
        finally:
            backend.nat_gateways = every


def _no_nat(number: str) -> AwsError:
    return AwsError("NatGatewayNotFound", f"The Nat Gateway {number} was not found")


def filters(form: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Each filter of a call with its values."""
    for name, value in form.items():
        if name.startswith("Filter.") and name.endswith(".Name"):
            start = f"{name.removesuffix('Name')}Value."
            yield value, [text for other, text in form.items() if other.startswith(start)]


def fits(thing: Any, known: dict[str, list[str]], name: str, wanted: list[str]) -> bool:
    """Whether one of moto's objects passes a filter; ``known``: its values by the filters that are not about tags."""
    tags = {tag["key"]: tag["value"] for tag in thing.get_tags()}
    known = {**known, "tag-key": list(tags)}
    if name.startswith("tag:"):
        values = [text for tag, text in tags.items() if tag == name.removeprefix("tag:")]
    elif name in known:
        values = known[name]
    else:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return any(fnmatchcase(value, want) for value in values for want in wanted)


def _known(gateway: Any) -> dict[str, list[str]]:
    return {
        "nat-gateway-id": [gateway.id],
        "state": [gateway.state],
        "subnet-id": [gateway.subnet_id],
        "vpc-id": [gateway.vpc_id],
    }


def delete_nat(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """One that is there; it takes its time."""
    natgateways.settle(services, call.region)
    number = call.form.get("NatGatewayId", "")
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        gateway = backend.nat_gateways.get(number)
        if gateway is None or gateway.state == "deleted":
            raise _no_nat(number)
        state = gateway.state
        reply = proceed()
        gateway.state = state
        if state != "deleting":
            natgateways.end(services, backend, gateway, call.held)
        return reply


# -- addresses ------------------------------------------------------------------------------------------------


def settled(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """What shows addresses shows them as they are by now."""
    natgateways.settle(services, call.region)
    return proceed()


def release(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not what something has."""
    natgateways.settle(services, call.region)
    with services.world.moto.lock("ec2"):
        address = _address(call, services)
        if address is not None and address.eni is not None and natgateways.of_gateway(address.eni):
            raise _FOREIGN
        if address is not None and address.association_id:
            raise AwsError("InvalidIPAddress.InUse", f"The address {address.public_ip} is in use.")
        return proceed()


def disassociate(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not what AWS itself associated."""
    natgateways.settle(services, call.region)
    with services.world.moto.lock("ec2"):
        address = _address(call, services)
        if address is not None and address.eni is not None and natgateways.of_gateway(address.eni):
            raise _FOREIGN
        return proceed()


def _address(call: Call, services: Services) -> Any:
    wishes = {call.form[name] for name in ("AllocationId", "AssociationId", "PublicIp") if call.form.get(name)}
    every = services.world.moto.backend("ec2", call.region).addresses
    return next((a for a in every if wishes & {a.allocation_id, a.association_id, a.public_ip}), None)


# -- the door -------------------------------------------------------------------------------------------------


def with_default_door(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """What looks at gateways and routes sees those of the default VPC, which moto makes without, and no dead ones."""
    endpoints.settle(services, call.region)
    default_door(services, call.region)
    return proceed()


def default_door(services: Services, region: str) -> None:
    """The default VPC has a gateway from the start, and its main table leads there; nobody makes them again."""
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", region)
        vpc = backend.default_vpc
        if vpc is None or hasattr(backend, "default_door"):
            return
        door = backend.create_internet_gateway()
        door.vpc, backend.default_door = vpc, door.id
        for table in list(backend.route_tables.values()):
            if table.vpc_id == vpc.id and table.main_association_id:
                backend.create_route(table.id, "0.0.0.0/0", gateway_id=door.id)


def attach(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """One VPC a gateway, one gateway a VPC."""
    number, vpc = call.form.get("InternetGatewayId", ""), call.form.get("VpcId", "")
    default_door(services, call.region)
    with services.world.moto.lock("ec2"):
        doors = services.world.moto.backend("ec2", call.region).internet_gateways
        there = getattr(doors[number].vpc, "id", None) if number in doors else None
        if there is not None:
            raise AwsError("Resource.AlreadyAssociated", f"resource {number} is already attached to network {there}")
        if any(getattr(door.vpc, "id", None) == vpc for door in doors.values()):
            raise AwsError("InvalidParameterValue", f"Network {vpc} already has an internet gateway attached")
        return proceed()


def detach(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """Not while something in the VPC has a public address."""
    natgateways.settle(services, call.region)
    vpc = call.form.get("VpcId", "")
    with services.world.moto.lock("ec2"):
        backend = services.world.moto.backend("ec2", call.region)
        mapped = [one for one in backend.addresses if one.eni is not None and one.eni.subnet.vpc_id == vpc]
        if mapped:
            raise AwsError(
                "DependencyViolation",
                f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before "
                "detaching the gateway.",
            )
        return proceed()
