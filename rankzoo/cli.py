"""The command line: `python -m rankzoo COMMAND`, the same things as the app without a browser.

Results go to standard output, progress and notices to standard error. Exit status 0; 2 with one plain sentence for what a
person did wrong; 130 after Ctrl-C. A command's module is imported when it is called, and its libraries inside it, so that
`runs list` does not wait for torch.
"""
from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence

import click

from rankzoo.commands.output import shown
from rankzoo.errors import ZooError, closest

LONGEST = 300
"""Letters of settings that a sentence still names."""
COMMANDS: Mapping[str, str] = {
    "list": "rankzoo.commands.zoo:list_systems", "show": "rankzoo.commands.zoo:show",
    "train": "rankzoo.commands.train:train", "inspect": "rankzoo.commands.inspect:inspect_run",
    "runs": "rankzoo.commands.runs:runs", "data": "rankzoo.commands.data:data", "check": "rankzoo.commands.check:check",
    "serve": "rankzoo.commands.serve:serve", "doctor": "rankzoo.commands.doctor:doctor",
    "experiment": "rankzoo.commands.experiment:experiment", "compare": "rankzoo.commands.compare:compare",
    "export": "rankzoo.commands.export:export", "bench": "rankzoo.commands.bench:bench"}


class Zoo(click.Group):
    """The group of all commands, and the one place where an error becomes a sentence and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        return getattr(importlib.import_module(module), name)

    def resolve_command(self, ctx: click.Context, args: list[str]):
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise ZooError("There is no command '{name}'.", closest(args[0], list(COMMANDS)) or "Choose one of: {known}.",
                           name=args[0][:40], known=", ".join(COMMANDS))
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, complete_var: str | None = None,
             standalone_mode: bool = True, windows_expand_args: bool = True) -> None:
        """Run a command and leave the process with its exit status."""
        args = list(sys.argv[1:] if args is None else args)
        try:
            status = super().main(args, prog_name or "python -m rankzoo", complete_var, False, windows_expand_args)
        except ZooError as error:
            status = refused(f"{error} {offered(error)}", error.at, args)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else "")
            status = 2
        except click.ClickException as error:
            status = refused(error.format_message(), "", args)
        except (KeyboardInterrupt, click.Abort):
            status = 130
        except BrokenPipeError:  # whoever read our output had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            status = 0
        except OSError as error:
            status = refused(f"A file could not be read or written: {error.strerror or error}.", "", args)
        except MemoryError:
            status = refused("There is not enough memory for this. Use a smaller model or fewer rows.", "", args)
        sys.exit(status if isinstance(status, int) else 0)


def offered(error: ZooError) -> str:
    """The nearest value that may stand there, as --set takes it, where one is known."""
    if "Did you mean" in error.fix or not all(path for path, _ in error.cure):
        return ""
    changes = ((path.removeprefix("blueprint."), json.dumps(value, separators=(",", ":"))) for path, value in error.cure)
    written = " and ".join(map("=".join, changes))
    return f"The nearest: {written}." if error.cure and len(written) <= LONGEST else ""


def refused(say: str, at: str, args: Sequence[str]) -> int:
    """Say why on standard error, and with --json also as JSON on standard output; returns the exit status."""
    say = shown(" ".join(say.split()))
    if "--json" in args:
        click.echo(json.dumps({"ok": False, "say": say, "at": at}))
    click.echo(say, err=True)
    return 2


@click.command(cls=Zoo, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
def cli() -> None:
    """RankZoo: pick a ranking model, change it, train it, look inside."""
