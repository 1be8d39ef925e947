"""Folders as values: the same content is the same value, wherever it is and whoever packs it."""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import pytest

from provisioner import folder
from provisioner.errors import PlanError
from provisioner.plan.load import load_plan
from provisioner.plan.schema import plan_schema
from provisioner.resource import Registry, Resource, resource
from provisioner.resource import Spec as BaseSpec


@resource("toy.function")
class Function(Resource):
    """Something with a folder."""

    class Spec(BaseSpec, frozen=True, kw_only=True):
        """It."""

        code: Annotated[folder.Folder, msgspec.Meta(description="Folder.")]
        more: Annotated[folder.Folder, msgspec.Meta(description="Folder.")] | None = None

    outputs: ClassVar[Mapping[str, type]] = {"name": str}

    def read(self, key: Any) -> Any:
        raise NotImplementedError

    def create(self, key: Any, spec: Any) -> None:
        raise NotImplementedError

    def delete(self, key: Any) -> None:
        raise NotImplementedError


REGISTRY = Registry({"toy.function": "tests.unit.test_folder:Function"}, {})


def make(home: Path, name: str = "code", text: str = "x = 1\n") -> Path:
    place = home / name
    (place / "inner").mkdir(parents=True)
    (place / "main.py").write_text(text)
    (place / "inner" / "__init__.py").write_text("")
    return place


def plan(home: Path, code: str = "code", more: str = "") -> Any:
    """The step of a plan in ``home``."""
    lines = ["deployment: shop", "provider: toy", "region: eu-1", "steps:"]
    lines += ["  - name: one", "    type: toy.function", "    with:", f"      code: {code}", *([more] if more else [])]
    (home / "plan.yaml").write_text("\n".join(lines) + "\n")
    return load_plan(home / "plan.yaml", REGISTRY).steps[0]


def value(home: Path, code: str = "code") -> str:
    return str(plan(home, code).tree["code"])


def test_another_checkout_has_the_same_value_at_another_time_with_another_mask(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    make(here)
    first = value(here)
    shutil.copytree(here, there)
    for path in (there / "code").rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (there / "code" / "__pycache__").mkdir()
    (there / "code" / "__pycache__" / "main.pyc").write_bytes(b"1")
    (there / "code" / ".DS_Store").write_bytes(b"1")
    assert value(there) == first and first.startswith("code#sha256:")
    assert str(tmp_path) not in first


def test_another_byte_another_name_and_another_mode_are_another_value(tmp_path: Path) -> None:
    code = make(tmp_path)
    seen = {folder.digest(value(tmp_path))}
    (code / "main.py").write_text("x = 2\n")
    seen.add(folder.digest(value(tmp_path)))
    (code / "main.py").rename(code / "other.py")
    seen.add(folder.digest(value(tmp_path)))
    (code / "other.py").chmod(0o755)
    seen.add(folder.digest(value(tmp_path)))
    assert len(seen) == 4


def test_what_is_packed_has_the_digest_of_the_value_and_every_file(tmp_path: Path) -> None:
    make(tmp_path)
    make(tmp_path, "shared/deep", "y = 1\n").joinpath("main.py").rename(tmp_path / "shared" / "deep" / "db.py")
    (tmp_path / "shared" / "deep" / "inner" / "__init__.py").rename(tmp_path / "shared" / "deep" / "inner" / "b.py")
    told = value(tmp_path, "code + shared/deep")
    data = folder.packed(told)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["db.py", "inner/__init__.py", "inner/b.py", "main.py"]
        assert archive.read("db.py") == b"y = 1\n"
        modes = {(entry.external_attr >> 16, entry.date_time, entry.compress_type) for entry in archive.infolist()}
    assert modes == {(0o100644, (1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)}
    assert told.startswith("code + shared/deep#sha256:")


def test_content_that_is_not_here_or_has_changed_since_is_not_packed(tmp_path: Path) -> None:
    code = make(tmp_path)
    told = value(tmp_path)
    with pytest.raises(FileNotFoundError, match="not on this machine"):
        folder.packed("code#sha256:" + "0" * 64)
    (code / "main.py").write_text("x = 2\n")
    with pytest.raises(FileNotFoundError, match="has changed since the plan was read"):
        folder.packed(told)
    shutil.rmtree(code)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        folder.packed(told)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("missing", "there is no folder"),
        ("empty", "there is no file"),
        ("code + code", "main.py is in|inner/__init__.py is in"),
        ("code + + code", "is missing"),
        ("linked", "is a link"),
        ("code#sha256:" + "0" * 64, "write the folder alone"),
        ("plan.yaml", "there is no folder"),
    ],
)
def test_a_folder_that_cannot_be_read_is_a_finding_with_its_place(tmp_path: Path, code: str, complaint: str) -> None:
    make(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "main.py").symlink_to("../code/main.py")
    with pytest.raises(PlanError) as caught:
        plan(tmp_path, code)
    (finding,) = caught.value.findings
    assert re.search(complaint, finding.message) and finding.id == "plan.folder" and finding.where is not None
    assert (finding.where.line, finding.where.column) == (8, 13)


def test_a_folder_comes_from_a_parameter_but_not_from_a_step(tmp_path: Path) -> None:
    make(tmp_path)
    more = "  - name: two\n    type: toy.function\n    with:\n      code: ${one.name}"
    with pytest.raises(PlanError) as caught:
        plan(tmp_path, more=more)
    assert [finding.id for finding in caught.value.findings] == ["plan.reference-not-here"]
    parameter = "parameters:\n  where: {type: string, default: code}"
    step = plan(tmp_path, "${param.where}", f"      more: code\n{parameter}")
    assert step.tree["code"] == step.tree["more"] == value(tmp_path)


def test_a_folder_of_a_step_that_is_switched_off_need_not_be_there(tmp_path: Path) -> None:
    make(tmp_path)
    off = "  - name: two\n    type: toy.function\n    when: false\n    with:\n      code: missing"
    assert plan(tmp_path, more=off).name == "one"


def test_for_editors_a_folder_is_text(tmp_path: Path) -> None:
    field = plan_schema(REGISTRY)["$defs"]["toy.function.Spec"]["properties"]["code"]
    assert field["description"] == "Folder." and {"type": "string"}.items() <= field["anyOf"][0].items()
