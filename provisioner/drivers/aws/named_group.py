"""What the groups of RDS and ElastiCache share: one API in two vocabularies, ``DB…Group`` and ``Cache…Group``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from provisioner import charge
from provisioner.drivers.aws import arn_tags, holders, same, tags
from provisioner.errors import NotFoundError
from provisioner.model import Key, Observed
from provisioner.resource import Holder, Resource


class NamedGroup(Resource):
    """A group that its name finds. Subclasses give the service's words and say what one entry of a list shows."""

    word: ClassVar[str]
    """``DB`` or ``Cache``: how the service begins its names."""
    kind: ClassVar[str]
    """``Subnet`` or ``Parameter``: what it is a group of."""
    arn_field: ClassVar[str]
    charges = staticmethod(charge.nothing)

    @abstractmethod
    def _seen(self, key: Key, group: Mapping[str, Any]) -> Observed: ...

    def read(self, key: Key) -> Observed | None:
        """The group of the key's name; its tags, and what else it holds, take a call each."""
        try:
            answer = self._call(self._listing, key)
            return self._seen(key, answer[f"{self.word}{self.kind}Groups"][0])
        except NotFoundError:
            return None

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        """One list of all groups; tags and the rest of those asked for."""
        seen: dict[str, Observed] = {}
        for region, wanted in same.by_region(keys).items():
            groups = self.session.pages(
                self.service, self._operation(self._listing), f"{self.word}{self.kind}Groups", region=region
            )
            for group in groups:
                key = wanted.get(group[f"{self.word}{self.kind}GroupName"].lower())
                if key is not None:
                    with suppress(NotFoundError):  # deleted since it was listed
                        seen[key.owner] = self._seen(key, group)
        return seen

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """One list of all groups, and the tags of each that is not AWS's own."""
        noun = f"{self.word}{self.kind}Group"
        for group in self.session.pages(self.service, self._operation(self._listing), f"{noun}s", region=region):
            name = str(group[f"{noun}Name"])
            if not name.startswith("default"):
                with suppress(NotFoundError):  # deleted since it was listed
                    marks = arn_tags.of(self.session, self.service, group[self.arn_field], name, region)
                    if key := tags.found(marks, deployment, region, name):
                        yield key

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        group = self._call(self._listing, key)[f"{self.word}{self.kind}Groups"][0]
        arn_tags.claim(self.session, self.service, group[self.arn_field], key)

    def holders(self, key: Key) -> list[Holder]:
        """Who lives in it, or runs with it."""
        return holders.of_named_group(self.session, key, self.word, self.kind)

    @property
    def _listing(self) -> str:
        return f"describe_{{}}_{self.kind.lower()}_groups"

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call(
            self.service,
            self._operation(operation),
            what=key.name,
            region=key.region,
            **{f"{self.word}{self.kind}GroupName": key.name},
            **parameters,
        )

    def _operation(self, pattern: str) -> str:
        return pattern.format(self.word.lower())
