"""A customer's code as somebody types it: as the landing files have it, or the retailer's own, which `land` may change."""

from collections.abc import Callable

import click

from nextbasket_assets.intake import values
from nextbasket_assets.landing import JOINT


def landed_codes(given: str) -> list[str]:
    """How the landing files may write a code that was given: as it is, as `land` writes it, or as one of several columns.

    One form for most codes. A text that no code can be stays as it is.
    """
    from nextbasket_assets.lake.erasure import is_code

    forms = (given.strip(), values.code(given), values.joined(given.split(JOINT)))
    return [form for form in dict.fromkeys(forms) if is_code(form)] or [given]


def landed_code(given: str, has: Callable[[str], bool]) -> str:
    """The first form of the code that somebody has, or the first one; where it is not plain which, stderr names it."""
    codes = landed_codes(given)
    chosen = next(filter(has, codes), codes[0]) if len(codes) > 1 else codes[0]
    if len(codes) > 1 or chosen != given.strip():
        click.echo(f"Looked for the code as the landing files have it: {chosen}", err=True)
    return chosen
