"""What the rules over CloudWatch share: moto's objects, a put that overwrites settings alone, tags."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply
from provisioner.sandbox.aws.strict import MAX_TAGS, checked_tags
from provisioner.sandbox.aws.wire import answer

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

SERVICE: Final = "cloudwatch"
INVALID: Final = "ValidationError"
_ARN: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[^:\s]*:[^:\s]*:\S+")


def put_under(call: Call, services: Services, proceed: Callable[[], Reply], wish: dict[str, Any]) -> Reply:
    """moto's put, with the state, history and tags that an alarm of the name has. The lock is held."""
    backend = backend_of(call, services)
    before = backend.alarms.get(wish["AlarmName"])
    tags = backend.tagger.get_tag_dict_for_resource(before.alarm_arn) if before is not None else {}
    reply = proceed()
    alarm = backend.alarms.get(wish["AlarmName"])
    if alarm is None or alarm is before:
        return reply
    if before is None:
        alarm.state_value = "INSUFFICIENT_DATA"
        return reply
    for field in ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history"):
        setattr(alarm, field, getattr(before, field))
    set_tags(backend, alarm.alarm_arn, tags)
    return reply


def backend_of(call: Call, services: Services) -> Any:
    """moto's CloudWatch in the call's region. Hold the lock meanwhile."""
    return services.world.moto.backend(SERVICE, call.region)


def set_tags(backend: Any, arn: str, tags: dict[str, str]) -> None:
    """These and no others."""
    backend.tagger.delete_all_tags_for_resource(arn)
    if tags:
        backend.tagger.tag_resource(arn, [{"Key": key, "Value": value} for key, value in tags.items()])


def check_actions(wish: dict[str, Any]) -> None:
    """AwsError where an alarm would tell what is no ARN."""
    for kind in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for action in wish.get(kind) or []:
            if not _ARN.fullmatch(action):
                raise AwsError(INVALID, f"Invalid arn syntax: {action}")


def answer_tags(call: Call, backend: Any, wish: dict[str, Any]) -> Reply:
    """ListTagsForResource, TagResource or UntagResource of something that there is. The lock is held."""
    arn = wish["ResourceARN"]
    has = backend.tagger.get_tag_dict_for_resource(arn)
    if call.operation == "ListTagsForResource":
        return answer(call, {"Tags": [{"Key": key, "Value": value} for key, value in has.items()]})
    wanted = has | checked_tags(wish.get("Tags") or [])
    if len(wanted) > MAX_TAGS:
        raise AwsError("InvalidParameterValue", f"at most {MAX_TAGS} tags on one resource")
    set_tags(backend, arn, {key: v for key, v in wanted.items() if key not in (wish.get("TagKeys") or [])})
    return answer(call, {})
