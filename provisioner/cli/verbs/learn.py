"""``types``, ``schema`` and ``explain``: what there is and what it means."""

from __future__ import annotations

import click

from provisioner.cli import completers
from provisioner.cli.app import App
from provisioner.cli.lazy import Verb


@click.command("types", cls=Verb)
@click.argument("name", required=False, shell_complete=completers.types)
@click.pass_obj
def types(app: App, name: str | None) -> int:
    """What a plan can make. With NAME: every field with its limits, default and meaning, and the outputs."""
    from provisioner.cli.text.types import type_text, types_text
    from provisioner.operations.explain import about, about_json

    if name is not None:
        one = about(app.registry.type(name))
        app.tell(about_json(one), lambda: type_text(one, app.printer.out.width))
        return 0
    found = [about(app.registry.type(each)) for each in app.registry.names()]
    app.tell({"types": [about_json(one) for one in found]}, lambda: types_text(found))
    return 0


@click.command("schema", cls=Verb)
@click.option(
    "-o", "--output", "path", type=click.Path(dir_okay=False, writable=True), metavar="FILE", help="To a file."
)
@click.pass_obj
def schema(app: App, path: str | None) -> int:
    """The JSON Schema of plan files. In VS Code: "yaml.schemas": {"plan.schema.json": "plans/*.yaml"}."""
    import json
    from pathlib import Path

    from provisioner.errors import UsageError
    from provisioner.plan.schema import plan_schema

    tree = plan_schema(app.registry)
    if path is None:
        app.printer.json(tree)
        return 0
    try:
        Path(path).write_text(json.dumps(tree, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as err:
        raise UsageError(f"cannot write {path}: {err.strerror or err}") from err
    app.tell({"path": path}, lambda: [f"wrote {path}"])
    return 0


@click.command("explain", cls=Verb)
@click.argument("word", required=False, metavar="[CODE|TYPE]", shell_complete=completers.codes)
@click.pass_obj
def explain(app: App, word: str | None) -> int:
    """What an error code, a finding's id or a type means and what to do; without a word, everything there is."""
    from provisioner.cli.text.types import prose, topics_text, type_text
    from provisioner.errors import UsageError
    from provisioner.operations.explain import about, about_json, topic, topics

    if word is None:
        found = topics()
        app.tell({"topics": [one.json() for one in found]}, lambda: topics_text(found))
        return 0
    one = topic(word)
    if one is not None:
        app.tell(one.json(), lambda: prose(one.text).splitlines())
        return 0
    if word in app.registry:
        made = about(app.registry.type(word))
        app.tell(about_json(made), lambda: type_text(made, app.printer.out.width))
        return 0
    near = app.registry.suggest(word) or next((t.code for t in topics() if word in t.code), "")
    hint = f"did you mean {near!r}?" if near else "provisioner explain lists everything"
    raise UsageError(f"there is no error code, finding or type {word!r}", hint=hint)
