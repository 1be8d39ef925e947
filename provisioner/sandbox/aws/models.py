"""botocore's service models, loaded once each: what operations, parameters and errors a service has."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

BY_SIGNING_NAME: Final = {
    "monitoring": "cloudwatch",
    "email": "ses",
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
    "servicequotas": "service-quotas",
    "execute-api": "apigatewaymanagementapi",
}
"""Where the name in a signature is not the name that boto3 gives the service."""


@functools.cache
def _loader() -> Loader:
    from botocore.loaders import Loader

    return Loader()


@functools.cache
def known_services() -> frozenset[str]:
    """Every service that botocore has a model of."""
    return frozenset(_loader().list_available_services("service-2"))


@functools.cache
def service_model(service: str) -> ServiceModel:
    """The model of ``service`` (boto3's name). Costs 10 to 70 ms the first time."""
    from botocore.model import ServiceModel

    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


@functools.cache
def error_statuses(service: str) -> dict[str, int]:
    """The HTTP status of each error code that the service's model knows."""
    statuses = {}
    for shape in service_model(service).error_shapes:
        error = shape.metadata.get("error", {})
        statuses[str(error.get("code", shape.name))] = int(error.get("httpStatusCode", 400))
    return statuses
