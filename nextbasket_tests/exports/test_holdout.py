"""A hold-out is drawn once per campaign, by the customer's code alone."""

import numpy as np
import pytest

from nextbasket_assets.exports.holdout import held_out

CUSTOMERS = [f"CUST{number:010d}" for number in range(4000)]


def test_the_group_does_not_depend_on_order_or_company() -> None:
    """Shuffled, or alone, a customer is in the group that they were in."""
    together = held_out(CUSTOMERS, "spring", 0.2)
    alone = [held_out([customer], "spring", 0.2)[0] for customer in reversed(CUSTOMERS[:50])]

    assert together[:50][::-1].tolist() == alone


def test_the_draw_is_the_documented_one() -> None:
    """HMAC-SHA256 of the code under the campaign's name, first 64 bits, below the share: a number from another program."""
    # printf 'CUST0000000001' | openssl dgst -sha256 -hmac spring
    first = int("fd83aa213ed43020", 16) / 2**64

    assert held_out(["CUST0000000001"], "spring", first + 1e-9).all()
    assert not held_out(["CUST0000000001"], "spring", first - 1e-9).any()


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_share_is_the_share(share: float) -> None:
    """Of 4,000 customers, the share is held out within four standard errors."""
    error = 4 * (share * (1 - share) / len(CUSTOMERS)) ** 0.5

    assert held_out(CUSTOMERS, "spring", share).mean() == pytest.approx(share, abs=error)


def test_campaigns_draw_independently_and_larger_shares_keep_the_smaller() -> None:
    """Who is held out in spring says nothing about autumn; raising the share adds customers and frees none."""
    spring, autumn = (held_out(CUSTOMERS, campaign, 0.5) for campaign in ("spring", "autumn"))

    assert abs(np.corrcoef(spring, autumn)[0, 1]) < 0.07
    assert not (held_out(CUSTOMERS, "spring", 0.2) & ~spring).any()


def test_no_share_holds_nobody_out() -> None:
    """Without a hold-out everybody is treated."""
    assert not held_out(CUSTOMERS, "", 0.0).any()
