"""CloudWatch Logs: names of groups, and the days for which logs may be kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from provisioner.sandbox.aws.call import AwsError, Call, Reply

if TYPE_CHECKING:
    from provisioner.sandbox.aws.services import Services

_DAYS: Final = frozenset({
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
})  # fmt: skip
_NAME: Final = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


def put_retention(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """One of the periods on offer."""
    days = json.loads(call.body or b"{}").get("retentionInDays")
    if days not in _DAYS:
        raise AwsError(
            "InvalidParameterException", f"Invalid retentionInDays: {days}. One of {', '.join(map(str, sorted(_DAYS)))}"
        )
    return proceed()


def create_group(call: Call, services: Services, proceed: Callable[[], Reply]) -> Reply:
    """A good name; a key that can encrypt."""
    wish = json.loads(call.body or b"{}")
    if not _NAME.fullmatch(str(wish.get("logGroupName", ""))) or str(wish.get("logGroupName")).startswith("aws/"):
        raise AwsError("InvalidParameterException", f"Invalid logGroupName: {wish.get('logGroupName')}")
    key_id = wish.get("kmsKeyId")
    if key_id:
        key = services.world.neighbours.key(call.region, str(key_id))
        if key is None or key.state != "Enabled":
            raise AwsError(
                "InvalidParameterException",
                f"The specified KMS key does not exist or is not allowed to be used: {key_id}",
            )
    return proceed()
