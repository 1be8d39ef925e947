"""The reader of the vendor's models: the same as botocore's own says, for every call that a driver makes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import pytest
from botocore.model import Shape

from provisioner.drivers.aws.models import Lazily, ModelFiles


@pytest.mark.parametrize("service", ["ec2", "rds", "s3", "secretsmanager", "sts"])
def test_each_operation_has_the_parameters_and_answers_that_botocore_reads_itself(service: str) -> None:
    mine, own = botocore.session.Session(), botocore.session.Session()
    files: Any = ModelFiles()
    mine.register_component("data_loader", botocore.loaders.Loader(file_loader=files))
    ours, theirs = mine.get_service_model(service), own.get_service_model(service)
    assert ours.operation_names == theirs.operation_names
    assert ours.metadata == theirs.metadata
    for name in ours.operation_names[:40]:
        for kind in ("input_shape", "output_shape"):
            assert _told(getattr(ours.operation_model(name), kind)) == _told(
                getattr(theirs.operation_model(name), kind)
            )


def _told(shape: Shape | None) -> object:
    if shape is None:
        return None
    members = {name: (member.name, member.serialization) for name, member in getattr(shape, "members", {}).items()}
    return shape.name, shape.type_name, shape.metadata, shape.serialization, members


def test_a_file_may_be_compressed_and_one_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text('{"a": 1, "partitions": []}')
    (tmp_path / "service-2.json.gz").write_bytes(gzip.compress(b'{"metadata": {}, "shapes": {"A": {"type": "list"}}}'))
    files = ModelFiles()
    assert files.load_file(str(tmp_path / "endpoints")) == {"a": 1, "partitions": []}
    found = files.load_file(str(tmp_path / "service-2"))
    assert isinstance(found["shapes"], Lazily)
    assert found["shapes"]["A"] == {"type": "list"} == found["shapes"].get("A")
    assert found["shapes"].get("B") is None
    assert files.load_file(str(tmp_path / "none")) is None
    assert files.exists(str(tmp_path / "endpoints")) and not files.exists(str(tmp_path / "none"))


def test_a_users_own_models_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from provisioner.drivers.aws.session import AwsSession
    from provisioner.endpoints import Endpoint

    place = tmp_path / "sts" / "2011-06-15"
    place.mkdir(parents=True)
    own = botocore.loaders.Loader().load_service_model("sts", "service-2")
    (place / "service-2.json").write_text(json.dumps({**own, "operations": {}}))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client = AwsSession("us-east-1", Endpoint(url="http://127.0.0.1:9")).client("sts")
    assert not hasattr(client, "get_caller_identity")


def test_endpoints_are_those_that_botocore_finds_itself() -> None:
    mine, own = botocore.session.Session(), botocore.session.Session()
    files: Any = ModelFiles()
    mine.register_component("data_loader", botocore.loaders.Loader(file_loader=files))
    for service, region in (("rds", "eu-central-1"), ("s3", "us-east-1"), ("iam", "cn-north-1"), ("sts", "")):
        for session in (mine, own):
            session.set_credentials("a", "b")
        ours, theirs = (one.create_client(service, region or "us-west-2") for one in (mine, own))
        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
    assert mine.get_available_regions("rds") == own.get_available_regions("rds")
