"""Objects whose owner's tag somebody removed: which of them are ours all the same.

The record says who they are. Where the cloud gives an object an id of its own, only that very object is known again; a
later one of the same name is not. Where it does not, the name in the recorded account is all there is to go by: then a
deploy puts the tag back, which its preview says before; a delete never goes by a name alone.
"""

from __future__ import annotations

from provisioner.model import Key, Observed, Phase
from provisioner.resource import CanClaim, CanFind, Resource
from provisioner.state.records import Record, Status


def identifier(resource: Resource, record: Record) -> str:
    """The recorded id of the object; empty where the cloud gives none or none was recorded."""
    return str(record.outputs.get(resource.identifier, "")) if resource.identifier else ""


def known(resource: Resource, record: Record | None, seen: Observed | None) -> bool:
    """An object without a tag is the recorded one, and the type can put the tag back."""
    if record is None or seen is None or record.adopted or record.status is Status.CREATING:
        return False
    if seen.phase is Phase.DELETING:
        return False  # what is going takes no tags
    if not isinstance(resource, CanClaim) or record.type != resource.type:
        return False
    return not resource.identifier or same_object(resource, record, seen)


def same_object(resource: Resource, record: Record, seen: Observed) -> bool:
    """The cloud's own id says that it is the recorded object; False where it has no say."""
    ident = identifier(resource, record)
    return bool(ident) and ident == seen.outputs.get(resource.identifier)


def other_object(resource: Resource, record: Record, seen: Observed) -> bool:
    """The cloud's own id says that it is not the recorded object; False where it has no say."""
    ident, now = identifier(resource, record), seen.outputs.get(resource.identifier)
    return bool(ident and now) and ident != now


def traceable(resource: Resource, record: Record | None, key: Key) -> str:
    """The id by which the object of this key can be found without its tag; empty where it cannot."""
    if not isinstance(resource, CanFind) or record is None or record.adopted or record.status is Status.CREATING:
        return ""
    return identifier(resource, record) if record.type == resource.type and record.key == key else ""
