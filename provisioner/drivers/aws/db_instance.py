"""What every kind of DB instance shares, whatever it was made from: all verbs but create.

Subclasses give the Spec and ``create``, and say which of the instances that RDS lists are theirs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any, ClassVar

import msgspec

from provisioner.drivers.aws import arn_tags, failed, rds_changes, rds_precaution, rds_rules, rds_state, same, tags
from provisioner.drivers.aws.final import leave_snapshot
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.kms_alias import same_key
from provisioner.errors import BusyError, InvalidRequestError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import Resource, outright


class DbInstance(Resource):
    """A DB instance of RDS, by its name. Changes are applied at once, not in the maintenance window."""

    outputs: ClassVar[Mapping[str, type]] = {
        "name": str, "arn": str, "endpoint": str, "port": int, "resource_id": str, "engine_version": str,
        "username": str, "db_name": str, "status": str, "availability_zone": str, "storage": int,
    }  # fmt: skip
    service = "rds"
    timeout = 1800.0
    identifier = "resource_id"
    protection = "deletion_protection"
    unprotect = (
        "aws rds modify-db-instance --db-instance-identifier {name} --no-deletion-protection --apply-immediately "
        "--region {region}"
    )
    name_pattern = r"(?=.{1,63}$)[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*"
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "kms_key": same_key,
        "security_groups": same.as_set,
        "log_exports": same.as_set,
        "parameters_applied": rds_rules.in_force,
        "subnet_group": same.name,
        "parameter_group": same.name,
        "tags": tags.same,
    }

    @abstractmethod
    def mine(self, instance: Mapping[str, Any]) -> bool:
        """Whether a described instance is of this type."""

    def observed(self, instance: Mapping[str, Any], key: Key) -> Observed:
        """What a description tells."""
        seen = rds_state.observed(instance, key, sent=self._sent(key))
        return msgspec.structs.replace(
            seen, spec={name: value for name, value in seen.spec.items() if name in self.Spec.__struct_fields__}
        )

    def read(self, key: Key) -> Observed | None:
        """The instance of the key's name; one call."""
        instance = self.describe(key)
        return self.observed(instance, key) if instance else None

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        """One list of all instances a region."""
        seen: dict[str, Observed] = {}
        for region, wanted in same.by_region(keys).items():
            for instance in self.session.pages("rds", "describe_db_instances", "DBInstances", region=region):
                key = wanted.get(instance["DBInstanceIdentifier"])
                if key is not None:
                    seen[key.owner] = self.observed(instance, key)
        return seen

    def update(self, key: Key, spec: Any, changed: Collection[str] = ()) -> None:
        """Sends what differs, all together; restarts where parameters wait for it and nothing else is to be sent.

        Before what cannot be taken back a snapshot is made (:mod:`rds_precaution`), which takes several calls.
        A restart that is still due after other changes shows in ``parameters_applied``, so the engine comes back.
        """
        instance = self._changeable(key)
        seen = rds_state.settings(instance)
        problem = rds_rules.growth(spec.allocated_storage or 0, seen["allocated_storage"])
        if problem and asked(changed, "allocated_storage"):
            raise InvalidRequestError(problem, where=f"rds {key.name}")
        changes = rds_changes.changes(spec, seen, changed, self.matches)
        reasons = rds_precaution.risky(changes, instance) if getattr(spec, "snapshot_before_update", False) else {}
        if reasons:
            with outright():
                rds_precaution.guard(self.session, key, reasons)
        plan = spec.tags if asked(changed, "tags") else None
        tagged = arn_tags.write(self.session, "rds", instance["DBInstanceArn"], key, plan)
        restart = asked(changed, "parameters_applied") and spec.parameters_applied and rds_state.reboot_due(instance)
        if asked(changed, "password") and "password" in spec.__struct_fields__:
            changes["MasterUserPassword"] = spec.password
        with nullcontext() if tagged else outright():
            if changes:
                self.sending(key)
                self.call("modify_db_instance", key, ApplyImmediately=True, **changes)
            elif restart:
                self.call("reboot_db_instance", key)

    def delete(self, key: Key) -> None:
        """Starts the deletion, leaving a final snapshot ``<name>-final-<UTC time>`` wherever RDS can make
        one."""
        instance = self.describe(key)
        if instance is None or rds_state.phase(instance) is Phase.DELETING:
            return
        if rds_state.source(instance) or rds_state.unmendable(instance["DBInstanceStatus"]):
            self._delete(key, SkipFinalSnapshot=True)
        else:
            leave_snapshot(
                key.name,
                lambda name: self._delete(key, SkipFinalSnapshot=False, FinalDBSnapshotIdentifier=name),
            )

    def discard(self, key: Key) -> None:
        """Starts the deletion for good: protection off, no snapshot, no automated backups."""
        instance = self.describe(key)
        if instance is None or rds_state.phase(instance) is Phase.DELETING:
            return
        self.unguard(key, instance)
        self._delete(key, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)

    def unguard(self, key: Key, instance: Mapping[str, Any]) -> None:
        """Switches deletion protection off, where it is on."""
        if instance.get("DeletionProtection"):
            self.call("modify_db_instance", key, DeletionProtection=False, ApplyImmediately=True)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list, which has the tags."""
        for item in self.session.pages("rds", "describe_db_instances", "DBInstances", region=region):
            marks = tags.from_list(item.get("TagList"))
            key = tags.found(marks, deployment, region, item["DBInstanceIdentifier"])
            if key and self.mine(item):
                yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        instance = self.describe(key)
        if instance is not None:
            arn_tags.claim(self.session, "rds", instance["DBInstanceArn"], key)

    def sending(self, key: Key) -> None:
        """Remembers that a creation or modification is sent: :func:`rds_state.phase` says what follows."""
        self.session.memory("rds sent")[f"{key.region} {key.name}"] = True

    def call(self, operation: str, key: Key, **parameters: Any) -> Any:
        """One API call about the instance."""
        return self.session.call(
            "rds", operation, what=key.name, region=key.region, DBInstanceIdentifier=key.name, **parameters
        )

    def _changeable(self, key: Key) -> Mapping[str, Any]:
        """The instance, where it takes changes: NotFoundError, BusyError, or the reason why it never will."""
        instance = self.describe(key)
        if instance is None:
            raise NotFoundError("it is gone", where=f"rds {key.name}")
        if rds_state.unmendable(instance["DBInstanceStatus"]):
            failed.refuse(f"rds {key.name}", instance["DBInstanceStatus"])
        if rds_state.phase(instance, sent=self._sent(key)) is Phase.PENDING:
            raise BusyError(f"it is {instance['DBInstanceStatus']}", where=f"rds {key.name}")
        return instance

    def _sent(self, key: Key) -> bool:
        return f"{key.region} {key.name}" in self.session.memory("rds sent")

    def _delete(self, key: Key, **how: Any) -> None:
        with suppress(NotFoundError):
            self.call("delete_db_instance", key, **how)

    def describe(self, key: Key) -> Mapping[str, Any] | None:
        """The instance as RDS tells it, or None."""
        try:
            found: Mapping[str, Any] = self.call("describe_db_instances", key)["DBInstances"][0]
        except NotFoundError:
            return None
        return found
