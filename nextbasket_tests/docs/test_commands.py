"""Each command of the pages is one that exists: its program, options, files and settings."""

import re
from itertools import pairwise
from pathlib import Path

import click
import pytest

from nextbasket_assets.cli.main import main
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.settings.reading import SETTINGS
from nextbasket_tests.docs.commands import ROOT, Command, documented
from nextbasket_tests.docs.rules import NOT_RUN, RUN

COMMANDS = documented()
FOLDERS = ("deploy/", "docs/", "benchmarks/", "nextbasket_assets/", "nextbasket_tests/")


def ids(command: Command) -> str:
    return f"{command.page}: {command.text[:60]}"


def test_the_pages_show_commands() -> None:
    """The pages are read: the main job, the landing and the deployment are among what is found."""
    found = {command.key for command in COMMANDS}

    assert found >= {"make demo", "make test", "nextbasket land", "nextbasket erase", "terraform"}


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_a_command_is_run_or_says_why_not(command: Command) -> None:
    """No command stands in a page that nothing tests."""
    assert (command.key in RUN) != (command.key in NOT_RUN), (
        f"{command.page} shows {command.text!r}, and nextbasket_tests/docs/rules.py does not know `{command.key}`. "
        "Add it to RUN, with the arguments that make it small, or to NOT_RUN, with the reason."
    )


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_what_a_command_names_is_there(command: Command) -> None:
    """Its subcommand, options, make target, files, Terraform variables and settings exist in this repository."""
    problem = (
        {"nextbasket": nextbasket, "make": make, "python": python, "terraform": terraform}.get(
            command.words[0], lambda _: None
        )(command)
    ) or files_and_settings(command)

    assert problem is None, f"{command.page}: {command.text!r}: {problem}. Correct the page, or the code."


def nextbasket(command: Command) -> str | None:
    return options_of(main, list(command.words[1:]))


def options_of(group: click.Group, words: list[str]) -> str | None:
    """What is wrong with these words as arguments of a click command; None for nothing."""
    if words[0].startswith("-"):
        return None if words[0] in ("--help", "-h") else f"there is no option {words[0]}"
    found = group.commands.get(words[0])
    if found is None:
        return f"there is no command {words[0]}"
    rest = words[1:]
    if isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        return options_of(found, rest)
    try:
        found.make_parser(click.Context(found)).parse_args(rest)
    except click.UsageError as error:
        return error.message
    return None


def make(command: Command) -> str | None:
    """The target is in the Makefile, and ARGS fit the command that its recipe starts."""
    recipe = re.search(
        rf"^{re.escape(command.words[1])}:.*\n((?:\t.*\n)*)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    if recipe is None:
        return f"there is no target {command.words[1]}"
    started = re.search(r"/nextbasket (\w+)", recipe[1])
    given = [word.removeprefix("ARGS=").split() for word in command.arguments if word.startswith("ARGS=")]
    return options_of(main, [started[1], *given[0]]) if started and given else None


def python(command: Command) -> str | None:
    if command.words[1] == "-m":
        path = ROOT / Path(*command.words[2].split("."))
        path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    else:
        path = ROOT / command.words[1]
    if not path.is_file():
        return f"there is no {path.relative_to(ROOT)}"
    source = path.read_text()
    missing = [word for word in command.words if word.startswith("--") and word.split("=")[0] not in source]
    return f"{path.name} has no option {missing[0]}" if missing else None


def terraform(command: Command) -> str | None:
    words, folder = list(command.words), ROOT / "deploy" / "terraform"
    named = [word.split("=")[0] for before, word in pairwise(words) if before == "-var"]
    if "output" in words:
        named += [word for word in words[2:] if not word.startswith("-")]
    declared = re.findall(
        r'^(?:variable|output) "(\w+)"', "".join(p.read_text() for p in folder.glob("*.tf")), re.MULTILINE
    )
    missing = [name for name in named if name not in declared]
    return f"Terraform has no {missing[0]}" if missing else None


def files_and_settings(command: Command) -> str | None:
    gone = [
        word for word in command.words if word.startswith(FOLDERS) and "*" not in word and not (ROOT / word).exists()
    ]
    gone = [word for word in gone if not word.endswith("settings.env")]  # made from settings.env.example
    if gone:
        return f"there is no {gone[0]}"
    known = {f"NEXTBASKET_{name}" for name in SETTINGS}
    known |= {f"NEXTBASKET_EMR_{field.upper()}" for field in EmrSettings.model_fields}
    unknown = [name for name in re.findall(r"NEXTBASKET_[A-Z_]+", command.text) if name not in known]
    return f"there is no setting {unknown[0]}" if unknown else None
