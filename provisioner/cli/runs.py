"""What every verb that changes something does around its operation: agree, bend the options, tell the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.cli.app import App
from provisioner.cli.options import Chosen, Wishes
from provisioner.cli.work import Bench
from provisioner.errors import InterruptedRunError, UsageError
from provisioner.operations.site import Options, Outcome, Remain
from provisioner.plan.model import Plan


def begin(app: App, wishes: Wishes, verb: str) -> None:
    """UsageError where nobody can be asked; and what a failure before the run says in JSON."""
    if not wishes.yes and (app.json or not app.printer.interactive):
        raise UsageError(
            f"{verb} asks before it changes anything, and there is no terminal to ask on", hint="say --yes"
        )
    blank: dict[str, Any] = {
        "run": None,
        "result": "not-started",
        "changes": [],
        "outputs": {},
        "remains": [],
        "lingers": [],
        "failures": [],
    }
    app.failed |= blank | {"seconds": 0.0}


def ask_first(app: App, yes: bool, question: str) -> bool:
    """The user's word outside of a run; UsageError where nobody can be asked."""
    if yes:
        return True
    if app.json or not app.printer.interactive:
        raise UsageError("this asks before it changes anything, and there is no terminal to ask on", hint="say --yes")
    return app.printer.ask(question)


def options_of(wishes: Wishes, ask: Callable[[Mapping[str, BaseException]], str] | None = None) -> Options:
    """The operation's options."""
    return Options(
        on_failure=wishes.on_failure,
        ask=ask,
        allow_data_loss=wishes.allow_data_loss,
        targets=wishes.targets,
        timeouts=dict(wishes.timeouts),
    )


def agree(app: App, made: Bench, agreed: bool, question: str) -> bool:
    """The user's word. InterruptedRunError where a signal came meanwhile: nothing was changed yet."""
    if made.site.loop.stopping:
        raise InterruptedRunError("stopped by a signal before anything was changed")
    if agreed:
        return True
    with made.progress.suspended(), made.signals.as_usual():
        return app.printer.ask(question)


def consent(app: App, made: Bench, yes: bool, question: str) -> bool:
    """:func:`agree` for verbs that find out only under way whether there is anything to ask.

    UsageError where nobody can be asked.
    """
    if not yes and (app.json or not app.printer.interactive):
        raise UsageError("this asks before it changes anything, and there is no terminal to ask on", hint="say --yes")
    return agree(app, made, yes, question)


def finish(
    app: App, outcome: Outcome, chosen: Chosen, verb: str, *, plan: Plan | None = None, reveal: bool = False
) -> int:
    """Tells what the run came to: results on stdout, failures on stderr; the exit code."""
    from provisioner.cli.text.outcome import outcome_json, outcome_text

    app.failed |= {"run": outcome.run, "result": outcome.result}
    command = f"provisioner {_again(outcome, verb)} {chosen.words}"
    outcome.remains = [_as_typed(remain, chosen, command) for remain in outcome.remains]
    if app.json:
        app.printer.json(outcome_json(outcome, reveal=reveal))
        return outcome.exit_code
    places = {step.name: str(step.where) for step in plan.steps} if plan is not None else {}
    text = outcome_text(outcome, verb=verb, command=command, reveal=reveal, places=places)
    if outcome.exit_code:
        app.printer.say("", *text)
    else:
        app.printer.show(["", *text])
    return outcome.exit_code


def nothing_there(app: App, deployment: str) -> int:
    """The end of a destroy that has neither a record nor a valid plan to go by."""
    from provisioner.cli.text.outcome import outcome_json

    app.note(f"nothing to destroy: nothing was ever deployed as {deployment!r}")
    app.note("  if its record was lost: mend the plan, and destroy finds by their tags what it made")
    if app.json:
        done = Outcome(deployment=deployment, run=None, result="succeeded", exit_code=0)
        app.printer.json(outcome_json(done))
    return 0


def _as_typed(remain: Remain, chosen: Chosen, command: str) -> Remain:
    """With the commands as this user would type them."""
    import msgspec

    let_go = f"provisioner state rm {chosen.words} {remain.step}"
    return msgspec.structs.replace(remain, command=command, let_go=let_go)


def _again(outcome: Outcome, verb: str) -> str:
    """What takes up what remains: a reverse that failed is a rollback's work."""
    return "rollback" if verb == "deploy" else verb
