"""`nextbasket doctor`: whether this machine and its places can do the work, and what to do where they cannot."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from nextbasket_assets.cli.failing import CommandFailed
from nextbasket_assets.cli.opened import show
from nextbasket_assets.cli.options import json_option
from nextbasket_assets.cli.settled import settled
from nextbasket_assets.errors import RED

if TYPE_CHECKING:
    from rich.table import Table

    from nextbasket_assets.cli.health import Finding
    from nextbasket_assets.settings.reading import Settings

_STYLES = {"ok": "green", "warning": "yellow", "wrong": "bold red"}


@click.command()
@json_option
@settled
def doctor(settings: "Settings", as_json: bool) -> None:
    """Check this machine, the landing folder and the lake.

    Java, memory, disk, versions, landing, lake, the place of runs, and the credentials where the deployment is emr.
    """
    from nextbasket_assets.cli.health import WRONG, examine

    findings = examine(settings)
    wrong = [finding.about for finding in findings if finding.state == WRONG]
    answer = {"healthy": not wrong, "findings": [asdict(finding) for finding in findings]}
    show(answer, lambda: _table(findings), as_json)
    if wrong:
        facts = f"{len(wrong)} of {len(findings)} things are wrong: {', '.join(wrong)}."
        raise CommandFailed("The platform cannot work here.", facts, "See the last column above.", RED)


def _table(findings: "list[Finding]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True)
    table.add_column("what", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("why", ratio=3, overflow="fold")
    table.add_column("what to do", ratio=2, overflow="fold")
    for one in findings:
        table.add_row(one.about, Text(one.state, _STYLES[one.state]), Text(one.why), Text(one.to_do))
    return table
