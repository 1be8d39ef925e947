"""One table from what AWS says to provisioner's error tree.

AWS answers with a code, and codes are all there is to go by: messages change. The table is read from the
top, the first row that fits wins. A row may be held to one service or to some operations where the same code
means different things (Secrets Manager's InvalidRequestException, for one). The last resort is the HTTP status.

"Not found" has two meanings. To a read or a delete it says that the object is gone. To a call that builds on an
object made a moment ago it says "not yet", for EC2, KMS, IAM, SNS and CloudWatch Logs take seconds to spread
the news: there it is waited for, up to the step's time, and an object that never was fails with that wait.

Weakness: some rows do look at the message, because AWS gives the same code to "not yet" and to "never".
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from provisioner.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    BusyError,
    CloudError,
    ConnectionFailedError,
    CredentialsError,
    HoldsDataError,
    InUseError,
    InvalidRequestError,
    NotFoundError,
    ProvisionerError,
    QuotaError,
    SetupError,
    ThrottledError,
    UnavailableError,
)
from provisioner.secret import MASK

_Kind = type[CloudError] | type[CredentialsError]


class _Row(NamedTuple):
    """``codes``, ``operations`` match in full, ``words`` somewhere in the message; what is empty fits any."""

    kind: _Kind
    codes: re.Pattern[str]
    service: str = ""
    operations: str = ""
    words: str = ""


def _codes(text: str) -> re.Pattern[str]:
    """Patterns with spaces between; AWS ends some codes in Exception, Fault or Error and some not."""
    return re.compile(f"(?:{'|'.join(text.split())})(?:Exception|Fault|Error)?")


_TABLE: Final[tuple[_Row, ...]] = (
    # EC2's word for an address that a NAT gateway has not let go of yet; who may not is told UnauthorizedOperation.
    _Row(
        InUseError, _codes("AuthFailure"), "ec2", "ReleaseAddress", words="permission to access the specified resource"
    ),
    # Who is asking: no retry helps, and the object is not to blame.
    _Row(
        CredentialsError,
        _codes("""
            ExpiredToken InvalidClientTokenId UnrecognizedClient InvalidAccessKeyId InvalidToken
            SignatureDoesNotMatch InvalidSignature IncompleteSignature MissingAuthenticationToken AuthFailure
            TokenRefreshRequired RequestExpired RequestTimeTooSkewed
        """),
    ),
    # Too fast. Before quotas, where RequestLimitExceeded and its like would fit too.
    _Row(
        ThrottledError,
        _codes(r"""
            .*Throttl\w* TooManyRequests RequestLimitExceeded SlowDown APICallRateForCustomerExceeded
            PriorRequestNotComplete BandwidthLimitExceeded
        """),
    ),
    # A permission that was given a moment ago takes a while to spread; a rotation under way comes to its end.
    _Row(BusyError, _codes("AccessDenied"), "secretsmanager", "RotateSecret", "cannot invoke the specified Lambda"),
    _Row(BusyError, _codes("InvalidRequest"), "secretsmanager", "RotateSecret", "previous rotation isn't complete"),
    # Not allowed.
    _Row(
        AccessDeniedError,
        _codes("""
            .*AccessDenied UnauthorizedOperation UnauthorizedAccess Authorization NotAuthorized Forbidden 403
            AccountProblem OptInRequired SNSNoAuthorization IamRoleMissingPermissions
        """),
    ),
    # A new role takes seconds to spread, and until then it looks like a wrong one.
    _Row(BusyError, _codes("InvalidParameterValue"), "rds", words="IAM role ARN value is invalid"),
    _Row(BusyError, _codes("InvalidParameterValue"), "lambda", words="role .* cannot be assumed"),
    _Row(BusyError, _codes("InvalidParameterValue"), "lambda", words="execution role does not have permissions"),
    # A secret's name stays taken while it is being deleted, be it by force or with a recovery window.
    _Row(BusyError, _codes("InvalidRequest"), "secretsmanager", "CreateSecret"),
    # Made a moment ago and not known everywhere yet. InvalidPermission (a rule) and InvalidZone are no such things.
    _Row(
        BusyError,
        _codes(r"Invalid\w+I[Dd]\.NotFound InvalidGroup\.NotFound"),
        "ec2",
        r"(Create|Modify|Authorize|Revoke|Update|Associate|Attach|Replace)\w+",
    ),
    _Row(
        BusyError, _codes("NotFound"), "kms", "(Enable|Disable)KeyRotation|DisableKey|TagResource|(Create|Update)Alias"
    ),
    _Row(BusyError, _codes("NoSuchEntity"), "iam", r"(Put|Attach)\w+", words=r"^(The )?[Rr]ole "),
    _Row(BusyError, _codes("(Resource)?NotFound"), "sns", "Subscribe|TagResource"),
    _Row(BusyError, _codes("ResourceNotFound"), "logs", "(Put|Delete)RetentionPolicy"),
    _Row(BusyError, _codes("Validation"), "cloudwatch", "PutCompositeAlarm", "do not exist"),
    # A state that no waiting changes.
    _Row(
        InvalidRequestError,
        _codes("InvalidDBInstanceState"),
        "rds",
        "CreateDBInstanceReadReplica|StartDBInstanceAutomatedBackupsReplication",
        words="Automated backups are not enabled",
    ),
    _Row(
        AlreadyExistsError,
        _codes("InvalidDBInstanceAutomatedBackupState"),
        "rds",
        "StartDBInstanceAutomatedBackupsReplication",
    ),
    # In the middle of something.
    _Row(
        BusyError,
        _codes("""
            InvalidDB(Instance|Snapshot|Cluster|Proxy|InstanceAutomatedBackup)State DBInstanceNotReady
            InvalidEventSubscriptionState
            Invalid(ReplicationGroup|CacheCluster|Snapshot|GlobalReplicationGroup)State InvalidResourceState
            OperationAborted ConditionalRequestConflict ConcurrentAccess StaleTag IncorrectState RoleModified
            ConcurrentModification EntityTemporarilyUnmodifiable ResourceConflict ResourceNotReady
        """),
    ),
    # Something is in it that waiting does not take out.
    _Row(HoldsDataError, _codes("BucketNotEmpty")),
    # Something else hangs on it.
    _Row(InUseError, _codes("Validation"), "cloudwatch", "DeleteAlarms", "composite alarm"),
    _Row(
        InUseError,
        _codes("""
            DependencyViolation DeleteConflict .*InUse
            InvalidDB(ParameterGroup|SubnetGroup|SecurityGroup|Subnet)State InvalidCacheParameterGroupState
        """),
    ),
    # Not taken: two of what a plan gives are in one place.
    _Row(InvalidRequestError, _codes("DuplicateSubnetsInSameZone"), "ec2"),
    # The name is taken.
    _Row(
        AlreadyExistsError,
        _codes(r".*AlreadyExists? BucketAlreadyOwnedByYou ResourceExists .*\.Duplicate Duplicate\w*"),
    ),
    # The cloud's own fault.
    _Row(
        UnavailableError,
        _codes(r"""
            Internal\w* ServiceFailure ServiceUnavailable Unavailable KMSInternal DependencyTimeout
            RequestTimeout Insufficient\w*Capacity
        """),
    ),
    # A quota of the account.
    _Row(
        QuotaError,
        _codes(r"""
            .*(Quota|Limit)\w*(Exceeded|Reached) QuotaExceeded\..* TooManyBuckets
            InsufficientFreeAddressesInSubnet InsufficientAvailableIPsInSubnet
        """),
    ),
    # Not there.
    _Row(NotFoundError, _codes(r".*NotFound NoSuch\w+ 404 Gateway\.NotAttached")),
)

_SERVER_ERROR: Final = 500
_KIND_BY_STATUS: Final[Mapping[int, type[CloudError]]] = {
    403: AccessDeniedError,
    404: NotFoundError,
    429: ThrottledError,
}

_HINTS: Final[Mapping[type[ProvisionerError], str]] = {
    CredentialsError: "check with `aws sts get-caller-identity`; without an account, try --sandbox",
    AccessDeniedError: "allow this action to the identity that runs provisioner",
    QuotaError: "ask AWS for a higher quota, or remove what is not needed",
    InUseError: "remove what still depends on it, then run the command again",
    ConnectionFailedError: "check the network and the region's name",
}


def kind_of(code: str, *, service: str = "", operation: str = "", status: int = 400, message: str = "") -> _Kind:
    """Which error of the tree an answer of AWS is.

    >>> kind_of("DBInstanceNotFound").__name__, kind_of("SomethingNew", status=503).__name__
    ('NotFoundError', 'UnavailableError')
    """
    for row in _TABLE:
        if (
            row.service in ("", service)
            and (not row.operations or re.fullmatch(row.operations, operation))
            and row.codes.fullmatch(code)
            and (not row.words or re.search(row.words, message))
        ):
            return row.kind
    if status >= _SERVER_ERROR:
        return UnavailableError
    return _KIND_BY_STATUS.get(status, InvalidRequestError)


def caught() -> tuple[type[Exception], ...]:
    """What botocore raises; only these are translated, so that a mistake of ours stays one."""
    exceptions: Any = importlib.import_module("botocore.exceptions")
    parsers: Any = importlib.import_module("botocore.parsers")
    return (exceptions.BotoCoreError, exceptions.ClientError, parsers.ResponseParserError)


def translate(
    err: Exception, *, service: str, operation: str, what: str = "", hide: Iterable[str] = ()
) -> ProvisionerError:
    """Our error for one that botocore raised. ``hide``: secret values that its text must not show."""
    where = " ".join(part for part in (service, operation, what) if part)
    response = getattr(err, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _from_answer(response, service, operation, where, tuple(hide))
    return _from_client(err, where, tuple(hide))


def of_item(error: Mapping[str, Any], *, service: str, operation: str, what: str = "") -> ProvisionerError:
    """Our error for one item of an answer that is a success otherwise: ``{"Code": …, "Message": …}``."""
    where = " ".join(part for part in (service, operation, what) if part)
    return _from_answer({"Error": error}, service, operation, where, ())


def _from_answer(
    response: dict[str, Any], service: str, operation: str, where: str, hide: tuple[str, ...]
) -> ProvisionerError:
    error, meta = response["Error"], response.get("ResponseMetadata", {})
    code, message = str(error.get("Code") or "Unknown"), str(error.get("Message") or "no message")
    status = int(meta.get("HTTPStatusCode") or 400)
    kind = kind_of(code, service=service, operation=operation, status=status, message=message)
    text, hint = masked(message, hide), _HINTS.get(kind, "")
    if issubclass(kind, CloudError):
        return kind(text, where=where, hint=hint, cloud_code=code, retry_after=_retry_after(meta))
    return kind(f"{text} [{code}]", where=where, hint=hint)


def _retry_after(meta: Mapping[str, Any]) -> float | None:
    given = str(meta.get("HTTPHeaders", {}).get("retry-after", ""))
    return float(given) if re.fullmatch(r"\d+(\.\d+)?", given) else None


_NO_CREDENTIALS: Final = frozenset(
    (
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "NoAuthTokenError",
        "ProfileNotFound",
        "TokenRetrievalError",
        "SSOError",
        "LoginError",
        "UnknownCredentialError",
        "ConfigParseError",
    )
)
_NO_ANSWER: Final = frozenset(("HTTPClientError", "ConnectionError", "ResponseStreamingError", "IncompleteReadError"))
_BAD_ANSWER: Final = frozenset({"ResponseParserError", "ChecksumError", "FlexibleChecksumError"})


def _from_client(err: Exception, where: str, hide: tuple[str, ...]) -> ProvisionerError:
    """For what botocore found itself: no credentials, no connection, parameters that do not fit the model."""
    names = {cls.__name__ for cls in type(err).__mro__}
    # Validation texts quote the value; a value may be what nobody should see.
    text = masked(re.sub(r"value: .*?, (?=type:|valid )", "", str(err)), hide)
    if names & _NO_CREDENTIALS:
        return CredentialsError(text, where=where, hint=_HINTS[CredentialsError])
    if names & _NO_ANSWER:
        return ConnectionFailedError(text, where=where, hint=_HINTS[ConnectionFailedError])
    if names & _BAD_ANSWER:
        return UnavailableError(f"the answer cannot be read: {text}", where=where)
    if names & {"NoRegionError", "InvalidRegionError", "EndpointResolutionError", "UnknownEndpointError"}:
        return SetupError(text, where=where, hint="set `region:` in the plan, or AWS_REGION")
    return InvalidRequestError(text, where=where)


def masked(text: str, hide: Iterable[str]) -> str:
    """The text with every secret value in it replaced."""
    for value in hide:
        if value:
            text = text.replace(value, MASK)
    return text
