"""What every command that works on the platform shares: the environment's settings, and errors in one sentence."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click


def settled(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the settings of the environment, and turn our errors into one message without a traceback."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        from nextbasket_assets.cli.demo import RunFailedError
        from nextbasket_assets.cli.home import environment
        from nextbasket_assets.definitions import SettingsError, settings
        from nextbasket_assets.lake.tables import LakeError
        from nextbasket_assets.landing import LandingError
        from nextbasket_assets.pseudonyms import PseudonymError

        try:
            command(settings(environment()), **arguments)
        except (SettingsError, LandingError, LakeError, PseudonymError, RunFailedError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or 'a file'}: {error.strerror}. Let this process read and write there, or choose another place "
                "(NEXTBASKET_LANDING, NEXTBASKET_LAKE, DAGSTER_HOME)."
            ) from error

    return run
