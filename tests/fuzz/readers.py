"""Who reads the files: each comes to a good value, or to one of our own errors that says where; never to anything else.

The record's first argument is made in :func:`_place` alone.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from provisioner.cli.render import Printer
from provisioner.cli.text.audit import audit_text, read_audit
from provisioner.cli.text.state import examination_json, examination_text, list_json, list_text
from provisioner.cli.text.status import history_text, run_json, status_json, status_text
from provisioner.drivers.aws import session as aws
from provisioner.drivers.check import session as check
from provisioner.drivers.typemap import registry
from provisioner.errors import PlanError, ProvisionerError, SandboxError, StateError, StateFormatError
from provisioner.operations import doctor
from provisioner.operations.status import status_of
from provisioner.plan.load import load_plan, read_identity
from provisioner.plan.model import Plan
from provisioner.resource import Registry
from provisioner.sandbox import supervisor
from provisioner.sandbox.settings import SandboxInfo
from provisioner.state.audit import verify_audit
from provisioner.state.backend import Location
from provisioner.state.local import backend_of
from provisioner.state.records import State
from provisioner.state.recovery import examine, recover
from provisioner.state.store import Store, peek
from tests.unit import toy
from tests.unit.state.toys import NAME, WHO, put

_REGISTRIES: dict[str, Registry] = {"aws": registry(), "toy": toy.REGISTRY}
LONGEST = 2_000_000
"""Characters of what an error says in all; somebody has to read it."""

Words = tuple[tuple[str, str], ...]


def _said(error: ProvisionerError) -> str:
    """The error's name, once its words are such that they can be shown."""
    words = [str(error), error.hint, error.where]
    _printed(words, words)
    assert sum(map(len, words)) < LONGEST, "nobody can read all of that"
    return type(error).__name__


# -- plans ----------------------------------------------------------------------------------------------------


def read_plan(directory: Path, words: Words) -> str:
    """Loads the plan as the command line would, with the parameter file and ``--param`` beside it."""
    path, values = directory / "plan.yaml", directory / "values.yaml"
    files = [values] if values.exists() else []
    raw = path.read_bytes()
    environment = "production" if b"environments" in raw else None
    with contextlib.suppress(PlanError):
        assert isinstance(read_identity(path, environment), str)
    try:
        with _variable("SHOP_TOKEN", "correct horse battery staple"):
            kinds = _REGISTRIES["toy" if b"toy." in raw else "aws"]
            plan = load_plan(path, kinds, environment=environment, parameters=dict(words), parameter_files=files)
    except PlanError as error:
        _placed(error, {str(path), *map(str, files)})
        return _said(error)
    _sound(plan)
    return "good"


def _placed(error: PlanError, files: set[str]) -> None:
    assert error.findings, "an error without a finding"
    for finding in error.findings:
        if finding.where is None:
            assert finding.subject, "nobody knows what it is about"
        else:
            assert finding.where.file in files and finding.where.line >= 1 and finding.where.column >= 1
        _printed([f"{finding}", finding.hint, finding.subject], msgspec.to_builtins(finding))


def _sound(plan: Plan) -> None:
    """What the engine takes for granted."""
    names = [step.name for step in plan.steps]
    assert len(set(names)) == len(names)
    for number, step in enumerate(plan.steps):
        assert set(step.needs) <= set(names[:number])
        msgspec.json.encode(_plain(step.tree))
    msgspec.json.encode(plan.parameters)


def _plain(tree: object) -> object:
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(item) for item in tree]
    return tree if tree is None or isinstance(tree, bool | int | float | str) else str(tree)


# -- states ---------------------------------------------------------------------------------------------------


def _place(directory: Path) -> Location:
    return directory


def read_state(directory: Path, words: Words) -> str:
    """Peeks, examines and opens; what cannot be opened is recovered, and then it can."""
    place = _place(directory)
    with contextlib.suppress(StateError):
        raw = backend_of(place).read("audit.jsonl") or b""
        _printed(audit_text("audit.jsonl", read_audit(raw), verify_audit(raw)), read_audit(raw))
    with contextlib.suppress(StateError):
        _held(place)
    seen = _tried(lambda: peek(place, NAME))
    looked = examine(place, NAME)
    assert isinstance(looked.problem, StateError) == isinstance(seen, StateError)
    _printed(examination_text(NAME, looked), examination_json(NAME, looked))
    if isinstance(seen, State):
        _show(seen)
    opened = _tried(lambda: _use(place))
    if isinstance(seen, StateError):
        assert type(opened) is type(seen), f"peek said {seen!r}, open {opened!r}"
        return f"{_said(seen)}, {_recovered(place)}"
    if isinstance(opened, StateError):
        assert seen is None, f"peek saw a state, and open said {opened!r}"
        return _said(opened)
    return "good"


def _show(state: State) -> None:
    """What ``status``, ``history`` and ``state list`` say about it."""
    status = status_of(state, None, _REGISTRIES["toy"], None)
    _printed(status_text(status, 4000.0), status_json(status))
    _printed(history_text(state.runs), [run_json(run) for run in state.runs])
    _printed(list_text(state, 4000.0), list_json(state))


def _printed(lines: list[str], tree: object) -> None:
    printer = Printer(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    printer.show(lines)
    printer.json(tree)
    assert not printer.out.gone, "it could not be printed"


def _tried(work: Callable[[], State | None]) -> State | StateError | None:
    try:
        return work()
    except StateError as error:
        return error


def _use(place: Location) -> State | None:
    """Opens the record, writes, and reads again what was written."""
    with Store.open(place, NAME, who=WHO, clock=lambda: 2000.0, create=False) as store:
        serial = store.state.serial
        store.commit([put("written-now")])
        store.audit("written", run=1)
        during = peek(place, NAME)
        assert during is not None and "written-now" in during.steps and during.serial == serial + 1
    after = peek(place, NAME)
    assert after == during
    return after


def _recovered(place: Location) -> str:
    for accept in (False, True):
        try:
            found = recover(place, NAME, accept_edited=accept, who=WHO, clock=lambda: 3000.0)
        except StateFormatError as error:
            return _said(error)
        except StateError as error:
            assert not accept, f"recover: {error!r}"
            continue
        assert examine(place, NAME).healthy
        assert peek(place, NAME) == found.state
        _use(place)
        return f"recovered{', edited' if accept else ''}"
    raise AssertionError("it cannot be recovered")


def _held(place: Location) -> None:
    """Whoever died with the lock can be named."""
    holder = backend_of(place).holder()
    if holder is not None:
        assert holder.alive in (True, False, None)
        assert str(holder.info.pid) in str(holder.info)


# -- what a sandbox leaves ------------------------------------------------------------------------------------


def read_endpoints(directory: Path, words: Words) -> str:
    """Opens the sessions that ``PROVISIONER_ENDPOINTS`` points to a sandbox, and asks the doctor."""
    found = []
    with _variable("PROVISIONER_ENDPOINTS", str(directory / "endpoints.json")):
        for opening in (aws.open_session, check.open_session):
            try:
                opening("us-east-1")
                found.append("good")
            except SandboxError as error:
                found.append(_said(error))
        told = {one.name: one for one in doctor.examine(directory, _REGISTRIES["aws"], online=False)}["endpoints"]
        found.append(told.status)
    return "/".join(found)


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def read_sandbox(directory: Path, words: Words) -> str:
    """Looks for a sandbox that runs; nothing in the file may make it see one, or name another's process."""
    found = SandboxInfo.read(directory)
    assert supervisor.running(directory) is None
    if found is None:
        return "none"
    assert type(found.pid) is int and found.pid > 0
    assert type(found.process_started) in (int, float)
    texts = (found.directory, found.aws_url, found.admin_url, found.endpoints, found.ca, found.started)
    assert all(type(text) is str for text in texts)
    return "good"


READERS: dict[str, Callable[[Path, Words], str]] = {
    **dict.fromkeys(("credlink", "quickstart", "quickstart-json", "readme", "readme-json", "toy"), read_plan),
    **dict.fromkeys(("parameters", "parameters-json"), read_plan),
    **dict.fromkeys(("fresh", "killed", "rest"), read_state),
    "endpoints": read_endpoints,
    "sandbox": read_sandbox,
}
"""By the corpus' name."""
