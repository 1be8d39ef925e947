"""A function for the tests of Lambda."""

import os
from typing import Any


def answer(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Says hello."""
    print("asked by", event["who"])
    return {"said": f"{os.environ['GREETING']} {event['who']}", "memory": context.memory_limit_in_mb}
