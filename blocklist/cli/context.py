"""The context of every command: the configuration, the service over the data folder, and the actor."""

from __future__ import annotations

import os
import pwd
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from blocklist.cli.output import json_option
from blocklist.config.logs import configure_logs
from blocklist.config.settings import Settings, load_settings
from blocklist.service import Service


class Context:
    """Opens the service when a command first needs it, so that ``--help`` works without a data folder."""

    def __init__(self, config: Path | None, data_dir: Path | None) -> None:
        self._config = config
        self._data_dir = data_dir
        #: Whether runs are logged, as the service does; a command prints its result instead.
        self.logs_runs = False

    @cached_property
    def settings(self) -> Settings:
        """The configuration.

        :raises ConfigurationError: it cannot be read.
        """
        settings = load_settings(self._config, self._data_dir)
        configure_logs(settings.log, quiet=not self.logs_runs)
        return settings

    @cached_property
    def service(self) -> Service:
        """The service over the data folder.

        :raises StoreError: the data folder cannot be used.
        """
        return Service(self.settings)

    @cached_property
    def actor(self) -> str:
        """The actor for the audit log: the system's name of the user, whatever the environment contains."""
        user = os.getuid()
        try:
            name = pwd.getpwuid(user).pw_name
        except KeyError:
            # In a container, the user may have no name.
            name = f"user {user}"
        return f"{name} (command line)"

    def close(self) -> None:
        """Close the service, if it was opened."""
        if "service" in self.__dict__:
            self.service.close()


#: The id of a run or an override, at most the largest integer of the database.
id_argument = click.argument("id_", metavar="ID", type=click.IntRange(1, 2**63 - 1))
pass_context = click.make_pass_decorator(Context)


def reads(command: Any) -> Any:
    """Decorate a command that reads: it gets the context, and whether to print JSON (``--json``)."""
    return json_option(pass_context(command))
