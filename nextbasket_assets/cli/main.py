"""`nextbasket`: the group of all commands, in the order of the work. Each family has its file; a command is a line here."""

import sys
from io import TextIOWrapper

import click

from nextbasket_assets.cli.care import erase, promote, rollback
from nextbasket_assets.cli.doctor import doctor
from nextbasket_assets.cli.exporting import export
from nextbasket_assets.cli.failing import Commands
from nextbasket_assets.cli.land import land
from nextbasket_assets.cli.looking import customer, evaluation, missions
from nextbasket_assets.cli.report import report
from nextbasket_assets.cli.shop import shop
from nextbasket_assets.cli.warming import warm
from nextbasket_assets.cli.working import demo, score, ui


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def main() -> None:
    """Weekly transactions in, next-basket scores out."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name in letters that this terminal lacks costs the letters only


main.add_command(demo)
main.add_command(shop)
main.add_command(land)
main.add_command(score)
main.add_command(export)
main.add_command(missions)
main.add_command(customer)
main.add_command(evaluation)
main.add_command(report)
main.add_command(promote)
main.add_command(rollback)
main.add_command(erase)
main.add_command(ui)
main.add_command(doctor)
main.add_command(warm)
