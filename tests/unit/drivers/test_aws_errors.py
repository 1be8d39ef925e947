"""The translation table: AWS's codes, by what the engine must do about them."""

from __future__ import annotations

import pickle

import pytest

from provisioner.drivers.aws.errors import kind_of, translate
from provisioner.errors import CloudError, CredentialsError, ThrottledError

CODES = {
    "CredentialsError": "ExpiredToken ExpiredTokenException InvalidClientTokenId UnrecognizedClientException AuthFailure"
    " SignatureDoesNotMatch InvalidSignatureException InvalidAccessKeyId MissingAuthenticationToken",
    "ThrottledError": "Throttling ThrottlingException Throttled RequestLimitExceeded SlowDown TooManyRequestsException"
    " APICallRateForCustomerExceeded EC2ThrottledException",
    "AccessDeniedError": "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError 403 KMSAccessDenied",
    "BusyError": "InvalidDBInstanceState InvalidReplicationGroupState OperationAborted ConcurrentModification"
    " InvalidCacheClusterState EntityTemporarilyUnmodifiable InvalidDBSnapshotState ConcurrentAccess",
    "InUseError": "DependencyViolation DeleteConflict BucketNotEmpty SubnetInUse CacheSubnetGroupInUse"
    " InvalidDBParameterGroupState InvalidDBSubnetGroupStateFault ResourceInUseException",
    "AlreadyExistsError": "DBInstanceAlreadyExists EntityAlreadyExists BucketAlreadyOwnedByYou BucketAlreadyExists"
    " InvalidGroup.Duplicate InvalidPermission.Duplicate ResourceExistsException SubscriptionAlreadyExist"
    " ResourceAlreadyExistsException DBSubnetGroupAlreadyExists ReplicationGroupAlreadyExists",
    "NotFoundError": "DBInstanceNotFound DBSubnetGroupNotFoundFault NoSuchBucket NoSuchEntity NotFound NotFoundException"
    " InvalidVpcID.NotFound InvalidGroup.NotFound ResourceNotFoundException ReplicationGroupNotFoundFault 404",
    "QuotaError": "VpcLimitExceeded LimitExceeded LimitExceededException InstanceQuotaExceeded TooManyBuckets"
    " NodeQuotaForCustomerExceeded QuotaExceeded.DBSecurityGroup RulesPerSecurityGroupLimitExceeded",
    "UnavailableError": "InternalFailure InternalError InternalServiceError InternalServerException ServiceFailure"
    " ServiceUnavailable ServiceUnavailableException KMSInternalException InsufficientDBInstanceCapacity",
    "InvalidRequestError": "InvalidParameterValue InvalidParameterCombination ValidationError MalformedPolicyDocument"
    " InvalidVPCNetworkStateFault KMSKeyNotAccessibleFault InvalidSubnet.Conflict KMSInvalidStateException"
    " DBSubnetGroupDoesNotCoverEnoughAZs StorageTypeNotSupported",
}


def _answer(code: str, message: str = "no", retry_after: str = "") -> Exception:
    error = Exception(message)
    error.response = {  # type: ignore[attr-defined]
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {"retry-after": retry_after}},
    }
    return error


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes.split()])
def test_a_code_means_what_the_engine_must_do(kind: str, code: str) -> None:
    assert kind_of(code).__name__ == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, "UnavailableError"),
        (503, "UnavailableError"),
        (429, "ThrottledError"),
        (403, "AccessDeniedError"),
    ],
)
def test_a_code_that_nobody_knows_goes_by_its_http_status(status: int, kind: str) -> None:
    assert kind_of("SomethingOfNextYear", status=status).__name__ == kind


def test_a_scheduled_secret_makes_a_create_wait_and_nothing_else() -> None:
    assert (
        kind_of("InvalidRequestException", service="secretsmanager", operation="CreateSecret").__name__ == "BusyError"
    )
    assert (
        kind_of("InvalidRequestException", service="secretsmanager", operation="PutSecretValue").__name__ != "BusyError"
    )


def test_a_role_that_has_not_spread_yet_is_waited_for() -> None:
    message = "IAM role ARN value is invalid or does not include the required permissions"
    assert kind_of("InvalidParameterValue", service="rds", message=message).__name__ == "BusyError"


def test_the_text_says_where_what_and_which_code() -> None:
    error = translate(
        _answer("InvalidParameterValue", "too small"), service="rds", operation="CreateDBInstance", what="db"
    )
    assert str(error) == "rds CreateDBInstance db: too small [InvalidParameterValue]"


def test_retry_after_is_kept() -> None:
    error = translate(_answer("Throttling", retry_after="7"), service="rds", operation="X")
    assert isinstance(error, ThrottledError) and error.retry_after == 7.0


def test_an_error_says_what_to_do_next() -> None:
    error = translate(_answer("AccessDenied"), service="rds", operation="X")
    assert isinstance(error, CloudError) and error.hint
    error = translate(_answer("ExpiredToken"), service="rds", operation="X")
    assert isinstance(error, CredentialsError) and "get-caller-identity" in error.hint


def test_a_translated_error_survives_pickling() -> None:
    error = translate(_answer("Throttling", retry_after="7"), service="rds", operation="X")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
