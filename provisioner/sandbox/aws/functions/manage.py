"""Functions: create, look, change, delete; their tags and the calls reserved for them."""

from __future__ import annotations

import uuid
from typing import Any, Final

from provisioner.sandbox.aws.call import AwsError, Call
from provisioner.sandbox.aws.functions import checks
from provisioner.sandbox.aws.functions.state import (
    LATEST,
    Code,
    Function,
    LambdaRegion,
    Version,
    name_of,
    qualifier_of,
    view,
)
from provisioner.sandbox.aws.lifecycle import Lifecycle, Stage
from provisioner.sandbox.aws.strict import Params, Result

DOWNLOADS: Final = "/_lambda/code/"
"""Where code is downloaded from, by whoever was given the address."""
_NOT_OFFERED: Final = (
    "FileSystemConfigs", "CodeSigningConfigArn", "ImageConfig", "TenancyConfig", "CapacityProviderConfig",
    "DurableConfig", "RuntimeConfig", "AcceleratorConfig", "PublishTo",
)  # fmt: skip
_DEFAULTS: Final[dict[str, Any]] = {
    "Description": "", "Timeout": 3, "MemorySize": 128, "Runtime": "", "Handler": "", "KMSKeyArn": "", "Layers": [],
}  # fmt: skip
_MOST_TAGS: Final = 50


def create(region: LambdaRegion, p: Params, call: Call) -> Result:
    """CreateFunction."""
    name = name_of(p["FunctionName"])
    if len(name) > 64:
        raise AwsError("ValidationException", f"Value '{name}' at 'functionName' has more than 64 characters", 400)
    if name in region.functions:
        raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
    refuse_not_offered(p)
    settings = _settings(p, {})
    settings["Architectures"] = p.get("Architectures") or ["x86_64"]
    checks.settings(region, settings)
    code = Code(checks.code(p["Code"].get("ZipFile")))
    check_tags(p.get("Tags") or {})
    now = region.world.now
    function = Function(name, settings, code, Lifecycle(now, "Pending"), Lifecycle(now, "Successful"), _stamp(region))
    seconds = region.world.options.seconds("lambda")
    stages = [Stage("Pending", seconds, held=call.held)]
    if call.outcome:
        function.failure = ("InternalError", "an internal error (asked for by a fault)")
    if call.outcome == "ready-then-failed":
        stages.append(Stage("Active", call.outcome_delay))
    function.lifecycle.follow(stages, rest="Failed" if call.outcome else "Active")
    region.functions[name] = function
    region.tags[region.arn("function", name)] = dict(p.get("Tags") or {})
    if p.get("Publish"):
        publish(region, function, "")
    return dict(view(region, function))


def refuse_not_offered(p: Params) -> None:
    """Say honestly what the sandbox cannot play, instead of taking it and doing nothing."""
    wished = [name for name in _NOT_OFFERED if p.get(name)]
    wished += [f"Code.{name}" for name in ("S3Bucket", "ImageUri") if (p.get("Code") or {}).get(name)]
    wished += [name for name in ("S3Bucket", "ImageUri") if p.get(name)]
    if p.get("PackageType", "Zip") != "Zip" or (p.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        wished.append("PackageType or SnapStart")
    if wished:
        raise AwsError("NotImplemented", f"the sandbox does not offer {', '.join(wished)}", 501)


def _settings(p: Params, before: dict[str, Any]) -> dict[str, Any]:
    """The configuration after a call; what it does not name stays, or has AWS's default."""
    plain = {name: p.get(name, before.get(name, default)) for name, default in _DEFAULTS.items()}
    network = p.get("VpcConfig", before.get("VpcConfig")) or {}
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name_of(p['FunctionName'])}"}
    return {
        **plain,
        "Role": p.get("Role", before.get("Role")),
        "VpcConfig": {
            "SubnetIds": list(network.get("SubnetIds") or ()),
            "SecurityGroupIds": list(network.get("SecurityGroupIds") or ()),
        },
        "Environment": {
            "Variables": dict((p.get("Environment", before.get("Environment")) or {}).get("Variables") or {})
        },
        "DeadLetterConfig": {
            "TargetArn": (p.get("DeadLetterConfig", before.get("DeadLetterConfig")) or {}).get("TargetArn", "")
        },
        "TracingConfig": p.get("TracingConfig", before.get("TracingConfig")) or {"Mode": "PassThrough"},
        "EphemeralStorage": p.get("EphemeralStorage", before.get("EphemeralStorage")) or {"Size": 512},
        "LoggingConfig": {**(before.get("LoggingConfig") or logging), **(p.get("LoggingConfig") or {})},
        "Architectures": before.get("Architectures") or ["x86_64"],
    }


def _stamp(region: LambdaRegion) -> str:
    return region.world.wall().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def get(region: LambdaRegion, p: Params, call: Call) -> Result:
    """GetFunction."""
    function, version = _meant(region, p)
    arn = region.arn("function", function.name)
    code = version.code if version else function.code
    host = f"{call.environ.get('wsgi.url_scheme', 'http')}://{call.environ.get('HTTP_HOST', '127.0.0.1')}"
    reserved = function.concurrency
    return {
        "Configuration": view(region, function, version, qualified="Qualifier" in p),
        "Code": {"RepositoryType": "S3", "Location": f"{host}{DOWNLOADS}{region.name}/{region.address(code)}"},
        "Tags": dict(region.tags.get(arn, {})) or None,
        "Concurrency": {"ReservedConcurrentExecutions": reserved} if reserved is not None else None,
    }


def get_configuration(region: LambdaRegion, p: Params, call: Call) -> Result:
    """GetFunctionConfiguration."""
    function, version = _meant(region, p)
    return dict(view(region, function, version, qualified="Qualifier" in p))


def _meant(region: LambdaRegion, p: Params) -> tuple[Function, Version | None]:
    function = region.function(p["FunctionName"])
    number = qualifier_of(p["FunctionName"], p.get("Qualifier"))
    if number == LATEST:
        return function, None
    if number not in function.versions:
        raise region.missing(f"{region.arn('function', function.name)}:{number}")
    return function, function.versions[number]


def list_all(region: LambdaRegion, p: Params, call: Call) -> Result:
    """ListFunctions: in the order of their names, fifty a page; with FunctionVersion their versions, too."""
    every = p.get("FunctionVersion") == "ALL"
    views = []
    for name in sorted(region.functions):
        function = region.functions[name]
        views.append(view(region, function, qualified=every))
        if every:
            views += [view(region, function, version) for version in function.versions.values()]
    return _paged("Functions", views, p)


def list_versions(region: LambdaRegion, p: Params, call: Call) -> Result:
    """ListVersionsByFunction."""
    function = region.function(p["FunctionName"])
    views = [view(region, function, qualified=True)]
    views += [view(region, function, version) for version in function.versions.values()]
    return _paged("Versions", views, p)


def _paged(field: str, views: list[Any], p: Params) -> Result:
    begin, size = int(p.get("Marker") or 0), min(int(p.get("MaxItems", 50)), 50)
    more = str(begin + size) if begin + size < len(views) else None
    return {field: views[begin : begin + size], "NextMarker": more}


def changeable(region: LambdaRegion, function: Function) -> None:
    """One change at a time; none before the function is there."""
    state = function.lifecycle.status
    if state == "Pending":
        raise AwsError(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
            409,
        )
    if function.update.status == "InProgress":
        arn = region.arn("function", function.name)
        raise AwsError(
            "ResourceConflictException",
            f"The operation cannot be performed at this time. An update is in progress for resource: {arn}",
            409,
        )


def _changed(region: LambdaRegion, function: Function, call: Call) -> None:
    function.modified = _stamp(region)
    function.revision = str(uuid.uuid4())
    failed = call.outcome == "failed"
    function.failure = ("InternalError", "an internal error (asked for by a fault)") if failed else ("", "")
    stages = [Stage("InProgress", region.world.options.seconds("lambda:update"), held=call.held)]
    function.update.follow(stages, rest="Failed" if failed else "Successful")


def update_configuration(region: LambdaRegion, p: Params, call: Call) -> Result:
    """UpdateFunctionConfiguration."""
    function = region.function(p["FunctionName"])
    changeable(region, function)
    refuse_not_offered(p)
    settings = _settings(p, function.settings)
    checks.settings(region, settings)
    before, function.settings = function.settings, settings
    region.leave(function.name, [before])
    _changed(region, function, call)
    return dict(view(region, function))


def update_code(region: LambdaRegion, p: Params, call: Call) -> Result:
    """UpdateFunctionCode."""
    function = region.function(p["FunctionName"])
    changeable(region, function)
    refuse_not_offered(p)
    code = Code(checks.code(p.get("ZipFile")))
    if p.get("DryRun"):
        return dict(view(region, function))
    function.code = code
    function.settings = function.settings | {
        "Architectures": p.get("Architectures") or function.settings["Architectures"]
    }
    _changed(region, function, call)
    if p.get("Publish"):
        publish(region, function, "")
    return dict(view(region, function))


def publish_version(region: LambdaRegion, p: Params, call: Call) -> Result:
    """PublishVersion."""
    function = region.function(p["FunctionName"])
    changeable(region, function)
    wanted = p.get("CodeSha256")
    if wanted and wanted != function.code.sha256:
        raise checks.invalid(
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({function.code.sha256}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    return dict(view(region, function, publish(region, function, p.get("Description", ""))))


def publish(region: LambdaRegion, function: Function, description: str) -> Version:
    """A version of what there is now; the last one where nothing has changed since."""
    last = function.versions.get(str(function.published))
    if last is not None and last.code == function.code and _same(last.settings, function.settings):
        return last
    function.published += 1
    settings = function.settings | ({"Description": description} if description else {})
    version = Version(str(function.published), settings, function.code, _stamp(region))
    function.versions[version.number] = version
    return version


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return {**one, "Description": ""} == {**other, "Description": ""}


def delete(region: LambdaRegion, p: Params, call: Call) -> Result:
    """DeleteFunction: the function with all its versions, or one of them."""
    function, version = _meant(region, p)
    if version is not None:
        del function.versions[version.number]
        region.leave(function.name, [version.settings])
        return {}
    if p.get("Qualifier") == LATEST:
        raise checks.invalid("$LATEST version cannot be deleted without deleting the function.")
    changeable(region, function)
    del region.functions[function.name]
    region.tags.pop(region.arn("function", function.name), None)
    region.leave(function.name, function.every_settings())
    return {}


def put_concurrency(region: LambdaRegion, p: Params, call: Call) -> Result:
    """PutFunctionConcurrency."""
    function = region.function(p["FunctionName"])
    checks.concurrency(region, function.name, p["ReservedConcurrentExecutions"])
    function.concurrency = p["ReservedConcurrentExecutions"]
    return {"ReservedConcurrentExecutions": function.concurrency}


def delete_concurrency(region: LambdaRegion, p: Params, call: Call) -> Result:
    """DeleteFunctionConcurrency."""
    region.function(p["FunctionName"]).concurrency = None
    return {}


def get_concurrency(region: LambdaRegion, p: Params, call: Call) -> Result:
    """GetFunctionConcurrency."""
    return {"ReservedConcurrentExecutions": region.function(p["FunctionName"]).concurrency}


def tag(region: LambdaRegion, p: Params, call: Call) -> Result:
    """TagResource."""
    arn = _tagged(region, p)
    check_tags({**region.tags.get(arn, {}), **p["Tags"]})
    region.tags[arn] = {**region.tags.get(arn, {}), **p["Tags"]}
    return {}


def untag(region: LambdaRegion, p: Params, call: Call) -> Result:
    """UntagResource."""
    arn = _tagged(region, p)
    region.tags[arn] = {name: text for name, text in region.tags.get(arn, {}).items() if name not in p["TagKeys"]}
    return {}


def list_tags(region: LambdaRegion, p: Params, call: Call) -> Result:
    """ListTags."""
    return {"Tags": dict(region.tags.get(_tagged(region, p), {}))}


def _tagged(region: LambdaRegion, p: Params) -> str:
    return region.arn("function", region.function(p["Resource"]).name)


def check_tags(tags: dict[str, str]) -> None:
    """AwsError where a tag breaks the rules."""
    if len(tags) > _MOST_TAGS:
        raise checks.invalid(f"at most {_MOST_TAGS} tags on one function")
    for name, text in tags.items():
        if not 1 <= len(name) <= 128 or len(text) > 256 or name.lower().startswith("aws:"):
            raise checks.invalid(f"tag {name[:40]!r} is not allowed")
