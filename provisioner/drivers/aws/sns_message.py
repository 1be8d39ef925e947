"""aws.sns_message: tells a topic that a deployment has come this far; usually the last step of a plan.

It is a gate, since nothing is made that could be deleted: every deploy sends it once, also one that had nothing else to
do, and its own session remembers that it was sent. Nothing is told when a deployment is destroyed.

Weakness: a run that dies after the call and before its end sends it again when it is taken up. SNS cannot be asked
whether it has seen a message, but for topics of its FIFO kind, so it may arrive twice and never not at all.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from provisioner import resource
from provisioner.errors import CloudError
from provisioner.resource import Verdict

_SENT: Final = "messages sent"


@resource.resource("aws.sns_message")
class SnsMessage(resource.Gate):
    """Sends a message to a topic, once a deploy. A deployment that cannot send it fails, unless it is not required."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A message."""

        topic_arn: Annotated[str, Meta(pattern=r"^arn:[a-z-]+:sns:", description="ARN of the topic.")]
        subject: Annotated[
            str,
            Meta(
                max_length=100,
                pattern=r"^([!-~][ -~]*)?$",
                description="Subject of mails: ASCII, one line; empty: none.",
                examples=["${deployment.name} is deployed"],
            ),
        ] = ""
        message: Annotated[
            str,
            Meta(min_length=1, max_length=65_536, description="What to say; no secrets: mails are read by many."),
        ]
        required: Annotated[
            bool, Meta(description="Whether the deployment fails, and is reversed, when it cannot be sent.")
        ] = True

    timeout = 120.0
    interval = 15.0

    def check(self, spec: Spec) -> Verdict:
        """Publishes, unless this session has done so; what passes by itself is tried again."""
        sent = self.session.memory(_SENT)
        place = f"{spec.topic_arn} {spec.subject} {spec.message}"
        if place not in sent:
            try:
                sent[place] = self._publish(spec)
            except CloudError as err:
                if not spec.required:
                    return Verdict(True, f"not sent: {err}")
                return Verdict(False, f"not sent: {err}", final=not err.retryable)
        return Verdict(True, f"sent as {sent[place]}")

    def look(self, spec: Spec) -> Verdict:
        """Whether there is somebody to tell; nothing is sent."""
        arn = spec.topic_arn
        try:
            found = self.session.pages(
                "sns", "list_subscriptions_by_topic", "Subscriptions", what=arn, region=_region(arn), TopicArn=arn
            )
            told = [one for one in found if str(one["SubscriptionArn"]).startswith("arn:")]
        except CloudError as err:
            return Verdict(False, str(err))
        return Verdict(bool(told) or not spec.required, f"{len(told)} confirmed subscriptions")

    def _publish(self, spec: Spec) -> str:
        answer = self.session.call(
            "sns",
            "publish",
            what=spec.topic_arn,
            region=_region(spec.topic_arn),
            TopicArn=spec.topic_arn,
            Subject=spec.subject or None,
            Message=spec.message,
        )
        return str(answer["MessageId"])


def _region(arn: str) -> str:
    return arn.split(":")[3]
