"""AWS Lambda: the table of its operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from provisioner.sandbox.aws import rest
from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.functions import invoke, manage, policy
from provisioner.sandbox.aws.functions.state import LambdaRegion
from provisioner.sandbox.aws.models import service_model
from provisioner.sandbox.aws.strict import Handler, Params, Result, StrictService

if TYPE_CHECKING:
    from botocore.model import OperationModel

_OPERATIONS: Final[dict[str, Handler[LambdaRegion]]] = {
    "CreateFunction": manage.create,
    "GetFunction": manage.get,
    "GetFunctionConfiguration": manage.get_configuration,
    "ListFunctions": manage.list_all,
    "ListVersionsByFunction": manage.list_versions,
    "UpdateFunctionConfiguration": manage.update_configuration,
    "UpdateFunctionCode": manage.update_code,
    "PublishVersion": manage.publish_version,
    "DeleteFunction": manage.delete,
    "PutFunctionConcurrency": manage.put_concurrency,
    "DeleteFunctionConcurrency": manage.delete_concurrency,
    "GetFunctionConcurrency": manage.get_concurrency,
    "TagResource": manage.tag,
    "UntagResource": manage.untag,
    "ListTags": manage.list_tags,
    "AddPermission": policy.add,
    "RemovePermission": policy.remove,
    "GetPolicy": policy.get,
}


class Lambda(StrictService[LambdaRegion]):
    """AWS Lambda in every region."""

    name: ClassVar[str] = "lambda"
    operations: Mapping[str, Handler[LambdaRegion]] = _OPERATIONS
    region_class = LambdaRegion

    def handle(self, call: Call) -> Reply:
        """As everywhere; but a call of a function takes its time, and holds nothing up meanwhile."""
        if call.operation != "Invoke":
            return super().handle(call)
        operation = service_model(self.name).operation_model(call.operation)
        params = self.parse(operation, call)
        return self.render(operation, invoke.invoke(self.region(call.region), params, call))

    def parse(self, operation: OperationModel, call: Call) -> Params:
        """REST with JSON."""
        return rest.parse(operation, call, "ValidationException")

    def render(self, operation: OperationModel, result: Result) -> Reply:
        """REST with JSON."""
        return rest.render(operation, result)

    def download(self, path: str) -> Reply:
        """Code, for whoever has its address."""
        region, _, token = path.removeprefix(manage.DOWNLOADS).partition("/")
        home = self.region(region)
        with home.lock:
            data = home.downloads.get(token)
        if data is None:
            raise AwsError("AccessDenied", "Request has expired", 403)
        return Reply(200, [("Content-Type", "application/zip")], data)

    def removals(self, region: LambdaRegion) -> list[Callable[[], None]]:
        """Nothing is left of a function that is not running."""
        return []
