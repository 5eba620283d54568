"""Who is left alone in a campaign, so that its uplift can be measured: a keyed hash of the customer's code decides.

The group depends on the campaign and the customer alone: not on the week, the order or the other customers. A larger share
keeps everybody who was held out under a smaller one.
"""

import hmac
from collections.abc import Iterable

import numpy as np

_BYTES = 8


def held_out(customers: Iterable[str], campaign: str, share: float) -> np.ndarray:
    """Whether each customer is held out of the campaign.

    Args:
        customers: their codes.
        campaign: the key of the hash.
        share: of all customers there may ever be, from 0 to below 1.

    Returns:
        bool, one per customer.
    """
    limit = int(share * (1 << 8 * _BYTES))
    return np.fromiter((_draw(customer, campaign) < limit for customer in customers), bool)


def _draw(customer: str, campaign: str) -> int:
    """The first 64 bits of HMAC-SHA256, which any system can compute: uniform, and the same for ever."""
    return int.from_bytes(hmac.digest(campaign.encode(), customer.encode(), "sha256")[:_BYTES], "big")
