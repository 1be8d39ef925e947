"""The translation table: AWS's codes, by what the engine must do about them."""

from __future__ import annotations

import pickle

import pytest

from provisioner.drivers.aws.errors import kind_of, translate
from provisioner.errors import CloudError, CredentialsError, HoldsDataError, InUseError, ThrottledError

CODES = {
    "CredentialsError": "ExpiredToken ExpiredTokenException InvalidClientTokenId UnrecognizedClientException AuthFailure"
    " SignatureDoesNotMatch InvalidSignatureException InvalidAccessKeyId MissingAuthenticationToken",
    "ThrottledError": "Throttling ThrottlingException Throttled RequestLimitExceeded SlowDown TooManyRequestsException"
    " APICallRateForCustomerExceeded EC2ThrottledException",
    "AccessDeniedError": "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError 403 KMSAccessDenied",
    "BusyError": "InvalidDBInstanceState InvalidReplicationGroupState OperationAborted ConcurrentModification"
    " InvalidCacheClusterState EntityTemporarilyUnmodifiable InvalidDBSnapshotState ConcurrentAccess",
    "InUseError": "DependencyViolation DeleteConflict SubnetInUse CacheSubnetGroupInUse"
    " InvalidIPAddress.InUse InvalidDBParameterGroupState InvalidDBSubnetGroupStateFault ResourceInUseException",
    "HoldsDataError": "BucketNotEmpty",
    "AlreadyExistsError": "DBInstanceAlreadyExists EntityAlreadyExists BucketAlreadyOwnedByYou BucketAlreadyExists"
    " InvalidGroup.Duplicate InvalidPermission.Duplicate ResourceExistsException SubscriptionAlreadyExist"
    " NetworkAclEntryAlreadyExists RouteAlreadyExists ResourceAlreadyExistsException DBSubnetGroupAlreadyExists ReplicationGroupAlreadyExists",
    "NotFoundError": "DBInstanceNotFound DBSubnetGroupNotFoundFault NoSuchBucket NoSuchEntity NotFound NotFoundException"
    " NatGatewayNotFound Gateway.NotAttached InvalidNetworkAclEntry.NotFound InvalidRoute.NotFound"
    " InvalidVpcID.NotFound InvalidGroup.NotFound ResourceNotFoundException ReplicationGroupNotFoundFault 404",
    "QuotaError": "VpcLimitExceeded LimitExceeded LimitExceededException InstanceQuotaExceeded TooManyBuckets"
    " NetworkAclEntryLimitExceeded RouteLimitExceeded AddressLimitExceeded NatGatewayLimitExceeded"
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


@pytest.mark.parametrize(
    ("service", "operation", "code", "message"),
    [
        ("ec2", "ModifyVpcAttribute", "InvalidVpcID.NotFound", ""),
        ("ec2", "CreateSubnet", "InvalidVpcID.NotFound", ""),
        ("ec2", "ModifySubnetAttribute", "InvalidSubnetID.NotFound", ""),
        ("ec2", "AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound", ""),
        ("ec2", "RevokeSecurityGroupEgress", "InvalidGroup.NotFound", ""),
        ("ec2", "AttachInternetGateway", "InvalidInternetGatewayID.NotFound", ""),
        ("ec2", "CreateNetworkAclEntry", "InvalidNetworkAclID.NotFound", ""),
        ("ec2", "ReplaceNetworkAclAssociation", "InvalidAssociationID.NotFound", ""),
        ("ec2", "CreateNatGateway", "InvalidAllocationID.NotFound", ""),
        ("ec2", "CreateRoute", "InvalidNatGatewayID.NotFound", ""),
        ("ec2", "CreateTags", "InvalidSecurityGroupID.NotFound", ""),
        ("kms", "EnableKeyRotation", "NotFoundException", ""),
        ("kms", "TagResource", "NotFoundException", ""),
        ("kms", "CreateAlias", "NotFoundException", ""),
        ("iam", "AttachRolePolicy", "NoSuchEntity", "The role with name x cannot be found."),
        ("iam", "PutRolePolicy", "NoSuchEntityException", "Role x not found"),
        ("sns", "Subscribe", "NotFound", ""),
        ("sns", "TagResource", "ResourceNotFoundException", ""),
        ("logs", "PutRetentionPolicy", "ResourceNotFoundException", ""),
    ],
)
def test_what_was_just_made_and_is_not_known_everywhere_is_waited_for(
    service: str, operation: str, code: str, message: str
) -> None:
    assert kind_of(code, service=service, operation=operation, message=message).__name__ == "BusyError"


@pytest.mark.parametrize(
    ("service", "operation", "code", "message"),
    [
        ("ec2", "DescribeVpcAttribute", "InvalidVpcID.NotFound", ""),
        ("ec2", "DeleteVpc", "InvalidVpcID.NotFound", ""),
        ("ec2", "DeleteSecurityGroup", "InvalidGroup.NotFound", ""),
        ("ec2", "RevokeSecurityGroupIngress", "InvalidPermission.NotFound", ""),
        ("ec2", "CreateSubnet", "InvalidZone.NotFound", ""),
        ("kms", "DescribeKey", "NotFoundException", ""),
        ("kms", "UntagResource", "NotFoundException", ""),
        ("kms", "DeleteAlias", "NotFoundException", ""),
        ("iam", "GetRole", "NoSuchEntity", "The role with name x cannot be found."),
        ("iam", "AttachRolePolicy", "NoSuchEntity", "Policy arn:aws:iam::aws:policy/service-role/x does not exist."),
        ("sns", "GetTopicAttributes", "NotFound", ""),
        ("sns", "ListTagsForResource", "ResourceNotFoundException", ""),
        ("logs", "DeleteLogGroup", "ResourceNotFoundException", ""),
        ("rds", "CreateDBInstance", "DBSubnetGroupNotFoundFault", ""),
    ],
)
def test_what_is_not_there_for_a_read_or_a_delete_is_gone(
    service: str, operation: str, code: str, message: str
) -> None:
    assert kind_of(code, service=service, operation=operation, message=message).__name__ == "NotFoundError"


def test_an_object_that_holds_data_is_not_tried_again() -> None:
    assert not HoldsDataError.retryable and not issubclass(HoldsDataError, InUseError)


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


def test_an_address_that_a_nat_gateway_still_has_is_in_use_and_no_question_of_credentials() -> None:
    said = "You do not have permission to access the specified resource."
    assert kind_of("AuthFailure", service="ec2", operation="ReleaseAddress", message=said) is InUseError
    assert kind_of("AuthFailure", service="ec2", operation="DescribeAddresses", message=said) is CredentialsError
    wrong = "AWS was not able to validate the provided access credentials"
    assert kind_of("AuthFailure", service="ec2", operation="ReleaseAddress", message=wrong) is CredentialsError
