"""What the landing sensor remembers between two looks: the files as they were, and the content of each that was read."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from nextbasket_assets.arrivals import Listed
from nextbasket_assets.code_version import code_version
from nextbasket_assets.landing import EmptyWeekError, LandingError, require_rows
from nextbasket_assets.resources.landing import inspect_file
from nextbasket_assets.resources.landing_folders import Folder, UnopenedError

SECONDS_OF_READING = 30  # Dagster ends a tick after 60


def remembered(cursor: str | None) -> dict[str, Any]:
    """What the last look saw; nothing, which costs a look and no run, when the cursor was lost or edited by hand."""
    nothing: dict[str, Any] = {"listed": [], "digests": {}}
    try:
        found = json.loads(cursor or "{}")
    except ValueError:
        return nothing
    return found if isinstance(found, dict) and _is_sound(found) else nothing


def _is_sound(cursor: dict[str, Any]) -> bool:
    """Whether a cursor has the form that a look wrote."""
    words = all(isinstance(cursor.get(word) or "", str) for word in ("behind", "table", "former"))
    listed = cursor.get("listed")
    return (
        words
        and _are_pairs(cursor.get("digests"))
        and _are_pairs(cursor.get("refused", {}))
        and isinstance(listed, list)
        and all(isinstance(entry, list) and [*map(type, entry)] == [str, int, str] for entry in listed)
    )


def _are_pairs(files: Any) -> bool:
    return isinstance(files, dict) and all(
        isinstance(entry, list) and [*map(type, entry)] == [str, str] for entry in files.values()
    )


class Digests:
    """Content of landing files, each read once per change; one look reads for half a minute, and one file at least.

    A file without rows is read at every look: whether it counts is for the lake to say.

    Attributes:
        unread: files that this look had no time for.
    """

    def __init__(
        self,
        folder: Folder,
        known: dict[str, list[str]],
        refused: dict[str, list[str]],
        held: Mapping[date, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._known, self._refused, self._clock = folder, known, refused, clock
        self._held = held  # content of the lake's weeks, some of which may have been emptied on purpose
        self._until = clock() + SECONDS_OF_READING
        self._read, self.unread = 0, 0

    def __call__(self, listed: Listed) -> str | None:
        """The sha256 of a listed file's content; None when the time of this look is up.

        Raises:
            LandingError: the file must not be ingested.
        """
        name, state = listed.name, f"{listed.size} {listed.fingerprint}"
        judged = f"{state} {code_version()}"  # other code may take what this one refuses
        if self._known.get(name, [""])[0] == state:
            return self._known[name][1]
        if self._refused.get(name, [""])[0] == judged:
            raise LandingError(self._refused[name][1])
        if self._read and self._clock() > self._until:
            self.unread += 1
            return None
        self._read += 1
        try:
            found = inspect_file(self._folder, name, allow_empty=True)
            if found.sha256 != self._held.get(found.week):
                require_rows(found)
            if found.lines:  # a lake begun anew has not allowed the others
                self._known[name] = [state, found.sha256]
        except (UnopenedError, EmptyWeekError):
            raise  # it may be readable, or allowed, without a change of the file
        except LandingError as error:
            self._refused[name] = [judged, str(error)]
            raise
        return found.sha256

    def known(self, now: list[Listed]) -> dict[str, dict[str, list[str]]]:
        """What is worth remembering: the files that are still there, by the cursor's words."""
        found = {"digests": self._known, "refused": self._refused}
        return {
            word: {entry.name: files[entry.name] for entry in now if entry.name in files}
            for word, files in found.items()
        }
