"""aws.cache_parameter_group: the Redis or Valkey settings of caches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws.parameter_group import ParameterGroup
from provisioner.drivers.aws.tags import Tags


@resource.resource("aws.cache_parameter_group")
class CacheParameterGroup(ParameterGroup):
    """Parameters of one family, such as what a full cache evicts (``maxmemory-policy``)."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A cache parameter group."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None,
            Meta(description="Name of the group. Left out: deployment-step."),
        ] = None
        family: Annotated[
            str,
            Meta(pattern=r"^(redis(4\.0|5\.0|6\.x|7)|valkey\d+)$", description="Family; it fits the engine's version.",
                 examples=["redis7"]),
        ]  # fmt: skip
        parameters: Annotated[
            dict[str, str],
            Meta(
                description="Parameter name to value, as text. Others keep the family's default.",
                examples=[{"maxmemory-policy": "allkeys-lru"}],
            ),
        ] = {}
        description: Annotated[str, Meta(min_length=1, max_length=255, description="What the group is for.")] = (
            "made by provisioner"
        )
        tags: Tags = None

    service = "elasticache"
    name_pattern = r"(?=.{1,255}$)[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*"
    word = "Cache"
    arn_field = "ARN"
    changes_field = "ParameterNameValues"

    def change(self, parameter: Mapping[str, Any], value: str | None) -> dict[str, str]:
        """ElastiCache decides by itself when a parameter takes effect."""
        entry = {"ParameterName": parameter["ParameterName"]}
        return entry if value is None else {**entry, "ParameterValue": value}
