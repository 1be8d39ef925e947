"""A function for the tests of Lambda."""

import os


def answer(event, context):
    """Says hello."""
    print("asked by", event["who"])
    return {"said": f"{os.environ['GREETING']} {event['who']}", "memory": context.memory_limit_in_mb}
