"""What VPC, subnet, security group, gateways and the like share: AWS assigns their ids, so they are found by tag, or
adopted by id.

A type's ``at`` field (``vpc_id``, …) is its identity: with it the step means exactly that object, which must
exist and be adopted; without it the step means the one that carries its ownership tag. Looking is done with
filters alone, which answer with an empty list where a lookup by id would fail.

Should the same step ever have made two objects, reads show the one with the lower id and say so, and a delete
removes both: nothing is left behind.

A new id takes EC2 a while to know everywhere, so a call that follows the create may be told that there is no such
object. The id is then remembered for the rest of the session, and the next create goes on with it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import msgspec

from provisioner import resource
from provisioner.drivers.aws import absent
from provisioner.drivers.aws import tags as tagging
from provisioner.drivers.aws.page import chunks
from provisioner.errors import InvalidRequestError, NotFoundError
from provisioner.model import OWNER_TAG, Key, Observed
from provisioner.resource import outright

INTERFACES_GO = 3000.0
"""Seconds in which Lambda takes its network interfaces away once a function is gone, 45 minutes as it says, and some
more. Until then they hold their security groups and their subnets."""

_MOST_VALUES = 200
"""EC2 takes at most 200 values in one filter."""


class Ec2Object(resource.Resource):
    """Base of the EC2 types; a subclass says how its objects are listed and what one of them means."""

    service = "ec2"
    grace = 15.0
    name_pattern = r".{1,256}"
    kind: ClassVar[str]
    """As TagSpecifications want it: ``vpc``."""
    describe: ClassVar[str]
    listed: ClassVar[str]
    id_field: ClassVar[str]
    id_filter: ClassVar[str]
    at: ClassVar[str]
    """The spec field that names an object to adopt."""
    gone: ClassVar[frozenset[str]] = frozenset()
    """Values of ``State`` with which AWS goes on listing what does not exist any more."""

    @abstractmethod
    def observe(self, key: Key, found: Mapping[str, Any]) -> Observed:
        """What one item of the list means."""

    def read(self, key: Key) -> Observed | None:
        """The object with the key's tag, or the one that the plan names by id."""
        return self.read_many([key]).get(key.owner)

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        """One list call for up to 200 keys."""
        seen: dict[str, Observed] = {}
        for key, objects in self._look(keys):
            ids = [str(item[self.id_field]) for item in objects]
            with suppress(NotFoundError):  # deleted between the list and a look at its attributes
                observed = self.observe(key, objects[0])
                if len(ids) > 1:
                    detail = f"{len(ids)} objects carry this step's tag: {', '.join(ids)}"
                    observed = msgspec.structs.replace(observed, detail=detail)
                seen[key.owner] = observed
        return seen

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list call: EC2's filters take a * at the end of a tag's value."""
        what = [{"Name": f"tag:{OWNER_TAG}", "Values": [f"{deployment}/*"]}]
        for item in self._list(region, what):
            marks = tagging.from_list(item.get("Tags"))
            if key := tagging.found(marks, deployment, region, marks.get(tagging.NAME, "")):
                yield key

    def find(self, key: Key, identifier: str) -> Observed | None:
        """The object of that id, whatever tag it carries."""
        return self.read(msgspec.structs.replace(key, at={self.at: identifier}))

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back on the object of that id."""
        self.call("create_tags", key, Resources=[identifier], Tags=tagging.to_list(tagging.mark(key)))

    def found(self, key: Key) -> dict[str, Any]:
        """The object, for an update; NotFoundError where there is none."""
        for _, objects in self._look([key]):
            return objects[0]
        raise NotFoundError("it does not exist any more", where=f"ec2 {self.describe} {key.name}")

    def owned(self, key: Key) -> list[dict[str, Any]]:
        """Every object that carries the key's tag: what a delete may touch, whatever id a plan names."""
        plain = Key(deployment=key.deployment, step=key.step, name=key.name, region=key.region)
        return [item for _, objects in self._look([plain]) for item in objects]

    def rank(self, item: Mapping[str, Any]) -> tuple[int, str]:
        """Of several objects of one step the one with the least rank is shown."""
        return 0, str(item[self.id_field])

    def call(self, operation: str, key: Key, **parameters: Any) -> dict[str, Any]:
        """An EC2 call on behalf of a step."""
        answer: dict[str, Any] = self.session.call("ec2", operation, what=key.name, region=key.region, **parameters)
        return answer

    def call_gone(self, operation: str, key: Key, **parameters: Any) -> None:
        """A delete: an object that is gone is a success."""
        try:
            self.call(operation, key, **parameters)
        except NotFoundError:
            return

    def tag_specification(self, key: Key, plan: Mapping[str, str] | None) -> list[dict[str, Any]]:
        """All tags, for the create call itself."""
        wanted = tagging.wanted(key, plan, named=True)
        return [{"ResourceType": self.kind, "Tags": tagging.to_list(wanted)}]

    def retag(self, key: Key, found: Mapping[str, Any], plan: Mapping[str, str] | None) -> None:
        """Brings the tags to what the plan says; to those of an object that others made it only adds."""
        put, drop = tagging.changes(key, plan, tagging.from_list(found.get("Tags")), named=True)
        ids = [found[self.id_field]]
        if put:
            self.call("create_tags", key, Resources=ids, Tags=tagging.to_list(put))
        if drop:
            self.call("delete_tags", key, Resources=ids, Tags=[{"Key": tag} for tag in drop])

    def begun(self, key: Key) -> str | None:
        """Id of what an earlier create of this session made and could not finish."""
        found: str | None = self._begun().get(f"{key.region} {key.owner}")
        return found

    def begin(self, key: Key, number: str) -> str:
        """Remembers what a create has just made, until :meth:`finish`."""
        self._begun()[f"{key.region} {key.owner}"] = number
        return number

    def finish(self, key: Key) -> None:
        """All calls of the create were taken, or the object was deleted."""
        self._begun().pop(f"{key.region} {key.owner}", None)

    def _begun(self) -> dict[str, Any]:
        memory: dict[str, Any] = self.session.memory(f"{self.kind} begun")
        return memory

    def refuse_named(self, key: Key) -> None:
        """A step that names an object by id cannot make it."""
        if self.at in key.at:
            raise InvalidRequestError(
                f"{self.at} {key.at[self.at]} does not exist in {key.region or self.session.region}",
                where=f"{self.type} {key.step}",
                hint=f"{self.at} names what is there already, with `adopt: existing`; without it one is made",
            )

    def refuse(self, key: Key, complaint: str | None) -> None:
        """A complaint that only the resolved values show."""
        if complaint:
            raise InvalidRequestError(complaint, where=f"{self.type} {key.step}")

    def _look(self, keys: Sequence[Key]) -> Iterator[tuple[Key, list[dict[str, Any]]]]:
        by_question: defaultdict[tuple[str, str], dict[str, list[Key]]] = defaultdict(dict)
        for key in keys:
            named = key.at.get(self.at)
            by_question[key.region, self._filter(named)].setdefault(named or key.owner, []).append(key)
        for (region, question), asked in by_question.items():
            answers: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
            for values in chunks(list(asked), _MOST_VALUES):
                what = [{"Name": question, "Values": values}]
                for item in self._list(region, what):
                    answers[self._answers(question, item)].append(item)
            for value, objects in answers.items():
                for key in asked.get(value, ()):
                    yield key, sorted(objects, key=self.rank)

    def _list(self, region: str, what: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for item in self.session.pages("ec2", self.describe, self.listed, region=region, Filters=what):
            if item.get("State") not in self.gone:
                yield item

    def _filter(self, named: str | None) -> str:
        return self.id_filter if named else f"tag:{OWNER_TAG}"

    def _answers(self, question: str, item: Mapping[str, Any]) -> str:
        if question == self.id_filter:
            return str(item[self.id_field])
        return tagging.from_list(item.get("Tags")).get(OWNER_TAG, "")


class Unguarded(Ec2Object):
    """Base of types of which AWS makes a second object without a word: a create looks first, unless that was just
    done."""

    def read(self, key: Key) -> Observed | None:
        """As of every object that its tag finds; that there is none is remembered for the create."""
        return absent.note(self.session, self.type, key, super().read(key))

    def existing(self, key: Key) -> dict[str, Any] | None:
        """What a create must go on with: listed, or made in this session and not to be seen yet (its id alone)."""
        with outright():
            missing = absent.take(self.session, self.type, key)
            owned = [] if missing else self.owned(key)
        if owned:
            return owned[0]
        begun = self.begun(key)
        return None if begun is None else {self.id_field: begun}

    def make(
        self, key: Key, operation: str, field: str, plan: Mapping[str, str] | None, **parameters: Any
    ) -> dict[str, Any]:
        """The call that makes the object, with its tags: its id, which is remembered until :meth:`finish`.

        ``field``: where the answer has the object; empty where it is the object.
        """
        with outright():
            answer = self.call(operation, key, TagSpecifications=self.tag_specification(key, plan), **parameters)
        made = answer[field] if field else answer
        return {self.id_field: self.begin(key, made[self.id_field])}
