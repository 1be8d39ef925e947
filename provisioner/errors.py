"""Every error that provisioner raises on purpose, as one tree.

::

    ProvisionerError                 exit 1
    ├── UsageError                   exit 2   the command line was wrong
    ├── PlanError (PreflightError)   exit 3   the plan is wrong or would not go well; carries every finding
    ├── RefusedError                 exit 3   the plan is right but asks for what must not be done; nothing was changed
    ├── SetupError                   exit 3   credentials, an extra or a directory is missing
    │   ├── MissingExtraError
    │   ├── CredentialsError
    │   └── SandboxError
    ├── StateError                   exit 1   the record cannot be trusted or written
    │   ├── StateDamagedError
    │   ├── StateFormatError
    │   ├── StateLineageError
    │   └── StateWriteError
    ├── LockHeldError                exit 6   another run is at work
    ├── LockLostError                exit 6   somebody took our lock away: stop before the next call
    ├── StepError                    a step failed; the engine reverses
    │   ├── ForeignObjectError       an object of that name belongs to somebody else
    │   ├── TerminalStateError       the cloud reports a state that no waiting mends
    │   ├── StepTimeoutError         the wait ended before the object was ready
    │   ├── ProtectedError           somebody switched deletion protection on
    │   ├── GateError                a check.* step did not pass
    │   └── UnresolvedReferenceError a value that the step needs does not exist
    ├── CloudError                   a cloud's answer, translated once per cloud
    │   ├── NotFoundError
    │   ├── AlreadyExistsError
    │   ├── AccessDeniedError
    │   ├── InvalidRequestError
    │   │   └── NotOfferedError      a version that cannot be had there (any more)
    │   ├── QuotaError
    │   ├── BusyError                retryable: the object is in the middle of something
    │   ├── InUseError               retryable while undoing: something still hangs on it
    │   ├── HoldsDataError           data is in it, which no waiting takes out
    │   ├── ThrottledError           retryable, slows the whole service down
    │   ├── UnavailableError         retryable: the cloud's own fault
    │   └── ConnectionFailedError    retryable: nobody knows whether the call took effect
    └── InterruptedRunError          exit 130

Each error says where, what and what to do next (``hint``), and keeps its cause in ``__cause__``.
``code`` is stable, and ``provisioner explain CODE`` prints the docstring of its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from provisioner.model import Finding


class ProvisionerError(Exception):
    """Something went wrong that no narrower kind describes.

    Do: read the message; run again with ``--events -`` to see the calls that led there.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default protocol.
        return (_rebuild, (type(self), self.__dict__.copy(), self.args))


def _rebuild(cls: type[ProvisionerError], state: dict[str, object], args: tuple[object, ...]) -> ProvisionerError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(ProvisionerError):
    """The command line asks for something that does not exist or does not fit together.

    Do: ``provisioner COMMAND --help``.
    """

    code = "usage"
    exit_code = 2


class PlanError(ProvisionerError):
    """The plan is not valid. Every finding carries file, line and column; nothing was changed.

    Do: mend the plan where the findings point, then ``provisioner validate PLAN``.
    """

    code = "plan.invalid"
    exit_code = 3
    said: ClassVar[str] = "the plan has"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{self.said} {len(findings)} error{'s' if len(findings) != 1 else ''}")
        self.findings = tuple(findings)


class RefusedError(ProvisionerError):
    """The plan is valid, but carrying it out would destroy something that is protected. Nothing was changed.

    Do: leave the object alone, or say so explicitly: remove ``protect``, or pass ``--allow-data-loss``.
    """

    code = "refused"
    exit_code = 3


class SetupError(ProvisionerError):
    """The machine lacks something that the command needs.

    Do: ``provisioner doctor`` lists what is there and what is not.
    """

    code = "environment"
    exit_code = 3


class MissingExtraError(SetupError):
    """A library of an optional extra is not installed.

    Do: ``pip install 'provisioner[EXTRA]'`` with the extra that the message names.
    """

    code = "environment.missing-extra"


class CredentialsError(SetupError):
    """No credentials were found for a cloud, or the cloud does not accept them, or they belong to another account.

    Do: for AWS ``aws sts get-caller-identity``; then set AWS_PROFILE or AWS_ACCESS_KEY_ID. To try without
    an account: ``--sandbox``.
    """

    code = "environment.credentials"


class SandboxError(SetupError):
    """The sandbox could not be started or does not answer.

    Do: ``provisioner sandbox stop``, then start it again; its log is in the directory that the message names.
    """

    code = "environment.sandbox"


class StateError(ProvisionerError):
    """The deployment's record cannot be used.

    Do: ``provisioner state recover PLAN`` says what is wrong and what can be had back.
    """

    code = "state"


class StateDamagedError(StateError):
    """A state file is truncated, or was edited by something else, so its checksum does not fit.

    provisioner refuses to operate on it. Do: ``provisioner state recover PLAN`` restores the copy before
    it, or, with ``--accept-edited``, takes an edited file that is still well-formed. Losing the file altogether
    is not a disaster: objects carry their owner's tag, and the next ``deploy`` finds them.
    """

    code = "state.damaged"


class StateFormatError(StateError):
    """The state was written by a newer provisioner.

    Do: upgrade provisioner; an older one must not write over it.
    """

    code = "state.newer-format"


class StateLineageError(StateError):
    """The snapshot and the journal belong to different states: files were mixed up.

    Do: put the right pair back, or ``provisioner state recover PLAN``.
    """

    code = "state.lineage"


class StateWriteError(StateError):
    """The state could not be written: disk full, directory not writable, or a failing disk.

    The run stopped before the side effect that the record would have announced. Do: make room, then run
    the same command again; it goes on from what was recorded.
    """

    code = "state.write"

    def __init__(self, message: str, *, where: str = "", hint: str = "", unwritten: Sequence[str] = ()) -> None:
        super().__init__(message, where=where, hint=hint)
        self.unwritten = tuple(unwritten)
        """The records that did not reach the disk, one JSON object each, for the person to keep; never secret."""


class LockHeldError(ProvisionerError):
    """Another run of the same deployment is at work.

    Do: wait for it. A lock whose owner died is taken over without asking; ``provisioner state unlock PLAN``
    says whose it is.
    """

    code = "lock.held"
    exit_code = 6


class LockLostError(ProvisionerError):
    """Somebody broke this run's lock, so this run may neither write state nor call the cloud.

    Do: see who runs now with ``provisioner status PLAN``; then run again.
    """

    code = "lock.lost"
    exit_code = 6


class StepError(ProvisionerError):
    """A step could not reach what the plan asks for.

    Do: read the cause below it; what the run had changed was reversed unless ``--on-failure keep`` was given.
    """

    code = "step.failed"


class ForeignObjectError(StepError):
    """An object with the step's name exists and does not carry this deployment's tag.

    provisioner never touches what it did not make. Do: choose another name, remove the object, or take it
    over on purpose with ``adopt: existing``.
    """

    code = "step.foreign"


class TerminalStateError(StepError):
    """The cloud reports a state (failed, incompatible-parameters, …) that no waiting will change.

    Do: the message has the cloud's own reason; mend it and deploy again.
    """

    code = "step.terminal"


class StepTimeoutError(StepError):
    """The object was not ready within the step's time.

    A timeout is the end of a wait, not a verdict on the object. Do: deploy again to go on waiting (with
    ``--on-failure keep``), or raise ``timeout`` on the step.
    """

    code = "step.timeout"


class ProtectedError(StepError):
    """The object has a deletion protection that this deployment did not ask for, so somebody else wants it kept.

    Do: if nobody needs it any more, switch the protection off (or pass ``--allow-data-loss``) and run the same command
    again; to leave the object to whoever protects it, ``provisioner state rm PLAN STEP``.
    """

    code = "step.protected"


class GateError(StepError):
    """A ``check.*`` step did not pass in its time, so the deployment is not usable.

    Do: the message says what the check saw last: name resolution, refused connection, TLS, password, answer.
    """

    code = "step.gate"


class UnresolvedReferenceError(StepError):
    """A reference in the plan points to an output that the step above it did not produce.

    Do: ``provisioner types TYPE`` lists the outputs of a type.
    """

    code = "step.reference"


class CloudError(ProvisionerError):
    """A cloud refused a call or failed to answer it.

    Do: the message has service, operation, and the cloud's own code and words.
    """

    code = "cloud"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        hint: str = "",
        cloud_code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.cloud_code = cloud_code
        self.retry_after = retry_after
        self.nothing_done = False
        """Set by :func:`outright`: no call was taken, so there is nothing to look for and nothing to take back."""

    def __str__(self) -> str:
        said = f" [{self.cloud_code}]" if self.cloud_code else ""
        return f"{super().__str__()}{said}"


class NotFoundError(CloudError):
    """The cloud does not know the object that the call names.

    Do: it was deleted outside provisioner, or a parameter names one that never was. ``provisioner plan``
    shows what is missing.
    """

    code = "cloud.not-found"


class AlreadyExistsError(CloudError):
    """The name is taken, by a live object or by one whose name the cloud still reserves.

    Do: choose another name, or ``adopt: existing`` if the object is yours.
    """

    code = "cloud.already-exists"
    for_good = False
    """It is known that others have the name; else it may be held back for a while, and is waited for."""


class AccessDeniedError(CloudError):
    """The credentials lack a permission.

    Do: grant the action that the message names to the identity that runs provisioner, and deploy again.
    """

    code = "cloud.access-denied"


class InvalidRequestError(CloudError):
    """The cloud calls a value or a combination of values invalid.

    Do: mend the plan; if ``validate`` let the value pass, please report it: it should not have.
    """

    code = "cloud.invalid"


class NotOfferedError(InvalidRequestError):
    """The cloud does not offer, or does not offer any more, what the plan asks for. Nothing was changed.

    Do: write what the message names instead.
    """

    code = "cloud.not-offered"


class QuotaError(CloudError):
    """A quota of the account is used up.

    Do: ask the cloud for more, or remove what is not needed.
    """

    code = "cloud.quota"


class BusyError(CloudError):
    """The object is in the middle of another change. provisioner waits and tries again.

    Do: nothing at first; if it lasts, look at the object in the cloud's console.
    """

    code = "cloud.busy"
    retryable = True


class InUseError(CloudError):
    """Something else still depends on the object, so the cloud will not delete it.

    Do: the message names what it is where the cloud says so; remove that, then run ``rollback`` or ``destroy`` again.
    """

    code = "cloud.in-use"


class HoldsDataError(CloudError):
    """The object still holds data, so the cloud will not delete it; waiting would not empty it.

    Do: empty it, or pass ``--allow-data-loss`` to delete what is in it; then run ``rollback`` or ``destroy`` again.
    """

    code = "cloud.holds-data"


class ThrottledError(CloudError):
    """The cloud asks for fewer calls a second. provisioner slows that service down and goes on.

    Do: nothing; ``--parallelism`` lowers the rate from the start.
    """

    code = "cloud.throttled"
    retryable = True


class UnavailableError(CloudError):
    """The cloud failed to answer for reasons of its own. provisioner tries again, 10 times in all.

    Do: if it lasts, look at the cloud's status page; then run the same command again.
    """

    code = "cloud.unavailable"
    retryable = True


class ConnectionFailedError(CloudError):
    """The connection broke, so nobody knows whether the call took effect. provisioner reads before it repeats.

    Do: check the network; then run the same command again.
    """

    code = "cloud.connection"
    retryable = True


class InterruptedRunError(ProvisionerError):
    """The run was stopped by a signal, in good order: nothing new was started and what ran was recorded.

    Do: ``deploy`` again to go on, or ``rollback`` to return to what was before.
    """

    code = "interrupted"
    exit_code = 130
