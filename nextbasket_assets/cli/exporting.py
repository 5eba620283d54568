"""`nextbasket export`: a week's lists as files, where one wants them and as one wants them."""

import errno
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nextbasket_assets.cli.failing import writing
from nextbasket_assets.cli.opened import lake_of, names_of, show, week_in
from nextbasket_assets.cli.options import json_option, week_option
from nextbasket_assets.cli.settled import settled

if TYPE_CHECKING:
    from nextbasket_assets.exports.settings import ItemList
    from nextbasket_assets.settings.reading import Settings

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@week_option
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to make; it must not be there yet.")
@click.option("--length", type=click.Choice(["fixed", "own"]), help="own: as many items as the customer will buy.")
@click.option("--k", type=int, help="Items on a list, at most; all that were scored without it.")
@click.option("--shortest", type=int, help="Items on a list of its own length, at least.")
@click.option("--allow", type=_FILE, help="File of item codes, one a line: only these.")
@click.option("--exclude", type=_FILE, help="File of item codes, one a line: none of these.")
@click.option("--campaign", help="What the hold-out is drawn for.")
@click.option("--holdout-share", type=float, help="Share of the customers who are left alone.")
@click.option(
    "--csv-guard/--no-csv-guard", default=None, help="An apostrophe before cells that a spreadsheet would run."
)
@json_option
@settled
def export(
    settings: "Settings",
    week: date | None,
    out: Path,
    allow: Path | None,
    exclude: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Export a week's lists as files: parquet and CSV.

    Long and wide, with a data dictionary and a manifest.
    What is not given is as the landing folder's export.yaml says, or as docs/scores.md does.
    """
    from nextbasket_assets.exports.week import export_week
    from nextbasket_assets.lake.exports import week_of_scores
    from nextbasket_assets.resources.export_settings import export_settings
    from nextbasket_assets.resources.landing import LandingResource

    _require_free(out, settings)
    lake, folder = lake_of(settings), LandingResource(uri=settings.landing).folder()
    given |= {name: _items(path) for name, path in (("allow", allow), ("exclude", exclude)) if path}
    options = export_settings(folder, given)
    made = week_of_scores(lake, week_in(lake, "next_basket_scores", week), names_of(settings).names)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as new:
            files = Path(new) / "files"
            files.mkdir()
            manifest = export_week(files, made, options)
            _rename(files, out)
    show(manifest, lambda: said(manifest, out), as_json)


def _require_free(out: Path, settings: "Settings") -> None:
    """Refuse a place where no export may be made."""
    if ":/" in str(out):
        raise click.UsageError(
            f"{out} is no folder of this machine. A lake in a bucket has its exports there: exports/week=..."
        )
    if "://" not in settings.lake and out.resolve().is_relative_to(settings.lake):
        raise click.UsageError(f"{out} is inside the lake, whose folders are the runs' own. Choose a folder outside.")
    if out.exists():
        _refuse(out)


def _rename(made: Path, out: Path) -> None:
    """Put a folder in its place in one step; a folder that appeared there meanwhile is left alone."""
    try:
        made.rename(out)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR) and out.exists():
            _refuse(out)
        raise


def _refuse(out: Path) -> NoReturn:
    raise click.UsageError(f"{out} is there already. Choose a folder that is not, or remove it.")


def _items(path: Path) -> "ItemList":
    from nextbasket_assets.exports.settings import read_items

    return read_items(path.name, path.read_bytes())


def said(manifest: dict[str, Any], out: Path) -> str:
    """What was exported, and what somebody should know about it."""
    counts = manifest["counts"]
    lines = [
        f"Week {manifest['retail_week']}: {counts['rows']:,} items for {counts['customers']:,} customers in {out}",
        *(f"  {file['file']:<22}{file['rows']:>12,} rows{file['bytes']:>14,} bytes" for file in manifest["files"]),
    ]
    if counts["customers_held_out"]:
        campaign = manifest["settings"]["campaign"]
        lines.append(f"{counts['customers_held_out']:,} customers are held out of {campaign!r}: column holdout")
    if counts["lists_shorter_than_wanted"]:
        short, empty = counts["lists_shorter_than_wanted"], counts["lists_empty"]
        lines.append(f"{short:,} lists are shorter than wanted, {empty:,} of them empty: fewer items were left")
    for name, unknown in manifest["unknown_items"].items():
        if unknown["count"]:
            lines.append(f"{unknown['count']:,} codes of the {name} list are unknown: {', '.join(unknown['first'])}")
    return "\n".join(lines)
