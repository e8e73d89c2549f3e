"""The command line: parse, call, show."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import hubwise
from hubwise.domain.errors import did_you_mean

if TYPE_CHECKING:
    from typer._click import Context

__all__ = ["app", "main"]

# Where each command is: its module is imported when it is asked for, and no other.
_COMMANDS = {
    "plan": "commands",
    "study": "commands",
    "frontier": "commands",
    "evaluate": "commands",
    "replay": "commands",
    "verdict": "commands",
    "audit": "commands",
    "statement": "commands",
    "export": "commands",
    "zones": "commands",
    "scenario": "scenario",
    "site": "site",
    "station": "site",
    "driver": "site",
    "token": "site",
    "user": "site",
    "serve": "serve",
    "simulate": "serve",
    "status": "serve",
    "doctor": "operate",
    "backup": "operate",
    "restore": "operate",
}
# Commands that need the extra ``serve``, and how it is got, from a clone or else.
_SERVE = (
    *("site", "station", "driver", "user", "token", "serve", "simulate", "status"),
    *("doctor", "backup", "restore"),
)
_GET_SERVE = (
    "install what serves: pip install 'hubwise[serve]', from a clone pip install -e '.[serve]'"
)


class _Commands(TyperGroup):
    """Commands that are imported when they are asked for."""

    def invoke(self, ctx: Context) -> object:
        """Run what was asked for; what pydantic says of an option is said in our own words."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _in_plain_words(error)
            raise

    def list_commands(self, ctx: object) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperGroup | TyperCommand | None:  # noqa: ARG002
        if cmd_name.startswith("-"):
            return None
        if cmd_name not in _COMMANDS:
            right = did_you_mean(cmd_name, _COMMANDS)
            raise typer.BadParameter(f"{cmd_name!r} is no command — {right}")
        try:
            module = import_module(f"hubwise.cli.{_COMMANDS[cmd_name]}")
        except ModuleNotFoundError as error:
            if cmd_name not in _SERVE or (error.name or "").startswith("hubwise"):
                raise
            return _without_serve(cmd_name, (error.name or "").split(".")[0])
        group = get_command(module.app)
        assert isinstance(group, TyperGroup), "every module has several commands"
        found = group if module.app.info.name == cmd_name else group.commands[cmd_name]
        assert isinstance(found, TyperGroup | TyperCommand)
        return found


def _in_plain_words(error: typer.BadParameter) -> str:
    """What is wrong with a value, and what would be right."""
    from pydantic import ValidationError  # rooms that no other command line waits for

    from hubwise.scenario.messages import explain

    if not isinstance(error.__cause__, ValidationError):
        return error.message
    detail = error.__cause__.errors()[0]
    if detail["type"] == "value_error":  # a sentence of its own, behind pydantic's two words
        return str(detail["ctx"]["error"])
    return "; ".join(explain(detail))


def _without_serve(cmd_name: str, missing: str) -> TyperCommand:
    """What stands for a command whose packages are not installed: all else works, and is listed."""

    def refuse() -> None:
        typer.echo(f"{missing} is not installed — {_GET_SERVE}", err=True)
        raise typer.Exit(2)

    return TyperCommand(
        cmd_name,
        callback=refuse,
        help="Not installed: part of the extra ``serve``.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        add_help_option=False,
    )


app = typer.Typer(
    name="hubwise",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Exit codes: 0 fine; 1 finished, but a promise, a limit or an audit check does not "
    "hold; 2 bad input; 130 interrupted.",
)


@app.callback(invoke_without_command=True)
def hubwise_command(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Price, plan, check and bill a smart EV-charging hub."""
    if version:
        typer.echo(f"hubwise {hubwise.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; a polite kill ends like an interrupt, with nothing left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Small matrices gain nothing from threads that wait for each other: a tenth of a year's time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app()
