"""What every verb gets from click: the printer, the home, the registry, and how the result is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from provisioner.cli.render import Printer

if TYPE_CHECKING:
    from provisioner.operations.home import Home
    from provisioner.resource import Registry


class App:
    """One invocation. ``json``: the result is one object on stdout; ``debug``: unexpected errors show their trace."""

    def __init__(self, *, registry: Callable[[], Registry] | None = None) -> None:
        """``registry`` gives the types to work with; by default all of this installation."""
        self._make_registry = registry
        self._registry: Registry | None = None
        self._printer: Printer | None = None
        self.json = False
        self.debug = bool(os.environ.get("PROVISIONER_DEBUG"))
        self.failed: dict[str, Any] = {}
        """What the object of a verb that fails before it has a result says besides the error."""
        self.unchanged = False
        """Nothing can have been changed by this verb, whatever the cloud answered."""

    @property
    def printer(self) -> Printer:
        """To the standard streams as they are when it is first used."""
        if self._printer is None:
            self._printer = Printer()
        return self._printer

    @property
    def registry(self) -> Registry:
        if self._registry is None:
            if self._make_registry is None:
                from provisioner.drivers.typemap import registry

                self._make_registry = registry
            self._registry = self._make_registry()
        return self._registry

    @property
    def home(self) -> Home:
        from provisioner.operations.home import Home

        return Home.find()

    def tell(self, result: dict[str, Any], text: Callable[[], list[str]]) -> None:
        """The result, as the user wants it."""
        if self.json:
            self.printer.json(result)
        else:
            self.printer.show(text())

    def note(self, text: str) -> None:
        """Something to know, on stderr."""
        from provisioner.cli.style import dim

        self.printer.say(dim(text))

    def warn(self, text: str) -> None:
        from provisioner.cli.style import warn

        self.printer.say(f"{warn('warning:')} {text}")
