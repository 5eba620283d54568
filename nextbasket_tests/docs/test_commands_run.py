"""The commands of the pages that fit a laptop are typed in a small shop, from a till's export to erasure, and each ends well."""

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.cli.main import main
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.landing import week_code
from nextbasket_tests.docs.commands import ROOT, Command, documented
from nextbasket_tests.docs.corner_shop import CornerShop
from nextbasket_tests.docs.rules import RUN
from nextbasket_tests.small_spark import IN_ALL_JVMS

CUSTOMERS, WEEKS = 200, 14
SETTINGS = {
    "NEXTBASKET_LANDING": "corner_shop",
    "NEXTBASKET_FIRST_WEEK": "2024-01-08",
    "NEXTBASKET_LAST_WEEK": "open",
    "NEXTBASKET_DRIVER_MEMORY": "1g",
}
FIRST = ("shop", "land", "demo")  # what makes the shop comes first
REASONS = ("WHY", "...")  # that the pages leave to the reader
LAST = ("rollback", "promote", "erase")  # and what takes from it last


def typed(command: Command) -> list[str]:
    """The arguments of `nextbasket` that the command stands for; those of the recipe for a make target.

    A week that the page names is the shop's own, so commands that differ in nothing else are one.
    """
    words = command.words[1:]
    if command.words[0] == "make":
        given = [word.removeprefix("ARGS=").split() for word in command.arguments if word.startswith("ARGS=")]
        words = (command.words[1], *(given[0] if given else []))
    return ["because" if word in REASONS else re.sub(r"\b20\d{4}\b", "YYYYWW", word) for word in words]


def whole(command: Command) -> bool:
    """Whether nothing that the command needs is missing: the text also names commands without their arguments."""
    needed = main.commands[command.words[1]].params if command.words[1] in main.commands else []
    return len(command.words) > 2 or not any(param.required for param in needed)


def to_run() -> list[tuple[str, ...]]:
    """Each different command that is run, once; before the others what makes the shop."""
    commands = [command for command in documented() if command.key in RUN and whole(command)]
    found = dict.fromkeys((*typed(command), *RUN[command.key]) for command in commands)
    return sorted(found, key=lambda words: FIRST.index(words[0]) if words[0] in FIRST else len(FIRST))


def by_champion(commands: list[tuple[str, ...]], champion: bool) -> list[tuple[str, ...]]:
    """The commands that look, those that change the champion around them: one must be there for what is asked of a model."""
    first, last = (), LAST
    if not champion:  # the gate found none good enough in so small a shop
        first, last = ("promote",), ("rollback", "erase")
    place = {name: index - len(first) for index, name in enumerate(first)} | {n: 1 + i for i, n in enumerate(last)}
    return sorted(commands, key=lambda words: place.get(words[0], 0))


def filled(words: tuple[str, ...], lake: Lake) -> list[str]:
    """The command with the placeholders of the pages replaced by what the shop has."""
    known = {"SOURCE...": "weekly", "LANDING": "weekly_landing", "YYYYWW": "202408"}
    if weeks := lake.weeks("next_basket_scores"):
        model = [one for one in registry.decisions(lake, "rnn_model") if one.decision == "trained"][-1]
        known |= {
            "CODE": lake.read("customer_sequences", weeks[-1:]).sort_by("customer")["customer"][-1].as_py(),
            "VERSION": model.version,
            "M03": lake.read("mission_topics", [model.week])["mission"][0].as_py(),
            "YYYYWW": week_code(model.week),
        }
    return [known.get(word, word) for word in words]


def typing(root: Path, arguments: list[str]) -> str | None:
    """What the command says when it fails; None when it ends well."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("NEXTBASKET_", "DAGSTER_"))}
    program = [sys.executable, "-c", "from nextbasket_assets.cli.main import main; main(prog_name='nextbasket')"]
    done = subprocess.run(
        [*program, *arguments],
        cwd=root,
        env=inherited | SETTINGS | IN_ALL_JVMS | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    return f"nextbasket {' '.join(arguments)}: {(done.stdout + done.stderr)[-800:]}" if done.returncode else None


@pytest.mark.slow
def test_every_documented_command_runs(tmp_path: Path) -> None:
    """Typed one after the other in a small shop, each command of README.md and docs/ ends without an error."""
    CornerShop(tmp_path).write(CUSTOMERS, WEEKS)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    lake = Lake(str(tmp_path / ".nextbasket" / "corner_shop" / "lake"))
    commands = [words for words in to_run() if "MAPPING.yaml" not in words]  # its examples are run instead
    makers, others = ([words for words in commands if (words[0] in FIRST) == wanted] for wanted in (True, False))
    failures = [typing(tmp_path, filled(words, lake)) for words in makers]
    champion = registry.promoted(lake, "rnn_model", date.max) is not None
    failures += [typing(tmp_path, filled(words, lake)) for words in by_champion(others, champion)]

    assert not [failure for failure in failures if failure]
