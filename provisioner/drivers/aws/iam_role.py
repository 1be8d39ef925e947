"""aws.iam_role: what an AWS service may do on the account's behalf.

One role is several calls (the role, its managed policies, its inline policies). The role comes first, with
its tags; what is missing after a crash shows in a read as a difference, and an update completes it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from provisioner import charge, resource
from provisioner.drivers.aws import policy
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.given import asked
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.resource import outright

_PolicyName = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[\w+=,.@-]+$")]


def _no_wildcard(policies: Mapping[str, Any] | None) -> str | None:
    wide = [name for name, document in (policies or {}).items() if policy.allows_everything(document)]
    return f"policy {', '.join(wide)} allows every action on every resource; name what is needed" if wide else None


@resource.resource("aws.iam_role")
class IamRole(resource.Resource):
    """A role that a service assumes."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """An IAM role with its policies."""

        name: (
            Annotated[
                str,
                Meta(max_length=64, description="Name in the account; left out: deployment-step. Fixed."),
            ]
            | None
        ) = None
        services: Annotated[
            list[str],
            Meta(min_length=1, description="Who may assume it.", examples=[["monitoring.rds.amazonaws.com"]]),
        ]
        description: Annotated[str, Meta(max_length=1000, description="What it is for.")] = ""
        path: Annotated[
            str,
            Meta(max_length=512, pattern=r"^/([\x21-\x7e]+/)?$", description="Path before the name; fixed."),
        ] = "/"
        max_session_seconds: Annotated[int, Meta(ge=3600, le=43200, description="Longest session, in seconds.")] = 3600
        managed_policies: Annotated[
            list[str], Meta(max_length=20, description="ARNs of managed policies; others are detached.")
        ] = msgspec.field(default_factory=list)
        inline_policies: Annotated[
            dict[_PolicyName, dict[str, Any]],
            Meta(description="Policy documents by name; others are deleted."),
        ] = msgspec.field(default_factory=dict)
        tags: Tags = None

        def __post_init__(self) -> None:
            msgspec.structs.force_setattr(self, "services", sorted(set(self.services)))
            msgspec.structs.force_setattr(self, "managed_policies", sorted(set(self.managed_policies)))

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str, "role_id": str}
    charges = staticmethod(charge.nothing)
    rules = (resource.Rule(("inline_policies",), _no_wildcard),)
    service = "iam"
    identifier = "role_id"
    grace = 10.0
    """A new role is known everywhere only after a while, and its policies come in calls of their own."""
    immutable = frozenset({"name", "path"})
    matches: ClassVar = {"inline_policies": policy.same_by_name, "tags": tagging.same}
    name_pattern = r"[\w+=,.@-]{1,64}"

    def read(self, key: Key) -> Observed | None:
        """The role and its policies: three calls, and one for each inline policy."""
        try:
            role = self._call("get_role", key)["Role"]
            return self._observe(key, role, self._attached(key), self._inline(key))
        except NotFoundError:
            return None

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the role with its tags, then gives it its policies."""
        with outright():
            self._call(
                "create_role",
                key,
                Path=spec.path,
                AssumeRolePolicyDocument=policy.to_text(_trust(spec.services)),
                MaxSessionDuration=spec.max_session_seconds,
                Tags=tagging.to_list(tagging.wanted(key, spec.tags)),
                **({"Description": spec.description} if spec.description else {}),
            )
        self._bring_managed(key, spec, [])
        self._bring_inline(key, spec, {})

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Brings everything but name and path to the plan."""
        role = self._call("get_role", key)["Role"]
        if asked(changed, "services") and not policy.same(
            _trust(spec.services), _document(role["AssumeRolePolicyDocument"])
        ):
            self._call("update_assume_role_policy", key, PolicyDocument=policy.to_text(_trust(spec.services)))
        # What UpdateRole is not told goes back to its default, so what is not ours to change is said as it is.
        seen = {"Description": role.get("Description", ""), "MaxSessionDuration": role.get("MaxSessionDuration", 3600)}
        settings = dict(seen)
        if asked(changed, "description"):
            settings["Description"] = spec.description
        if asked(changed, "max_session_seconds"):
            settings["MaxSessionDuration"] = spec.max_session_seconds
        if settings != seen:
            self._call("update_role", key, **settings)
        if asked(changed, "managed_policies"):
            self._bring_managed(key, spec, self._attached(key))
        if asked(changed, "inline_policies"):
            self._bring_inline(key, spec, self._inline(key))
        plan = spec.tags if asked(changed, "tags") else None
        put, drop = tagging.changes(key, plan, tagging.from_list(role.get("Tags")))
        if put:
            self._call("tag_role", key, Tags=tagging.to_list(put))
        if drop:
            self._call("untag_role", key, TagKeys=drop)

    def delete(self, key: Key) -> None:
        """Takes its policies away, then deletes it."""
        with _gone():
            for arn in self._attached(key):
                with _gone():
                    self._call("detach_role_policy", key, PolicyArn=arn)
            for name in self._inline_names(key):
                with _gone():
                    self._call("delete_role_policy", key, PolicyName=name)
            self._call("delete_role", key)

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those roles for their tags whose name has the deployment's in it: an account may have thousands."""
        listed = ((str(role["RoleName"]), None) for role in self.session.pages("iam", "list_roles", "Roles"))
        yield from tagging.by_name(listed, deployment, region, self._tags)

    def _tags(self, place: Key, _: object) -> dict[str, str]:
        items = self.session.pages("iam", "list_role_tags", "Tags", what=place.name, RoleName=place.name)
        return tagging.from_list(items)

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        self._call("tag_role", key, Tags=tagging.to_list(tagging.mark(key)))

    def holders(self, key: Key) -> list[resource.Holder]:
        """Instance profiles that it is in: the one thing that a delete does not take away itself."""
        found = self.session.pages(
            "iam", "list_instance_profiles_for_role", "InstanceProfiles", what=key.name, RoleName=key.name
        )
        names = [item["InstanceProfileName"] for item in found]
        command = f"aws iam remove-role-from-instance-profile --role-name {key.name} --instance-profile-name"
        return [resource.Holder(f"instance profile {name}", by_hand=f"`{command} {name}`") for name in names]

    def _call(self, operation: str, key: Key, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.session.call("iam", operation, what=key.name, RoleName=key.name, **parameters)
        return answer

    def _attached(self, key: Key) -> list[str]:
        found = self.session.pages(
            "iam", "list_attached_role_policies", "AttachedPolicies", what=key.name, RoleName=key.name
        )
        return sorted(item["PolicyArn"] for item in found)

    def _inline_names(self, key: Key) -> list[str]:
        return sorted(self.session.pages("iam", "list_role_policies", "PolicyNames", what=key.name, RoleName=key.name))

    def _inline(self, key: Key) -> dict[str, Any]:
        return {
            name: _document(self._call("get_role_policy", key, PolicyName=name)["PolicyDocument"])
            for name in self._inline_names(key)
        }

    def _bring_managed(self, key: Key, spec: Spec, attached: Sequence[str]) -> None:
        for arn in sorted(set(spec.managed_policies) - set(attached)):
            self._call("attach_role_policy", key, PolicyArn=arn)
        for arn in sorted(set(attached) - set(spec.managed_policies)):
            self._call("detach_role_policy", key, PolicyArn=arn)

    def _bring_inline(self, key: Key, spec: Spec, inline: Mapping[str, Any]) -> None:
        for name, document in spec.inline_policies.items():
            if not policy.same(document, inline.get(name)):
                self._call("put_role_policy", key, PolicyName=name, PolicyDocument=policy.to_text(document))
        for name in sorted(inline.keys() - spec.inline_policies.keys()):
            self._call("delete_role_policy", key, PolicyName=name)

    def _observe(self, key: Key, role: Mapping[str, Any], attached: list[str], inline: dict[str, Any]) -> Observed:
        marks = tagging.from_list(role.get("Tags"))
        return Observed(
            phase=Phase.READY,
            owner=tagging.owner(marks),
            spec={
                "name": role["RoleName"],
                "services": _services(_document(role["AssumeRolePolicyDocument"])),
                "description": role.get("Description", ""),
                "path": role["Path"],
                "max_session_seconds": role.get("MaxSessionDuration", 3600),
                "managed_policies": attached,
                "inline_policies": inline,
                "tags": tagging.visible(key, marks),
            },
            outputs={"name": role["RoleName"], "arn": role["Arn"], "role_id": role["RoleId"]},
        )


def _trust(services: Sequence[str]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _services(document: Mapping[str, Any]) -> list[str]:
    """The services of a trust policy of our own shape; any other shape is a difference, shown as none."""
    try:
        named = document["Statement"][0]["Principal"]["Service"]
    except (KeyError, IndexError, TypeError):
        return []
    services = sorted([named] if isinstance(named, str) else named)
    return services if policy.same(_trust(services), document) else []


def _document(value: Any) -> dict[str, Any]:
    """boto3 decodes policy documents of IAM; what comes as text is URL-encoded JSON."""
    found: dict[str, Any] = json.loads(unquote(value)) if isinstance(value, str) else value
    return found


@contextmanager
def _gone() -> Iterator[None]:
    """What is not there any more needs no deleting."""
    try:
        yield
    except NotFoundError:
        return
