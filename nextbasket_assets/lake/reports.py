"""Where the weekly reports lie: one page a week at `reports/week=W/index.html`, beside the tables and on the same storage."""

import html
from datetime import date

import pyarrow.fs

from nextbasket_assets.columns import WEEK
from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.tables import Lake, NotThereError

FOLDER, NAME = "reports", "index.html"


def place(week: date) -> str:
    """A week's report, relative to the lake."""
    return f"{FOLDER}/{WEEK}={week.isoformat()}/{NAME}"


def put(lake: Lake, week: date, page: str) -> str:
    """Write a week's report in place of the former one; readers see the old page or the new one. Its path or URI."""
    with room(lake.uri(place(week)), len(page)):
        lake.storage.put(lake.path(place(week)), page.encode())
    return lake.uri(place(week))


def read(lake: Lake, week: date) -> str:
    """A week's page.

    Raises:
        NotThereError: there is none.
    """
    if lake.filesystem.get_file_info(lake.path(place(week))).type == pyarrow.fs.FileType.NotFound:
        raise NotThereError(
            f"week {week} has no report: it was never made, or an erasure removed it. Materialise weekly_report for it."
        )
    return _text(lake, place(week).removeprefix(f"{FOLDER}/"))


def weeks(lake: Lake) -> list[date]:
    """Weeks that have a report, in order."""
    folders = (name.split("/")[0].split("=")[-1] for name in files(lake) if name.endswith(f"/{NAME}"))
    return sorted(date.fromisoformat(week) for week in folders)


def files(lake: Lake) -> list[str]:
    """Every file below the folder, relative to it, what a killed run left included."""
    selector = pyarrow.fs.FileSelector(lake.path(FOLDER), recursive=True, allow_not_found=True)
    base = lake.path(FOLDER) + "/"
    infos = lake.filesystem.get_file_info(selector)
    return sorted(info.path.removeprefix(base) for info in infos if info.type == pyarrow.fs.FileType.File)


def text_of(lake: Lake, name: str) -> str:
    """What a report says, character by character: a code with an ampersand is found as it is in the tables."""
    return html.unescape(_text(lake, name))


def _text(lake: Lake, name: str) -> str:
    with lake.filesystem.open_input_stream(lake.path(FOLDER, name)) as stream:
        return bytes(stream.read()).decode(errors="replace")  # a killed run leaves half a page
