"""Plans of many light resources: as many security groups as secrets, topics and alarms, the groups all in one network.

They are the objects of the stack ``terraform/light``, with its names, values and owners' tags; only the values of the
secrets are made by the provisioner itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

ENVIRONMENT = "production"


def write(directory: Path, size: int) -> Path:
    """A plan of ``size`` resources, and the network that is not counted."""
    path = directory / f"light-{size}.yaml"
    path.write_text(text(size), encoding="utf-8")
    return path


def text(size: int) -> str:
    """The plan; where ``size`` is no multiple of four there are more of the first kinds."""
    head = [
        "deployment: light",
        "provider: aws",
        "region: us-east-1",
        f"environments: {{{ENVIRONMENT}: {{}}}}",
        "steps:",
    ]
    head += ["  - {name: vpc, type: aws.vpc, with: {cidr: 10.0.0.0/16}}"]
    return "\n".join([*head, *(_KINDS[number % len(_KINDS)](number // len(_KINDS)) for number in range(size))]) + "\n"


def _topic(number: int) -> str:
    return f"  - {{name: topic-{number}, type: aws.sns_topic, with: {{display_name: topic {number}}}}}"


def _secret(number: int) -> str:
    return f"  - {{name: secret-{number}, type: aws.secret, with: {{generate: {{length: 32}}}}}}"


def _wall(number: int) -> str:
    return f"""\
  - name: wall-{number}
    type: aws.security_group
    with:
      description: wall {number}
      vpc_id: ${{vpc.vpc_id}}
      ingress: [{{port: 5432, cidr: 10.0.0.0/16}}]
      egress: [{{protocol: all, cidr: 0.0.0.0/0}}]"""


def _alarm(number: int) -> str:
    return f"""\
  - name: alarm-{number}
    type: aws.cloudwatch_alarm
    with:
      description: alarm {number}
      namespace: AWS/RDS
      metric: CPUUtilization
      dimensions: {{DBInstanceIdentifier: light-{ENVIRONMENT}-{number}}}
      statistic: Average
      period: 60
      evaluation_periods: 3
      threshold: 90
      comparison_operator: GreaterThanThreshold
      alarm_actions: ["${{topic-{number}.arn}}"]"""


_KINDS: tuple[Callable[[int], str], ...] = (_topic, _secret, _wall, _alarm)
