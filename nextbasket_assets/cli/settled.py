"""What every command that works on the platform shares: the settings of the environment."""

from collections.abc import Callable
from functools import wraps
from typing import Any


def settled(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the settings of the environment as its first argument."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        from nextbasket_assets.cli.home import environment
        from nextbasket_assets.settings.reading import settings

        command(settings(environment()), **arguments)

    return run
