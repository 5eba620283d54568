"""Dagster's own folder for the local commands: made once, with quiet settings, so that runs survive."""

import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

# `dagster dev` recommends another command of its own at every start; nobody who types `nextbasket ui` can follow that.
_KNOWN_WARNING = "ignore:Function `dev_command` is superseded"


def prepare(folder: str) -> None:
    """Make the folder, put the settings there, and point Dagster to it (DAGSTER_HOME).

    Raises:
        OSError: it cannot be made or written.
    """
    home = Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    probe(home)
    for name in ("dagster.yaml", "workspace.yaml"):
        with resources.as_file(resources.files("nextbasket_assets") / name) as shipped:
            if not (home / name).exists():
                shutil.copyfile(shipped, home / name)
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ.setdefault("PYTHONWARNINGS", _KNOWN_WARNING)


def probe(folder: Path) -> None:
    """Write into a folder that is there, and leave nothing.

    Raises:
        OSError: it is no folder, or takes no files of this process.
    """
    with tempfile.TemporaryFile(dir=folder):
        pass


def environment() -> dict[str, str]:
    """The environment of this process, for the settings."""
    return dict(os.environ)


def hand_on_region() -> None:
    """Have boto3, in this process and those it starts, work in the region of the settings."""
    from nextbasket_assets.settings.emr import tell_boto3

    tell_boto3(os.environ)
