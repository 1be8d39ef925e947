"""Plans, good and bad. A bad one is a file whose comments say what is to be found where: ``# ! COLUMN ID``."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from provisioner.errors import PlanError
from provisioner.model import Severity
from provisioner.plan.load import Plan, load_plan, read_identity
from provisioner.refs import Ref, Text, resolve
from provisioner.secret import Secret
from tests.unit.toy import REGISTRY

PLANS = Path(__file__).parent / "plans"
GOOD = PLANS / "good.yaml"
BAD = sorted((PLANS / "bad").glob("*.yaml"))
HEAD = "deployment: shop\nprovider: toy\nregion: eu-1\n"
OPENED = "${" * 5_000
MARK = re.compile(r"# ! (\d+) ([a-z.-]+)")


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOP_TOKEN", "TOY_TOKEN", "TOY_OTHER"):
        monkeypatch.setenv(name, "kept-out-of-sight")


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def good(**arguments: str) -> Plan:
    return load_plan(GOOD, REGISTRY, environment="production", parameters=arguments)


def refused(
    path: Path, *, environment: str | None = None, files: list[Path] | None = None, **arguments: str
) -> PlanError:
    with pytest.raises(PlanError) as caught:
        load_plan(path, REGISTRY, environment=environment, parameter_files=files or [])
    return caught.value


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_finding_of_a_bad_plan_is_told_at_once_with_line_and_column(path: Path) -> None:
    text = path.read_text()
    wanted = Counter(
        (number, int(column), id_)
        for number, line in enumerate(text.splitlines(), 1)
        for column, id_ in MARK.findall(line)
    )
    environment = re.search(r"^# environment: (.*)$", text, re.MULTILINE)
    error = refused(path, environment=environment and environment.group(1))
    found = Counter((f.where.line, f.where.column, f.id) for f in error.findings if f.where)
    assert found == wanted, "\n".join(map(str, error.findings))
    assert all(f.where and f.where.file == str(path) for f in error.findings)
    assert error.exit_code == 3


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_secret_is_quoted_in_a_finding(path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(path, REGISTRY, environment="one" if path.stem == "parameters" else None)
    for finding in caught.value.findings:
        for secret in ("hunter2", "12345678", "kept-out-of-sight"):
            assert secret not in f"{finding} {finding.hint} {finding.subject}"


@pytest.mark.parametrize(
    ("case", "line", "message", "hint", "subject"),
    [
        ("keys", 5, "unknown key 'regoin' in a plan; did you mean 'region'?", "known here: deployment", "regoin"),
        ("keys", 16, "unknown key 'storge'; did you mean 'storage'?", "known here: version", "steps.db.with.storge"),
        (
            "types",
            19,
            "storage: expected an integer from 20 to 65536, got 5",
            "Storage in GiB",
            "steps.db.with.storage",
        ),
        ("types", 18, "version: expected text, got 15", 'write it in quotes: "15"', "steps.db.with.version"),
        ("types", 22, "multi_az: expected true or false, got 'yes'", "write true or false", "steps.db.with.multi_az"),
        ("types", 25, "kind: expected one of 'large', 'small', got 'huge'", "", "steps.db.with.kind"),
        ("types", 24, "network: expected text, but ${net.size} is an integer", "", "steps.db.with.network"),
        (
            "types",
            49,
            "there is no type 'toy.databse'; did you mean 'toy.database'?",
            "provisioner types",
            "steps.nothing.type",
        ),
        (
            "references",
            17,
            "${frist.id}: there is no step 'frist'; did you mean 'first'?",
            "",
            "steps.second.with.version",
        ),
        ("references", 18, "toy.network has no output 'idd'; did you mean 'id'?", "its outputs: id, ", "steps.second"),
        ("references", 11, "'second' comes later, in line 13; move it above 'first'", "", "steps.first.with.cidr"),
        ("when", 21, "the step 'off' is switched off here", "give 'kept' the same `when`", "steps.kept.with.network"),
        ("names", 21, "there is a step 'twice' already, in line 19", "a name of its own", "steps.twice.name"),
        ("names", 10, "'eu-prod' is not a name for an environment", "no -: a-b and c", "environments.eu-prod"),
        ("objects", 11, "the same object as the step 'db'", "another name", "steps.again.with.name"),
        ("objects", 32, "max_storage (50) is less than storage (100)", "", "steps.shrinks.with.max_storage"),
        ("secrets", 7, "the secret spare must not have a default", "env: NAME", "parameters.spare.default"),
    ],
)
def test_a_finding_says_what_where_and_what_to_do(case: str, line: int, message: str, hint: str, subject: str) -> None:
    error = refused(PLANS / "bad" / f"{case}.yaml", environment="one" if case == "parameters" else None)
    here = [f for f in error.findings if f.where and f.where.line == line]
    assert any(message in f.message and hint in f.hint and f.subject.startswith(subject) for f in here), here


def test_a_plan_is_read_with_its_environment_filled_in() -> None:
    plan = good()
    assert (plan.deployment, plan.base, plan.environment) == ("shop-production", "shop", "production")
    assert (plan.provider, plan.region) == ("toy", "eu-1")
    assert plan.parameters == {"region": "eu-1", "storage": 50, "large": True, "subnets": ["a", "b"]}
    assert [step.name for step in plan.steps] == ["net", "password", "db", "replica", "reachable"]
    assert plan.skipped == () and plan.warnings == ()
    db = plan.steps[2]
    assert db.tree["storage"] == 50 and db.tree["multi_az"] is True
    assert db.tree["tags"]["stack"] == "shop-production in eu-1"
    assert db.tree["tags"]["literal"] == "${not.a.reference}"
    assert db.tree["tags"]["net"] == Text(("net-", Ref("net", "id")))
    assert (db.stage, db.protect, db.timeout, db.where.line) == ("data", True, 2700.0, 24)


def test_needs_are_references_and_after_in_the_order_of_the_file() -> None:
    plan = good()
    assert {step.name: step.needs for step in plan.steps} == {
        "net": (),
        "password": (),
        "db": ("net", "password"),
        "replica": (),
        "reachable": ("password", "db", "replica"),
    }


def test_a_step_that_is_switched_off_is_skipped_with_the_outputs_that_refer_to_it() -> None:
    plan = load_plan(GOOD, REGISTRY, environment="development")
    assert plan.skipped == ("replica",)
    assert "replica" not in plan.outputs and "replica" in good().outputs
    assert plan.steps[-1].after == ("password",)


def test_an_output_that_holds_a_secret_is_marked_so() -> None:
    outputs = good().outputs
    assert outputs["url"].secret and not outputs["endpoint"].secret
    assert outputs["url"].description == "Where to connect"


def test_a_secret_parameter_stays_a_reference_in_the_tree() -> None:
    plan = good()
    ref = plan.steps[3].tree["password"]
    assert ref == Ref("param", "token")
    assert resolve(ref, plan.secret).reveal() == "kept-out-of-sight"
    assert "kept-out-of-sight" not in repr(plan)


def test_settings_and_timeouts_fall_back_from_step_to_type_to_prefix() -> None:
    plan = good()
    assert (plan.settings.attempts, plan.settings.backoff_initial, plan.settings.backoff_most) == (5, 0.5, 10.0)
    times = {step.name: plan.timeout_of(step) for step in plan.steps}
    assert times == {"net": None, "password": None, "db": 2700.0, "replica": 1800.0, "reachable": 90.0}
    assert plan.steps[-1].interval == 5.0


def test_a_later_source_of_a_parameter_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    first.write_text("storage: 60\nsubnets: [x]\n")
    second.write_text("storage: 70\n")

    def storage(*files: Path, environment: str = "production", **arguments: str) -> object:
        plan = load_plan(GOOD, REGISTRY, environment=environment, parameters=arguments, parameter_files=files)
        return plan.parameters["storage"]

    assert storage(environment="development") == 20
    assert storage() == 50
    assert storage(first) == 60
    assert storage(first, second) == 70
    assert storage(first, second, storage="80") == 80


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("storage", "30", 30),
        ("large", "false", False),
        ("subnets", "a, b,c", ["a", "b", "c"]),
        ("subnets", "[a, b]", ["a", "b"]),
        ("subnets", "", []),
        ("region", "15", "15"),
        ("region", "${literal}", "${literal}"),
    ],
)
def test_the_command_lines_text_is_converted_by_the_declared_type(name: str, text: str, value: object) -> None:
    assert good(**{name: text}).parameters[name] == value


@pytest.mark.parametrize(
    ("arguments", "id_", "message"),
    [
        ({"storage": "much"}, "plan.wrong-type", "expected an integer, got 'much'"),
        ({"storage": "101"}, "plan.wrong-type", "expected at least 20 and at most 100, got 101"),
        ({"large": "yes"}, "plan.wrong-type", "expected true or false, got 'yes'"),
        (
            {"sotrage": "5"},
            "plan.unknown-parameter",
            "unknown parameter 'sotrage' on the command line; did you mean 'storage'?",
        ),
        ({"token": "hunter2"}, "plan.literal-secret", "the secret token must not be given where others can read it"),
        ({"region": "<region>"}, "plan.placeholder", "region is still to be filled in: '<region>'"),
    ],
)
def test_a_wrong_argument_is_named_without_a_place_in_a_file(arguments: dict[str, str], id_: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(GOOD, REGISTRY, environment="production", parameters=arguments)
    (finding,) = caught.value.findings
    assert finding.id == id_ and message in finding.message and finding.where is None
    assert finding.subject == f"--param {next(iter(arguments))}"
    assert "hunter2" not in str(finding) + finding.hint


def test_findings_in_parameter_files_and_in_the_plan_come_together(tmp_path: Path) -> None:
    wrong, broken = tmp_path / "wrong.yaml", tmp_path / "broken.yaml"
    wrong.write_text("storage: lots\nnobody: 5\ntoken: 5\n")
    broken.write_text("a: [\n")
    error = refused(GOOD, environment="production", files=[wrong, broken, tmp_path / "none.yaml"])
    assert sorted((f.id, Path(f.where.file).name, f.where.line) for f in error.findings if f.where) == [
        ("plan.unknown-parameter", "wrong.yaml", 2),
        ("plan.wrong-type", "wrong.yaml", 1),
        ("plan.wrong-type", "wrong.yaml", 3),
        ("yaml.syntax", "broken.yaml", 2),
        ("yaml.unreadable", "none.yaml", 1),
    ]


def test_a_secret_may_come_from_a_parameter_file_which_wins_over_the_variable(tmp_path: Path) -> None:
    path = tmp_path / "secrets.yaml"
    path.write_text("token: from the file\n")
    plan = load_plan(GOOD, REGISTRY, environment="production", parameter_files=[path])
    assert plan.secrets == {"token": Secret("from the file")}


def test_a_secret_without_a_value_says_how_to_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "")
    (finding,) = refused(GOOD, environment="production").findings
    assert finding.id == "plan.no-value" and "token" in finding.message
    assert "set the environment variable SHOP_TOKEN" in finding.hint


@pytest.mark.parametrize("value", ["CHANGEME", "change-me", "<password>", "TODO", "xxxxxx"])
def test_a_placeholder_is_no_secret(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SHOP_TOKEN", value)
    (finding,) = refused(GOOD, environment="production").findings
    assert finding.id == "plan.placeholder"


def test_the_environment_must_be_chosen_where_there_are_several() -> None:
    (finding,) = refused(GOOD).findings
    assert finding.id == "plan.environment-needed" and "development, production" in finding.message
    (finding,) = refused(GOOD, environment="prodution").findings
    assert finding.id == "plan.unknown-environment" and "did you mean 'production'?" in finding.message


def test_the_environment_may_be_left_out_where_there_is_one_or_none(tmp_path: Path) -> None:
    steps = "steps:\n  - {name: pw, type: toy.secret}\n"
    path = write(tmp_path, HEAD + steps)
    plan = load_plan(path, REGISTRY)
    assert (plan.deployment, plan.environment, read_identity(path)) == ("shop", None, "shop")
    (finding,) = refused(path, environment="test").findings
    assert finding.id == "plan.unknown-environment" and "leave -e out" in finding.hint
    path = write(tmp_path, HEAD + "environments: {test: }\n" + steps)
    assert load_plan(path, REGISTRY).deployment == read_identity(path) == "shop-test"


def test_the_identity_is_read_however_broken_the_steps_are(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "deployment: shop\nenvironments: {a: {}, b: {}}\nsteps: [1, {name: X}, {type: no.such}]\nnonsense: 1\n",
    )
    assert read_identity(path, "b") == "shop-b"
    with pytest.raises(PlanError):
        read_identity(path)
    with pytest.raises(PlanError):
        read_identity(write(tmp_path, "steps: []\n"))


def test_an_unused_parameter_is_a_warning_that_stops_nothing(tmp_path: Path) -> None:
    text = "parameters: {spare: {type: string, default: x}}\nsteps:\n  - {name: pw, type: toy.secret}\n"
    (warning,) = load_plan(write(tmp_path, HEAD + text), REGISTRY).warnings
    assert warning.severity is Severity.WARNING and warning.id == "plan.unused-parameter"


def test_an_optional_parameter_leaves_its_field_alone(tmp_path: Path) -> None:
    text = (
        "parameters: {size: {type: integer, default: null}}\nsteps:\n"
        '  - {name: db, type: toy.database, with: {version: "15", max_storage: "${param.size}"}}\n'
    )
    path = write(tmp_path, HEAD + text)
    assert load_plan(path, REGISTRY).steps[0].tree["max_storage"] is None
    assert load_plan(path, REGISTRY, parameters={"size": "30"}).steps[0].tree["max_storage"] == 30


@pytest.mark.parametrize("kind", ["parameters", "aliases"])
def test_values_used_many_times_over_cannot_fill_the_memory(tmp_path: Path, kind: str) -> None:
    if kind == "parameters":
        text = f"parameters: {{a: {{type: string, default: {'x y ' * 10_000}}}}}\n"
        use = "${param.a}" * 5_000
        text += f"steps:\n  - {{name: db, type: toy.database, with: {{version: '{use}'}}}}\n"
    else:
        text = "x: &x1 [a, a, a, a, a, a, a, a, a, a]\n"
        text += "".join(f"x{i}: &x{i + 1} [{', '.join([f'*x{i}'] * 10)}]\n" for i in range(1, 12))
    error = refused(write(tmp_path, HEAD + text))
    assert {f.id for f in error.findings} & {"plan.too-large", "yaml.too-large"}


@pytest.mark.parametrize(
    "steps",
    [
        [f"  - {{name: s{i}, type: toy.secret, with: {{lenght: 5, a{i}: 1}}}}\n" for i in range(5_000)],
        [f"  - {{name: s{i}, type: toy.version, with: {{of: '${{s{i + 9999}.id}}'}}}}\n" for i in range(5_000)],
        [f"  - {{name: db{i}, type: toy.database, with: {{version: '{OPENED}'}}}}\n" for i in range(60)],
        [f"  - {{name: s{i}, type: {'toy.secre' * 5_000}}}\n" for i in range(20)],
    ],
    ids=["unknown keys", "unknown references", "broken references", "long names"],
)
def test_a_plan_full_of_errors_is_refused_with_every_one_of_them(tmp_path: Path, steps: list[str]) -> None:
    path = write(tmp_path, HEAD + "steps:\n" + "".join(steps))
    assert len(refused(path).findings) >= len(steps)


def _with_token(tmp_path: Path, password: str, *, on: str = "true") -> Path:
    declared = "parameters: {token: {type: secret, env: SHOP_TOKEN}}\n"
    steps = "steps:\n  - name: pw\n    type: toy.secret\n  - name: db\n    type: toy.database\n"
    given = f'    when: {on}\n    with: {{version: "15", password: "{password}"}}\n'
    return write(tmp_path, HEAD + declared + steps + given)


@pytest.mark.parametrize("password", ["${param.token}", "a-${param.token}-b"])
def test_rules_judge_the_value_of_a_secret_parameter_without_showing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hunter2@home")
    error = refused(_with_token(tmp_path, password))
    (finding,) = error.findings
    assert (finding.id, finding.message) == ("plan.rule", "a password has no @ in it")
    assert finding.where is not None
    assert (finding.where.line, finding.where.column) == (11, 37)
    assert finding.subject == "steps.db.with.password"
    assert "hunter2" not in f"{finding!r} {error!r} {error}"


def test_a_secret_parameter_that_the_rules_like_is_left_a_reference(tmp_path: Path) -> None:
    plan = load_plan(_with_token(tmp_path, "${param.token}"), REGISTRY)
    assert plan.steps[1].tree["password"] == Ref("param", "token")


def test_rules_wait_where_a_secret_is_only_partly_known_or_the_step_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hunter2@home")
    load_plan(_with_token(tmp_path, "${param.token}${pw.value}"), REGISTRY)
    load_plan(_with_token(tmp_path, "${param.token}", on="false"), REGISTRY)


def test_free_content_that_may_hold_secrets_takes_them_at_any_depth(tmp_path: Path) -> None:
    declared = "parameters: {token: {type: secret, env: SHOP_TOKEN}}\n"
    steps = 'steps:\n  - {name: doc, type: toy.document, with: {value: {a: [{b: "${param.token}"}]}}}\n'
    plan = load_plan(write(tmp_path, HEAD + declared + steps), REGISTRY)
    assert plan.steps[0].tree == {"value": {"a": [{"b": Ref("param", "token")}]}}


def test_an_environment_without_dashes_makes_a_deployments_name_unambiguous(tmp_path: Path) -> None:
    steps = "steps: [{name: pw, type: toy.secret}]\n"
    head = "deployment: a-b\nprovider: toy\nregion: eu-1\n"
    assert load_plan(write(tmp_path, head + "environments: {c1: }\n" + steps), REGISTRY).deployment == "a-b-c1"
    path = write(tmp_path, head.replace("a-b", "a") + "environments: {b-c1: }\n" + steps)
    assert [finding.id for finding in refused(path).findings] == ["plan.name-invalid"]
    with pytest.raises(PlanError):
        read_identity(path)
