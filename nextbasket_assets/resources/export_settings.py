"""The retailer's settings for exports: `export.yaml` in the landing folder, and the item lists beside it that it names."""

from typing import Any

from nextbasket_assets.exports.settings import (
    FILE_NAME,
    ExportError,
    ExportSettings,
    ItemList,
    read_items,
    read_settings,
)
from nextbasket_assets.resources.landing import read_optional
from nextbasket_assets.resources.landing_folders import Folder


def export_settings(folder: Folder, given: dict[str, Any]) -> ExportSettings:
    """The folder's settings, changed by the options that were given; an option that is None was not.

    Raises:
        ExportError: the file, a list that it names, or an option is wrong.
    """
    content = read_optional(folder, FILE_NAME)
    options = read_settings(content) if content is not None else {}
    for name in ("allow", "exclude"):
        if name in options:  # an empty name is that of no list
            options[name] = _listed(folder, options[name]) if options[name] else None
    return ExportSettings(**options | {name: value for name, value in given.items() if value is not None})


def _listed(folder: Folder, name: Any) -> ItemList:
    content = read_optional(folder, str(name))
    if content is None:
        raise ExportError(f"{FILE_NAME} names {str(name)[:80]!r}, which is not in the landing folder. Put it there.")
    return read_items(str(name), content)
