"""Where the weekly reports lie: one page a week at `reports/week=W/index.html`, beside the tables and on the same storage."""

import html
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import TypeVar

import pyarrow.fs

from nextbasket_assets.columns import WEEK
from nextbasket_assets.lake.space import room
from nextbasket_assets.lake.tables import Lake, NotThereError

FOLDER, NAME = "reports", "index.html"
_PEOPLE = ("customer_sequences", "next_basket_scores", "next_trip_outlook")  # the tables of a page's customers
Facts = TypeVar("Facts")
_CUSTOMER = re.compile(
    r'<h3 id="person-\d+">([^<]*)(?:</h3>|\Z)'
)  # the only elements of a page that introduce a customer


def place(week: date) -> str:
    """A week's report, relative to the lake."""
    return f"{FOLDER}/{_name(week)}"


def _name(week: date) -> str:
    return f"{WEEK}={week.isoformat()}/{NAME}"


def put_newest(lake: Lake, week: date, gather: Callable[[], Facts], render: Callable[[Facts], str]) -> Facts:
    """Replace a week's report by one of its newest tables, again as often as those move meanwhile; what it says.

    An erasure replaces tables before it looks for pages. So it finds a page whose tables have not moved when it is there.
    """
    while True:
        seen = lake.published(week, *_PEOPLE)
        facts = gather()
        page = render(facts)
        if lake.published(week, *_PEOPLE) != seen:
            continue
        try:
            put(lake, week, page)
        except FileNotFoundError:  # an erasure deletes what is half written
            if lake.published(week, *_PEOPLE) == seen:
                raise
        if lake.published(week, *_PEOPLE) == seen:
            return facts
        remove(lake, _name(week))


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
    return _text(lake, _name(week))


def weeks(lake: Lake) -> list[date]:
    """Weeks that have a report, in order."""
    places = (name.rpartition("/") for name in files(lake))
    return sorted(week for folder, _, name in places if name == NAME and (week := week_of(folder)))


def week_of(folder: str) -> date | None:
    """The week that a folder `week=2006-04-10` is named for; None for every other name."""
    try:
        week = date.fromisoformat(folder.removeprefix(f"{WEEK}="))
    except ValueError:
        return None
    return week if folder == f"{WEEK}={week}" else None


def files(lake: Lake) -> list[str]:
    """Every file below the folder, relative to it, what a killed run left included."""
    selector = pyarrow.fs.FileSelector(lake.path(FOLDER), recursive=True, allow_not_found=True)
    base = lake.path(FOLDER) + "/"
    infos = lake.filesystem.get_file_info(selector)
    return sorted(info.path.removeprefix(base) for info in infos if info.type == pyarrow.fs.FileType.File)


def shows(lake: Lake, name: str, customer: str) -> bool | None:
    """Whether a page, a half-written one too, introduces the customer; None for a file that is no page."""
    if ".html" not in name.rpartition("/")[2]:
        return None
    try:
        return any(html.unescape(code) == customer for code in _CUSTOMER.findall(_text(lake, name)))
    except FileNotFoundError:  # its run removed it
        return False


def remove(lake: Lake, name: str) -> None:
    """Remove a file, relative to the folder, unless somebody else did."""
    with suppress(FileNotFoundError):
        lake.filesystem.delete_file(lake.path(FOLDER, name))


def _text(lake: Lake, name: str) -> str:
    with lake.filesystem.open_input_stream(lake.path(FOLDER, name)) as stream:
        return bytes(stream.read()).decode(errors="replace")  # a killed run leaves half a page
