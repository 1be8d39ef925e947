"""The one place where exceptions end: each becomes a text for people or an object for programs, and an exit code.

Object: ``{"error": {"code", "message", "where", "hint", "causes": […], "findings": […]}, "exit_code": n}``, with what
the verb already knew beside it. An answer of a cloud that came before anything was changed is exit code 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from provisioner.cli.app import App
from provisioner.cli.style import bad, dim, warn
from provisioner.errors import CloudError, PlanError, ProvisionerError, RefusedError, StateWriteError, StepError

INTERRUPTED = 130
NOTHING_CHANGED = 3
_UNEXPECTED = "this is a defect in provisioner; please report it (--debug shows the trace)"


def guarded(app: App, work: Callable[[], Any]) -> int:
    """The exit code of ``work``, whatever it raises but SystemExit."""
    try:
        code = work()
    except click.Abort:
        return _told(app, "interrupted", "interrupted; nothing was changed", "", INTERRUPTED)
    except click.ClickException as err:
        return _usage(app, err)
    except ProvisionerError as err:
        return _ours(app, err)
    except KeyboardInterrupt:
        return _told(app, "interrupted", "interrupted", "", INTERRUPTED)
    except Exception as err:
        return _unexpected(app, err)
    return code if isinstance(code, int) else 0


def _told(app: App, code: str, message: str, hint: str, exit_code: int, **more: Any) -> int:
    if app.json:
        error = {"code": code, "message": message, "where": "", "hint": hint, "causes": [], "findings": [], **more}
        app.printer.json({**app.failed, "error": error, "exit_code": exit_code})
    else:
        app.printer.say(f"{bad('error:')} {message}", *([f"  {dim('do:')} {hint}"] if hint else []))
    return exit_code


def _usage(app: App, err: click.ClickException) -> int:
    ctx = getattr(err, "ctx", None)
    hint = f"{ctx.command_path} --help" if isinstance(ctx, click.Context) else "provisioner --help"
    return _told(app, "usage", err.format_message(), hint, err.exit_code)


def _ours(app: App, err: ProvisionerError) -> int:
    from provisioner.cli.text.findings import findings_json, findings_text

    early = app.unchanged and isinstance(err, CloudError | StepError)
    exit_code = NOTHING_CHANGED if early else err.exit_code
    if early:
        app.failed.setdefault("result", "not-started")
    if app.json:
        findings = findings_json(err.findings) if isinstance(err, PlanError) else []
        facts = {"where": err.where, "causes": causes(err), "findings": findings}
        _told(app, err.code, err.message, err.hint, exit_code, **facts)
    elif isinstance(err, PlanError):
        app.printer.say(*findings_text(err.findings, sources=app.printer.err.terminal), "", bad(str(err)))
    else:
        app.printer.say(*error_text(err))
    if isinstance(err, StateWriteError) and err.unwritten:
        app.printer.say(warn("these records did not reach the disk; keep them:"), *err.unwritten)
    _trace(app, err)
    return exit_code


def error_text(err: ProvisionerError) -> list[str]:
    """Where and what, why, and what to do next."""
    refused = isinstance(err, RefusedError)
    said, *more = err.message.split("; ") if refused else [str(err)]
    lines = [f"{bad('refused:' if refused else 'error:')} {said}", *(f"         {reason}" for reason in more)]
    lines += [f"  {dim('because:')} {cause}" for cause in causes(err)]
    if err.hint:
        lines.append(f"  {dim('do:')} {err.hint}")
    if err.code not in ("error", "usage"):
        lines.append(f"  {dim('more:')} provisioner explain {err.code}")
    return lines


def causes(err: BaseException) -> list[str]:
    """What led to it, outermost first; what only repeats the message is left out."""
    found: list[str] = []
    text, cause = str(err), err.__cause__
    while cause is not None:
        said = str(cause) if isinstance(cause, ProvisionerError) else f"{type(cause).__name__}: {cause}"
        if str(cause) and str(cause) not in text and not _retold(err, cause):
            found.append(said)
            text += said
        cause = cause.__cause__
    return found


def _retold(err: BaseException, cause: BaseException) -> bool:
    """A translated answer of a cloud has all that its original says."""
    return isinstance(err, CloudError) and bool(err.cloud_code) and err.cloud_code in str(cause)


def _unexpected(app: App, err: Exception) -> int:
    _told(app, "unexpected", f"{type(err).__name__}: {err}", _UNEXPECTED, 1)
    _trace(app, err)
    return 1


def _trace(app: App, err: BaseException) -> None:
    if app.debug:
        import traceback

        app.printer.say("".join(traceback.format_exception(err)).rstrip())
