"""The runbook has an entry for each error that the code raises and for each check that can be red."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.settings.reading import settings

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "runbook.md"
PARTS = ("shop",)  # their errors are the usage of a command


def raised() -> list[tuple[str, str]]:
    """(place, message) of every error that is raised with a text; what is filled in is an ellipsis."""
    found = []
    for path in sorted((ROOT / "nextbasket_assets").rglob("*.py")):
        if path.relative_to(ROOT / "nextbasket_assets").parts[0] in PARTS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                message = text_of(node.exc.args[0])
                if re.search(r"[a-z]{3,} [a-z]", message):
                    found.append((f"{path.relative_to(ROOT)}:{node.lineno}", message))
    return found


def text_of(argument: ast.expr) -> str:
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return "".join(
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "…" for part in parts
    )


def phrases() -> list[str]:
    """Key phrases of the entries: what stands in backticks in the first column; an ellipsis stands for anything."""
    rows = [row for row in RUNBOOK.read_text().splitlines() if row.startswith("| `")]
    return [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def covers(phrase: str, message: str) -> bool:
    return re.search(".*".join(map(re.escape, phrase.split("…"))), message) is not None


@pytest.mark.parametrize(("place", "message"), raised(), ids=lambda value: value[:60])
def test_every_error_has_an_entry(place: str, message: str) -> None:
    """Somebody who meets the error at night finds what it means, what is safe, and what to do."""
    assert any(covers(phrase, message) for phrase in phrases()), (
        f"{place} raises {message!r}, and docs/runbook.md has no entry for it. Add a row to the table of its group: "
        "| `a phrase of the message, … for what is filled in` | what it means | what is safe | what to do |"
    )


@cache
def checks() -> frozenset[str]:
    """Names of all asset checks."""
    repository = build_definitions(settings({})).get_repository_def()
    return frozenset(key.name for key in repository.asset_graph.asset_check_keys)


def test_every_check_has_an_entry() -> None:
    """Each asset check of the definitions is named in the runbook."""
    missing = sorted(name for name in checks() if not any(covers(phrase, name) for phrase in phrases()))

    assert len(checks()) > 20
    assert not missing, f"docs/runbook.md has no row for the check(s) {missing}: add them to the table of checks"


def test_no_entry_is_for_an_error_that_is_gone() -> None:
    """Every phrase of the runbook is in some message, or is the name of a check."""
    known = [message for _, message in raised()] + sorted(checks())
    stale = [phrase for phrase in phrases() if not any(covers(phrase, text) for text in known)]

    assert not stale, f"docs/runbook.md explains {stale}, which nothing raises: correct the phrase or remove the row"
