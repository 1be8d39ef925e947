"""``rollback`` and ``destroy``: back to the deployment before, and back to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from provisioner.cli.app import App
from provisioner.cli.lazy import Verb
from provisioner.cli.options import Chosen, Wishes, plan_options, run_options

if TYPE_CHECKING:
    from provisioner.cli.work import Bench
    from provisioner.state.records import Record, Run, State


@click.command("rollback", cls=Verb)
@plan_options
@run_options(targets=False)
@click.pass_obj
def rollback(app: App, chosen: Chosen, wishes: Wishes) -> int:
    """Returns to the deployment before the last run, from the record alone.

    What that run created is deleted, what it changed gets its earlier values, what it deleted is made again (without
    its data).
    """
    from provisioner.cli.records import recorded
    from provisioner.cli.runs import begin, finish, options_of
    from provisioner.cli.work import bench, choose_cloud, plan_if_valid
    from provisioner.operations import reversal

    begin(app, wishes, "rollback")
    plan, deployment = plan_if_valid(app, chosen)
    recorded(app, chosen, deployment, plan)
    choose_cloud(app, sandbox=chosen.sandbox)
    with bench(app, chosen, wishes, deployment, plan, "rollback") as made:
        outcome = reversal.rollback(made.site, plan, options_of(wishes), _confirm_rollback(app, wishes, made))
    return finish(app, outcome, chosen, "rollback", plan=plan)


def _confirm_rollback(app: App, wishes: Wishes, made: Bench) -> Callable[[Run], bool]:
    from provisioner.cli.runs import agree
    from provisioner.cli.text.record import rollback_text

    def confirm(target: Run) -> bool:
        state = made.site.store.state
        if not app.json:
            app.printer.say(*rollback_text(state.deployment, target, made.site.clock.wall()), "")
        return agree(app, made, wishes.yes, f"Roll {state.deployment} back?")

    return confirm


@click.command("destroy", cls=Verb)
@plan_options
@run_options()
@click.pass_obj
def destroy(app: App, chosen: Chosen, wishes: Wishes) -> int:
    """Removes everything that was deployed, from the record alone.

    Databases leave a final snapshot, and one that has deletion protection refuses, unless --allow-data-loss is given.
    """
    from provisioner.cli.records import anywhere, recorded
    from provisioner.cli.runs import begin, finish, nothing_there, options_of
    from provisioner.cli.work import bench, choose_cloud, plan_if_valid
    from provisioner.operations import destroy as operation

    begin(app, wishes, "destroy")
    plan, deployment = plan_if_valid(app, chosen)
    # With a valid plan what is ours is found by its tag, even where the record was lost.
    if plan is None and not anywhere(app, chosen, deployment):
        return nothing_there(app, deployment)
    if plan is None or anywhere(app, chosen, deployment):
        recorded(app, chosen, deployment, plan)
    choose_cloud(app, sandbox=chosen.sandbox)
    with bench(app, chosen, wishes, deployment, plan, "destroy") as made:
        outcome = operation.destroy(made.site, plan, options_of(wishes), _confirm_destroy(app, wishes, made))
    return finish(app, outcome, chosen, "destroy", plan=plan)


def _confirm_destroy(app: App, wishes: Wishes, made: Bench) -> Callable[[list[Record]], bool]:
    from provisioner.cli.runs import agree
    from provisioner.cli.text.record import destroy_text

    def confirm(records: list[Record]) -> bool:
        state: State = made.site.store.state
        if records and not app.json:
            lines = destroy_text(state.deployment, records, app.registry, keep=not wishes.allow_data_loss)
            app.printer.say(*lines, "")
        return agree(app, made, wishes.yes or not records, f"Destroy {state.deployment}?")

    return confirm
