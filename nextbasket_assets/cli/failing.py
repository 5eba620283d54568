"""How a command fails: three lines on stderr (what, why, what to do) and an exit code that says which kind it was."""

import sys
from typing import IO, Any

import click

from nextbasket_assets.errors import EXIT_CODES, FAILED, NextbasketError, facts_and_remedy

# What did not happen, by command; the others stopped.
_WHAT = {
    "customer": "The customer is not shown.",
    "demo": "The demo stopped; what it made stays, and the same command goes on from there.",
    "erase": "The erasure is not complete.",
    "evaluation": "The evaluation is not shown.",
    "export": "Nothing was exported.",
    "land": "Nothing was landed.",
    "missions": "The missions are not shown.",
    "promote": "Nothing was promoted.",
    "report": "There is no report to show.",
    "rollback": "Nothing was rolled back.",
    "score": "The week was not scored.",
    "shop": "The shop is not complete.",
    "ui": "The UI did not start.",
}


_GRANT = "Let this process read and write there, or choose another place (NEXTBASKET_LANDING, NEXTBASKET_LAKE, DAGSTER_HOME)."


class CommandFailed(click.ClickException):
    """A command that failed, in three lines."""

    def __init__(self, what: str, why: str, to_do: str, exit_code: int) -> None:
        super().__init__(f"{what} {why} {to_do}")
        self.lines = {"error": what, "why": why, "to do": to_do}
        self.exit_code = exit_code  # type: ignore[misc]  # click means it to be set

    def show(self, file: IO[Any] | None = None) -> None:
        """The three lines."""
        stream = file or sys.stderr
        for name, line in self.lines.items():
            click.echo(f"{click.style(f'{name:<6}', fg='red' if name == 'error' else None, bold=True)} {line}", stream)


class Commands(click.Group):
    """A group whose commands fail in three lines, whichever of our errors it was."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (CommandFailed, click.UsageError, BrokenPipeError):
            raise
        except NextbasketError as error:
            what = f"{error.what} failed." if hasattr(error, "what") else _what(ctx)
            raise CommandFailed(what, *facts_and_remedy(str(error)), error.exit_code) from error
        except click.ClickException as error:
            raise CommandFailed(_what(ctx), *facts_and_remedy(error.message), FAILED) from error
        except OSError as error:
            why = f"{error.filename or 'A file'}: {error.strerror}."
            raise CommandFailed(_what(ctx), why, _GRANT, FAILED) from error

    def list_commands(self, _: click.Context) -> list[str]:
        """The commands in the order of the work."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The exit codes, as a table."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


def _what(ctx: click.Context) -> str:
    name = ctx.invoked_subcommand or ""
    return _WHAT.get(name, f"nextbasket {name} stopped.")
