"""aws.cloudwatch_dashboard: what people look at.

PutDashboard makes and overwrites; since tags can be given in it, they say whose a dashboard is, as with everything
else. Dashboards belong to the account, not to a region; the widgets say where their metrics are.

CloudWatch saves a dashboard and may complain about it in the same breath: what it says then is an error here, for a
widget that shows nothing is found out on the day that somebody needs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from provisioner import resource
from provisioner.drivers.aws import absent, bill_watch, dashboard_widgets, tagged, tags
from provisioner.drivers.aws.alarm_base import KINDS, NAMES_AT_ONCE
from provisioner.drivers.aws.dashboard_widgets import Widget
from provisioner.drivers.aws.given import asked, rule
from provisioner.drivers.aws.page import chunks
from provisioner.drivers.aws.tags import Tags
from provisioner.errors import AlreadyExistsError, InvalidRequestError, NotFoundError
from provisioner.model import Key, Observed, Phase
from provisioner.proof import Proof, Standing
from provisioner.resource import outright

_SPAN: Final = r"^(-P(\d+[YMWD])*(T(\d+[HMS])+)?|\d{4}-\d\d-\d\dT[\d:.]+Z)$"


@resource.resource("aws.cloudwatch_dashboard")
class CloudwatchDashboard(resource.Resource):
    """A page of graphs, alarms, log queries and text."""

    class Spec(resource.Spec, frozen=True, kw_only=True):
        """A dashboard; widgets are laid out from left to right in the order of the list."""

        name: Annotated[
            Annotated[str, Meta(max_length=255)] | None, Meta(description="Name. Left out: deployment-step.")
        ] = None
        widgets: Annotated[
            list[Widget],
            Meta(
                min_length=1,
                max_length=500,
                description="What it shows.",
                examples=[[{"type": "text", "markdown": "# Database"}]],
            ),
        ]
        start: Annotated[
            Annotated[str, Meta(pattern=_SPAN)] | None,
            Meta(description="Where graphs begin: ISO 8601, a duration back or a time.", examples=["-PT3H", "-P1W"]),
        ] = None
        period_override: Annotated[
            Literal["auto", "inherit"] | None,
            Meta(
                description="Whether graphs choose their periods themselves (auto, CloudWatch's default) or keep them."
            ),
        ] = None
        tags: Tags = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str, "arn": str, "url": str}
    charges = staticmethod(bill_watch.dashboard)
    rules = (rule(dashboard_widgets.complaint, "widgets"),)
    service = "cloudwatch"
    name_pattern = r"[A-Za-z0-9_-]{1,255}"
    immutable = frozenset({"name"})
    matches: ClassVar[Mapping[str, Callable[[Any, Any], bool]]] = {
        "widgets": dashboard_widgets.same,
        "tags": tags.same,
    }

    def read(self, key: Key) -> Observed | None:
        """The dashboard of the key's name; its tags take a second call."""
        body = self._body(key)
        if body is None:
            return absent.note(self.session, self.type, key, None)
        arn = self._arn(key)
        try:
            marks = tagged.known(self.session, arn, key.region) or self._tags(key)
        except NotFoundError:  # deleted meanwhile
            return None
        tagged.forget(self.session, arn)
        region = key.region or self.session.region
        console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        return Observed(
            phase=Phase.READY,
            owner=tags.owner(marks),
            spec={
                "widgets": dashboard_widgets.from_body(body.get("widgets") or [], region),
                "start": body.get("start"),
                "period_override": body.get("periodOverride"),
                "tags": tags.visible(key, marks),
            },
            outputs={"name": key.name, "arn": arn, "url": f"{console}#dashboards/dashboard/{key.name}"},
        )

    def create(self, key: Key, spec: Spec) -> None:
        """Makes the dashboard with its tags; refuses to overwrite what is not ours."""
        marks = tags.wanted(key, spec.tags)
        with outright():
            self._refuse_taken(key)
            told = self._put(key, self._wanted(key, spec, {}), Tags=tags.to_list(marks))
        tagged.born(self.session, self._arn(key), marks)
        self._complain(key, told)

    def update(self, key: Key, spec: Spec, changed: Collection[str] = ()) -> None:
        """Puts the body anew, with what no plan manages as it is; then the tags."""
        found = self._body(key)
        if found is None:
            raise NotFoundError("it is gone", where=f"cloudwatch {key.name}")
        tagged.forget(self.session, self._arn(key))
        body = self._wanted(key, spec, found, changed)
        if body != found:
            self._complain(key, self._put(key, body))
        plan = spec.tags if asked(changed, "tags") else None
        put, drop = tags.changes(key, plan, self._tags(key))
        if put:
            self._call("tag_resource", key, ResourceARN=self._arn(key), Tags=tags.to_list(put))
        if drop:
            self._call("untag_resource", key, ResourceARN=self._arn(key), TagKeys=drop)

    def delete(self, key: Key) -> None:
        """Deletes the dashboard."""
        tagged.forget(self.session, self._arn(key))
        with suppress(NotFoundError):
            self._call("delete_dashboards", key, DashboardNames=[key.name])

    def search(self, deployment: str, region: str) -> Iterator[Key]:
        """Asks those dashboards for their tags whose name has the deployment's in it."""
        listed = self.session.pages("cloudwatch", "list_dashboards", "DashboardEntries", region=region)
        named = ((str(item["DashboardName"]), None) for item in listed)
        yield from tags.by_name(named, deployment, region, lambda place, _: self._tags(place))

    def claim(self, key: Key, identifier: str) -> None:
        """Puts the ownership tag back."""
        tagged.forget(self.session, self._arn(key))
        self._call("tag_resource", key, ResourceARN=self._arn(key), Tags=tags.to_list(tags.mark(key)))

    def prove(self, key: Key) -> Sequence[Proof]:
        """Whether it is there, shows something, and every alarm that it shows is there."""
        body, subject = self._body(key), f"dashboard {key.name}"
        if body is None:
            return [Proof(Standing.FAILED, subject, "it is gone", "deploy makes it again")]
        widgets = body.get("widgets") or []
        if not widgets:
            return [Proof(Standing.FAILED, subject, "it shows nothing", "deploy puts its widgets back")]
        arns = {str(arn) for one in widgets for arn in (one.get("properties") or {}).get("alarms") or ()}
        names = sorted(arn.partition(":alarm:")[2] for arn in arns)
        there: set[str] = set()
        for some in chunks(names, NAMES_AT_ONCE):
            answer = self._call(
                "describe_alarms", key, AlarmNames=some, AlarmTypes=list(KINDS), MaxRecords=NAMES_AT_ONCE
            )
            there |= {str(alarm["AlarmName"]) for kind in KINDS for alarm in answer.get(f"{kind}s") or ()}
        if missing := [name for name in names if name not in there]:
            told = f"it shows alarms that are gone: {', '.join(missing)}"
            return [Proof(Standing.FAILED, subject, told, "deploy both")]
        return [Proof(Standing.OK, subject, f"{len(widgets)} widgets")]

    def _wanted(self, key: Key, spec: Spec, found: Mapping[str, Any], changed: Collection[str] = ()) -> dict[str, Any]:
        told: dict[str, Any] = dict(found)
        if asked(changed, "widgets"):
            told["widgets"] = dashboard_widgets.to_body(spec.widgets, key.region or self.session.region)
        for field, name in (("start", "start"), ("period_override", "periodOverride")):
            if asked(changed, field) and getattr(spec, field) is not None:
                told[name] = getattr(spec, field)
        return told

    def _put(self, key: Key, body: Mapping[str, Any], **more: Any) -> list[Mapping[str, Any]]:
        answer = self._call("put_dashboard", key, DashboardName=key.name, DashboardBody=json.dumps(body), **more)
        return list(answer.get("DashboardValidationMessages") or ())

    def _complain(self, key: Key, told: list[Mapping[str, Any]]) -> None:
        if told:
            raise InvalidRequestError(
                "; ".join(f"{one.get('DataPath') or 'the body'}: {one.get('Message')}" for one in told),
                where=f"cloudwatch PutDashboard {key.name}",
                hint="CloudWatch saved it, and part of it shows nothing; mend the widget that it names",
            )

    def _refuse_taken(self, key: Key) -> None:
        """PutDashboard would overwrite somebody else's dashboard without a word."""
        if absent.take(self.session, self.type, key) or self._body(key) is None:
            return
        owner = tags.owner(self._tags(key))
        if owner != key.owner:
            raise AlreadyExistsError(
                f"the dashboard belongs to {owner or 'nobody that we know'}",
                where=f"cloudwatch PutDashboard {key.name}",
            )

    def _body(self, key: Key) -> dict[str, Any] | None:
        try:
            answer = self._call("get_dashboard", key, DashboardName=key.name)
        except NotFoundError:
            return None
        body: Any = json.loads(answer["DashboardBody"])
        return dict(body)

    def _arn(self, key: Key) -> str:
        caller = self.session.caller()
        return f"arn:{caller['partition']}:cloudwatch::{caller['account']}:dashboard/{key.name}"

    def _tags(self, key: Key) -> dict[str, str]:
        answer = self._call("list_tags_for_resource", key, ResourceARN=self._arn(key))
        return tags.from_list(answer.get("Tags"))

    def _call(self, operation: str, key: Key, **parameters: Any) -> Any:
        return self.session.call("cloudwatch", operation, what=key.name, region=key.region, **parameters)
