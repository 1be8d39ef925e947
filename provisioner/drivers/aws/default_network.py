"""What the default VPC and its subnets share: AWS made them with the account, and a plan can only adopt them.

They are types of their own rather than a switch on aws.vpc and aws.subnet. Those are found by tag or id, are made,
tagged, changed and deleted; of what AWS made for everybody none of this is a plan's to do, and a type that cannot is
better than one that must refuse. The outputs are the same, so that a plan changes from one to the other in one line.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from provisioner import resource
from provisioner.errors import InvalidRequestError
from provisioner.model import Key, Observed

_HINT = "write `adopt: existing` on the step"


class DefaultNetwork(resource.Resource):
    """Base of the two; a subclass says how they are listed and which of them a key means."""

    service = "ec2"
    name_pattern = r".{1,256}"
    noun: ClassVar[str]
    describe: ClassVar[str]
    listed: ClassVar[str]
    filter: ClassVar[str]
    remedy: ClassVar[str]
    """The command that makes AWS make one again."""

    @abstractmethod
    def pick(self, key: Key, listed: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The one of the region's defaults that the key means."""

    @abstractmethod
    def observe(self, found: Mapping[str, Any]) -> Observed:
        """What one item of the list means; owner None, whatever tags are on it: nobody made it."""

    def read(self, key: Key) -> Observed | None:
        """It, where the region has it."""
        return self.read_many([key]).get(key.owner)

    def read_many(self, keys: Sequence[Key]) -> Mapping[str, Observed]:
        """One list call a region."""
        by_region: defaultdict[str, list[Key]] = defaultdict(list)
        for key in keys:
            by_region[key.region].append(key)
        return dict(seen for region, some in by_region.items() for seen in self._read(region, some))

    def _read(self, region: str, keys: Iterable[Key]) -> Iterable[tuple[str, Observed]]:
        what = [{"Name": self.filter, "Values": ["true"]}]
        found = list(self.session.pages("ec2", self.describe, self.listed, region=region, Filters=what))
        for key in keys:
            one = self.pick(key, found)
            if one is not None:
                yield key.owner, self.observe(one)

    def create(self, key: Key, spec: Any) -> NoReturn:
        """Refuses."""
        raise InvalidRequestError(
            f"a {self.noun} can only be adopted", where=f"{self.type} {key.step}",
            hint=f"{_HINT}; where there is none: `{self.remedy} --region {key.region or self.session.region}`",
        )  # fmt: skip

    def delete(self, key: Key) -> NoReturn:
        """Refuses."""
        raise InvalidRequestError(f"a {self.noun} is not ours to delete", where=f"{self.type} {key.step}", hint=_HINT)
