"""Another."""


def other(event, context):
    """Says goodbye."""
    return {"said": f"bye {event['who']}"}
