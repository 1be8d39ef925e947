"""``graph``: every language, and a picture in which nothing runs through anything."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as some

from provisioner.drivers.typemap import registry
from provisioner.model import Position
from provisioner.operations.graph import Graph, graph_of
from provisioner.operations.graphlayout import GAP, layout
from provisioner.operations.graphsvg import svg
from provisioner.operations.graphtext import dot, mermaid
from provisioner.plan.load import load_plan
from provisioner.plan.model import Plan, StepDecl
from tests.cli.conftest import Desk
from tests.cli.shell import ROOT

STAGES = ("foundation", "data", "", "monitoring")


@some.composite
def plans(draw: some.DrawFn) -> Plan:
    steps: list[StepDecl] = []
    for number in range(draw(some.integers(0, 14))):
        needs = draw(some.sets(some.sampled_from([step.name for step in steps]), max_size=4)) if steps else set()
        kind = draw(some.sampled_from(["toy.thing", "check.tcp", "toy.a_very_long_type_name_indeed"]))
        stage = draw(some.sampled_from(STAGES))
        steps.append(
            StepDecl(name=f"s{number}", type=kind, where=Position("p"), stage=stage, needs=tuple(sorted(needs)))
        )
    return Plan(
        path=Path("p"), deployment="a&b", base="a", environment=None, provider="toy", region="x", steps=tuple(steps)
    )


def above(graph: Graph) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in graph.nodes:
        direct = {edge.need for edge in graph.edges if edge.step == node.step}
        found[node.step] = direct.union(*(found[need] for need in direct)) if direct else set()
    return found


@settings(max_examples=60, deadline=None)
@given(plans())
def test_leaving_out_implied_edges_changes_no_order(plan: Plan) -> None:
    reduced, full = graph_of(plan, None), graph_of(plan, None, full=True)
    assert set(reduced.edges) <= set(full.edges)
    assert above(reduced) == above(full)


@settings(max_examples=60, deadline=None)
@given(plans())
def test_no_box_touches_another_and_lines_run_between_neighbouring_columns(plan: Plan) -> None:
    graph = graph_of(plan, None)
    made = layout(graph)
    for start, end in made.lines:
        assert made.items[end].column == made.items[start].column + 1
    for number, one in enumerate(made.items):
        band = made.bands[one.band]
        assert band.top <= one.y - one.height / 2
        assert one.y + one.height / 2 <= band.top + band.height
        for other in made.items[number + 1 :]:
            if one.column == other.column:
                assert abs(one.y - other.y) >= (one.height + other.height) / 2 + GAP - 0.01
    reached = {(graph.nodes[s].step, graph.nodes[e].step) for s, e in made.lines if max(s, e) < len(graph.nodes)}
    assert reached <= {(edge.need, edge.step) for edge in graph.edges}


@settings(max_examples=30, deadline=None)
@given(plans())
def test_the_picture_is_well_formed_and_has_every_step(plan: Plan) -> None:
    tree = ElementTree.fromstring(svg(graph_of(plan, None)))
    titles = [node.text or "" for node in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "a&b"
    assert [title.partition(" ")[0] for title in titles[1:]] == [step.name for step in plan.steps]


def test_text_shows_stages_steps_and_needs(desk: Desk) -> None:
    out = desk.run("graph", desk.plan).out
    assert out.splitlines()[:5] == ["shop", "", "foundation", "├─ • net    toy.thing", "└─ • vault  toy.vault"]
    assert "└─ • db     toy.database  ← net, vault" in out


def test_statuses_are_shown_once_something_is_deployed(desk: Desk) -> None:
    desk.deploy()
    assert "● net" in desk.run("graph", desk.plan).out
    assert ": ready</title>" in desk.run("graph", desk.plan, "--format", "svg").out
    assert "classDef ready" in desk.run("graph", desk.plan, "--format", "mermaid").out


def test_a_file_s_name_says_its_format(desk: Desk, tmp_path: Path) -> None:
    for name, start in (("g.svg", "<svg"), ("g.dot", "digraph"), ("g.mmd", "---"), ("g.txt", "shop")):
        assert desk.run("graph", desk.plan, "-o", tmp_path / name).code == 0
        assert (tmp_path / name).read_text().startswith(start)
    assert desk.run("graph", desk.plan, "-o", tmp_path / "no" / "g.svg").code == 2


def test_mermaid_and_dot_have_a_line_an_edge(desk: Desk) -> None:
    plan = load_plan(ROOT / "plans" / "aws-credlink.yaml", registry(), environment="production")
    graph = graph_of(plan, None, full=True)
    assert mermaid(graph).count(" --> ") == dot(graph).count(" -> ") == len(graph.edges)
    assert mermaid(graph).count("subgraph") == len(graph.stages)
    for node in graph.nodes:
        assert f'"{node.step}" [' in dot(graph)


def test_json_has_nodes_and_edges(desk: Desk) -> None:
    made = desk.json("graph", desk.plan)
    assert [node["step"] for node in made["nodes"]] == ["net", "vault", "db", "gate"]
    assert [node["check"] for node in made["nodes"]] == [False, False, False, True]
    assert {"need": "net", "step": "db"} in made["edges"]
