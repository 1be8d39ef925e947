"""What somebody would look at after a deployment, type by type: the lists of our reference systems, for a machine."""

from __future__ import annotations

from provisioner.powers import Point


def rds() -> tuple[Point, ...]:
    """Eight points of a database."""
    return (
        Point("it is available"),
        Point("a standby in another zone", ("multi_az",)),
        Point("automated backups", ("backup_retention_days", "backup_window")),
        Point("encrypted at rest", ("storage_encrypted", "kms_key")),
        Point("only its security groups let in", ("publicly_accessible", "subnet_group"), walls="security_groups"),
        Point("logs go to CloudWatch", ("log_exports",)),
        Point("its parameters are in force", ("parameter_group", "parameters_applied")),
        Point("it lets in and answers", gate=True),
    )


def redis() -> tuple[Point, ...]:
    """Eight points of a cache."""
    return (
        Point("it is available"),
        Point("as many nodes as planned", ("num_nodes",)),
        Point("spread over zones", ("multi_az",)),
        Point("fails over by itself", ("automatic_failover",)),
        Point("daily snapshots", ("snapshot_retention_days", "snapshot_window")),
        Point("encrypted, at rest and on the way", ("at_rest_encryption", "transit_encryption", "kms_key")),
        Point("only its security groups let in", ("subnet_group",), walls="security_groups"),
        Point("it lets in and answers", gate=True),
    )


def bucket() -> tuple[Point, ...]:
    """Seven points of a bucket."""
    return (
        Point("it is there"),
        Point("replaced versions are kept", ("versioning",)),
        Point("encrypted", ("encryption", "kms_key")),
        Point("closed to the public", ("block_public_access",)),
        Point("objects age as planned", ("lifecycle",)),
        Point("browsers are let in as planned", ("cors",)),
        Point("objects can be put and read", unseen="it would write"),
    )


def secret() -> tuple[Point, ...]:
    """Four points of a secret."""
    return (
        Point("it is there"),
        Point("encrypted with the key that is planned", ("kms_key_id",)),
        Point("its current value can be read", fetches="value"),
        Point("who else may read it", unseen="that is in the policies of whoever reads it; see preflight"),
    )
