"""What every command that works on the platform shares: the settings of the environment, and the region they name."""

from collections.abc import Callable
from functools import wraps
from typing import Any


def settled(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the settings of the environment as its first argument."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        from nextbasket_assets.cli.home import environment, hand_on_region
        from nextbasket_assets.settings.reading import settings

        chosen = settings(environment())
        hand_on_region()  # for a command that never loads the code location, which does the same
        command(chosen, **arguments)

    return run
