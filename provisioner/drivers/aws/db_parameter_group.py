"""aws.db_parameter_group: the PostgreSQL settings of database instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws.parameter_group import ParameterGroup
from provisioner.drivers.aws.tags import Tags


@resource.resource("aws.db_parameter_group")
class DbParameterGroup(ParameterGroup):
    """Parameters of one family (``postgres15``).

    Dynamic parameters take effect at once. Static ones wait for a restart, which the maintenance window does
    not bring: ``aws.rds_instance`` sees that one is due and restarts once.
    """

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A DB parameter group."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None,
            Meta(description="Name of the group. Left out: deployment-step."),
        ] = None
        family: Annotated[
            str,
            Meta(pattern=r"^postgres\d{2}$", description="Family; its number is the engine's major version.",
                 examples=["postgres15"]),
        ]  # fmt: skip
        parameters: Annotated[
            dict[str, str],
            Meta(
                description="Parameter name to value, as text in the parameter's own unit (work_mem in kB). "
                "Others keep the family's default.",
                examples=[{"max_connections": "100"}],
            ),
        ] = {}
        description: Annotated[str, Meta(min_length=1, max_length=255, description="What the group is for.")] = (
            "made by provisioner"
        )
        tags: Tags = None

    service = "rds"
    name_pattern = r"(?=.{1,255}$)[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*"
    word = "DB"
    arn_field = "DBParameterGroupArn"
    changes_field = "Parameters"

    def change(self, parameter: Mapping[str, Any], value: str | None) -> dict[str, str]:
        """Dynamic parameters at once, static ones with the next restart: AWS refuses to mix the two up."""
        method = "immediate" if parameter.get("ApplyType") == "dynamic" else "pending-reboot"
        entry = {"ParameterName": parameter["ParameterName"], "ApplyMethod": method}
        return entry if value is None else {**entry, "ParameterValue": value}
