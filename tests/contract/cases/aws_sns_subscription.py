"""aws.sns_subscription."""

from tests.contract.case import Case, Need

CASE = Case(
    needs=(
        Need("events", "aws.sns_topic", lambda world: {}),
        Need("others", "aws.sns_topic", lambda world: {}),
    ),
    spec=lambda world: {
        "topic_arn": world["events"]["arn"],
        "protocol": "https",
        "endpoint": "https://hooks.example.com/events",
    },
    replaced=lambda world: {"topic_arn": world["others"]["arn"]},
    beside=lambda world, step: {"endpoint": f"https://hooks.example.com/{step}"},
    invalid=(
        {"topic_arn": "events"},
        {"protocol": "pigeon"},
        {"protocol": "email"},
        {"endpoint": "http://hooks.example.com/events"},
        {"endpoint": ""},
    ),
)
