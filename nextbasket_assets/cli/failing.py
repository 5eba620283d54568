"""How a command fails: three lines on stderr (what, why, what to do) and an exit code that says which kind it was."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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


_STANDS = "nextbasket.stands"  # what a command has done for good

STOPPED = "it was stopped. The same command goes on."

_AWS = "Look at the credentials and the region of this machine: `nextbasket doctor`, docs/deploy.md."
_GRANT = "Let this process read and write there, or choose another place (NEXTBASKET_LANDING, NEXTBASKET_LAKE, DAGSTER_HOME)."
_OUT = "Name as --out a place that this process may make and write into, with room for it."


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


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Say of a place that was named as --out, and cannot be written, that another one is to be named."""
    try:
        yield
    except OSError as error:
        what = _WHAT[click.get_current_context().info_name or ""]
        raise CommandFailed(what, f"{out}: {_strerror(error)}", _OUT, FAILED) from error


class Commands(click.Group):
    """A group whose commands fail in three lines, whichever of our errors it was, or of AWS's."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (CommandFailed, click.UsageError, BrokenPipeError):
            raise
        except KeyboardInterrupt as error:
            raise CommandFailed(_what(ctx), *facts_and_remedy(STOPPED), FAILED) from error
        except click.ClickException as error:
            raise CommandFailed(_what(ctx), *facts_and_remedy(error.message), FAILED) from error
        except Exception as error:
            known = why_and_remedy(error)
            if known is None:
                raise
            what = f"{error.what} failed." if hasattr(error, "what") else _what(ctx)
            code = error.exit_code if isinstance(error, NextbasketError) else FAILED
            raise CommandFailed(what, *known, code) from error

    def list_commands(self, _: click.Context) -> list[str]:
        """The commands in the order of the work."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The exit codes, as a table."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


def why_and_remedy(error: Exception) -> tuple[str, str] | None:
    """Why something was not done, and what to do; None for an error that is a fault of this code.

    >>> why_and_remedy(OSError("When reading information for key 'lake': no credentials"))[0]
    "When reading information for key 'lake': no credentials."
    """
    if isinstance(error, NextbasketError):
        return facts_and_remedy(str(error))
    if _is_of("botocore", error):
        return f"AWS: {_line(error)}", _AWS
    if _is_of("sqlalchemy", error):
        return f"Dagster's storage of runs: {str(error).splitlines()[0]}.", _GRANT
    if isinstance(error, OSError):
        known = f"{error.filename or 'A file'}: {error.strerror}." if error.strerror else _line(error)
        return known, _GRANT
    return None


def _is_of(package: str, error: Exception) -> bool:
    return any(kind.__module__.startswith(f"{package}.") for kind in type(error).__mro__)


def _strerror(error: OSError) -> str:
    return f"{error.strerror}." if error.strerror else _line(error)


def _line(error: Exception) -> str:
    """What it says, in one line, with a full stop."""
    return f"{' '.join(str(error).split()).rstrip('.')}."


def stands(what: str) -> None:
    """Say this of the running command if it fails from now on: it has changed something that stays."""
    click.get_current_context().meta[_STANDS] = what


def _what(ctx: click.Context) -> str:
    if _STANDS in ctx.meta:
        return str(ctx.meta[_STANDS])
    name = ctx.invoked_subcommand or ""
    return _WHAT.get(name, f"nextbasket {name} stopped.")
