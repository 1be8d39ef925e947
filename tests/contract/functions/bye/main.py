"""Another."""

from typing import Any


def other(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Says goodbye."""
    return {"said": f"bye {event['who']}"}
