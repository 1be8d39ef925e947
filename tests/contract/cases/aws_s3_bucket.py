"""aws.s3_bucket."""

from provisioner.model import Key
from tests.contract.case import Case, Need
from tests.contract.world import World


def _drift(world: World, key: Key) -> set[str]:
    s3 = world.session().client("s3")
    s3.delete_public_access_block(Bucket=key.name)
    s3.put_bucket_versioning(Bucket=key.name, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_lifecycle(Bucket=key.name)
    s3.delete_bucket_policy(Bucket=key.name)
    return {"block_public_access", "versioning", "lifecycle", "tls_only"}


_PROOFS = {
    "id": "proofs",
    "transitions": [{"days": 90, "storage_class": "GLACIER"}],
    "expiration_days": 365,
    "noncurrent_expiration_days": 30,
    "abort_multipart_days": 7,
}

CASE = Case(
    needs=(Need("cmk", "aws.kms_key", lambda world: {}),),
    spec=lambda world: {
        "name": f"{world.deployment}-bucket",
        "lifecycle": [_PROOFS, {"id": "drafts", "prefix": "drafts/", "expiration_days": 7, "enabled": False}],
        "cors": [
            {
                "allowed_origins": ["https://app.example.com"],
                "allowed_methods": ["GET", "PUT"],
                "allowed_headers": ["*"],
                "max_age_seconds": 3000,
            }
        ],
        "tls_only": True,
        "tags": {"tier": "data"},
    },
    changed=lambda world: {
        "versioning": False,
        "encryption": "aws:kms",
        "kms_key": world["cmk"]["arn"],
        "lifecycle": [{**_PROOFS, "expiration_days": 730}],
        "cors": [],
        "tls_only": False,
        "tags": {"team": "platform"},
    },
    replaced=lambda world: {"name": f"{world.deployment}-other"},
    drift=_drift,
    unseen=frozenset({"name"}),
    invalid=(
        {"name": "ab"},
        {"kms_key": "arn:aws:kms:us-east-1:123456789012:key/1"},
        {"lifecycle": [{"id": "nothing"}]},
        {"lifecycle": [_PROOFS, _PROOFS]},
        {"lifecycle": [{**_PROOFS, "expiration_days": 90}]},
        {"lifecycle": [{**_PROOFS, "transitions": [{"days": 10, "storage_class": "STANDARD_IA"}]}]},
        {"lifecycle": [{**_PROOFS, "colour": "red"}]},
        {"cors": [{"allowed_origins": ["*"], "allowed_methods": ["PATCH"]}]},
    ),
)
