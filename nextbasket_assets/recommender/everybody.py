"""Everybody of a week is scored: there is somebody, and nobody is lost on the way. Knows no torch, as Spark's driver does not."""

from nextbasket_assets.errors import NextbasketError
from nextbasket_assets.recommender.sequence_files import SequenceError


class LostError(NextbasketError):
    """Fewer customers came out than went in, or more."""


def require_somebody(customers: int) -> None:
    """Refuses sequences of nobody.

    Raises:
        SequenceError: there are no customers.
    """
    if not customers:
        raise SequenceError(
            "there are no customer sequences: up to the week, no basket with merchandise has a customer code. Land a week "
            "with customer codes, or materialise customer_sequences again"
        )


def require_everybody(read: int, written: int) -> None:
    """Refuses a week in which rows of some customers are missing, which no look at the written rows would find.

    Args:
        read: customers of the week's sequences. written: customers with rows.

    Raises:
        LostError: the two differ.
    """
    if read != written:
        raise LostError(
            f"{read} customers were read and {written} were written: rows were lost on the way, or a customer has two "
            "sequences. Run again; if it comes again, materialise customer_sequences of the week again"
        )
