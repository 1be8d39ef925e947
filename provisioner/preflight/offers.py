"""What the region offers: zones, versions, classes, parameters. The cloud is asked."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from provisioner.preflight.book import AWS, RDS_GUIDE, rule
from provisioner.preflight.parameters import GROUPS, settings
from provisioner.preflight.rds import major_of, number
from provisioner.rules.facts import parameters_of
from provisioner.rules.look import Look
from provisioner.rules.rule import Hit, Level, at, on

_ZONES = f"{AWS}/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html"
_VERSIONS = f"{AWS}/AmazonRDS/latest/APIReference/API_DescribeDBEngineVersions.html"
_OPTIONS = f"{AWS}/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html"


@rule("region.zones", Level.ERROR, online=True, source=_ZONES, hint="preflight shows which there are; take one of them")
def zones(look: Look) -> Iterator[Hit]:
    """A zone is meant that the region does not have."""
    for item in look.outline.of("aws.subnet"):
        if item.step.adopt or not look.touched(item.step.name):
            continue
        there = look.survey.zones()
        index, name = item.get("zone_index"), item.get("availability_zone")
        if isinstance(index, int) and index >= len(there):
            yield on(item, "zone_index", f"{item.region} has {len(there)} zones; there is no index {index}")
        if name and name not in there:
            yield on(item, "availability_zone", f"{item.region} has {', '.join(there)}")


@rule("rds.version-offered", Level.ERROR, online=True, source=_VERSIONS)
def version_offered(look: Look) -> Iterator[Hit]:
    """The region does not let anybody create this version of PostgreSQL."""
    for item in look.outline.of("aws.rds_instance"):
        version = item.get("engine_version")
        if not version or not look.made(item.step.name):  # an upgrade of what is there is settled by RDS
            continue
        there = look.survey.versions("rds", "postgres", major_of(version))
        if version not in there and (version != major_of(version) or not there):
            every = there or look.survey.versions("rds", "postgres")
            hint = f"take {there[-1]}" if there else f"there are {', '.join(dict.fromkeys(map(major_of, every)))}"
            yield on(item, "engine_version", f"{item.region} does not offer PostgreSQL {version}", hint=hint)


@rule(
    "cache.version-offered",
    Level.ERROR,
    online=True,
    source=f"{AWS}/AmazonElastiCache/latest/APIReference/API_DescribeCacheEngineVersions.html",
)
def cache_version(look: Look) -> Iterator[Hit]:
    """The region does not offer this version of Redis or Valkey."""
    for item in look.outline.of("aws.cache_replication_group"):
        version = item.get("engine_version")
        if version and look.touched(item.step.name):
            there = look.survey.versions("cache", item.get("engine", "redis"))
            if not any(one == version or one.startswith(f"{version}.") for one in there):
                message = f"{item.region} does not offer {item.get('engine', 'redis')} {version}"
                yield on(item, "engine_version", message, hint=f"there are {', '.join(there)}")


@rule(
    "rds.class-orderable", Level.ERROR, online=True, source=_OPTIONS, hint="take another class, or another storage_type"
)
def class_orderable(look: Look) -> Iterator[Hit]:
    """The class cannot be had in this region with this version, storage or standby."""
    for item in look.outline.of("aws.rds_instance"):
        name, version = item.get("instance_class"), item.get("engine_version")
        if not name or not version or not look.touched(item.step.name):
            continue
        exact = _exact(look, version)
        if not exact:
            continue  # rds.version-offered says so
        newest = max(exact, key=number)
        offers = look.survey.offers(name, newest)
        kind = item.get("storage_type", "gp3")
        if not offers:
            yield on(item, "instance_class", f"{name} cannot be had in {item.region} with PostgreSQL {newest}")
        elif not any(offer.storage_type == kind for offer in offers):
            kinds = ", ".join(sorted({offer.storage_type for offer in offers}))
            yield on(item, "storage_type", f"{name} cannot be had with {kind} in {item.region}; it can with {kinds}")
        elif item.get("multi_az") and not any(o.multi_az for o in offers if o.storage_type == kind):
            yield on(item, "multi_az", f"{name} cannot have a standby in {item.region}")


@rule(
    "rds.class-zones", Level.WARNING, online=True, source=_OPTIONS, hint="put a subnet into a zone that has the class"
)
def class_zones(look: Look) -> Iterator[Hit]:
    """The class is offered in fewer than two of the zones that the database may use."""
    outline = look.outline
    for item in outline.of("aws.rds_instance"):
        name, version = item.get("instance_class"), item.get("engine_version")
        group = outline.link(item, "subnet_group", "aws.db_subnet_group")
        if not name or not version or group is None or not look.touched(item.step.name):
            continue
        there = look.survey.zones()
        used = [
            _zone(subnet.get("availability_zone"), subnet.get("zone_index"), there)
            for subnet in outline.links(group, "subnets")
        ]
        exact = _exact(look, version)
        offers = look.survey.offers(name, max(exact, key=number)) if exact else ()
        having = {zone for offer in offers for zone in offer.zones}
        if offers and all(used) and len(having & set(used)) < min(2, len(set(used))):
            yield on(
                item, "instance_class", f"of {', '.join(map(str, used))} {name} is offered in {len(having & set(used))}"
            )


def _exact(look: Look, version: str) -> list[str]:
    """The versions on offer that a plan's ``15`` or ``15.13`` may become."""
    there = look.survey.versions("rds", "postgres", major_of(version))
    return [one for one in there if version in (one, major_of(one))]


def _zone(name: str | None, index: int | None, there: object) -> str | None:
    zones = list(there) if isinstance(there, list | tuple) else []
    if name:
        return name
    return zones[index] if isinstance(index, int) and index < len(zones) else None


@rule(
    "param.not-offered",
    Level.ERROR,
    online=True,
    source=f"{RDS_GUIDE}/USER_WorkingWithParamGroups.html",
    hint="take it out, or mend its spelling",
)
def parameters(look: Look) -> Iterator[Hit]:
    """A parameter is set that its family does not have. Asked of those that the table does not know."""
    for group in look.outline.of(*GROUPS):
        family = group.get("family")
        if not family or not look.touched(group.step.name):
            continue
        strange = [name for name in settings(group) if name not in parameters_of(family)]
        service = "rds" if group.type == "aws.db_parameter_group" else "cache"
        there = look.survey.parameters(service, family) if strange else {}
        for name in strange:
            if name not in there:
                near = get_close_matches(name, there, n=1)
                meant = f"; did you mean {near[0]!r}?" if near else ""
                yield at(group, ("parameters", name), f"{family} has no parameter {name!r}{meant}")
