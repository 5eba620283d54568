"""Heads for the next trip: when it is, what for, and how many items it holds.

When: the daily chance of a trip, given that none came on the days before (a discrete hazard), constant within each of a
few spans of days since the last trip. Customers who have not come again are censored: their days count as days without
a trip. R rows, B spans of days, H hidden, M missions.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from nextbasket_assets.recommender.trips import NextTrips, width

SPANS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 15, 22, 29, 43, 64, 92, 183)  # first day of each span since the last trip
WEEK = 7
HORIZON = 365  # days; the expected days until the next trip are cut here
FORETOLD_ROWS = 4096  # at a time: each takes a number for every day of the horizon, several times over
WIDTH = 64
DAYS_BEFORE = 20.0  # days that the hazard of the span before is worth


@dataclass(frozen=True)
class Forecast:
    """The next trip of each row.

    Attributes:
        within_week: (R,) P(a trip within 7 days).
        days: (R,) expected days until it, at most a year.
        size: (R,) expected distinct items.
        missions: (R, M) P(mission); zeros without missions.
    """

    within_week: np.ndarray
    days: np.ndarray
    size: np.ndarray
    missions: np.ndarray


class TripHeads(nn.Module):
    """Logits of the daily hazards, of the missions, and the log of the expected size, from what is known of a row."""

    centre: Tensor  # (F,) mean of each input
    scale: Tensor  # (F,) its spread

    def __init__(self, hidden: int, missions: int) -> None:
        super().__init__()
        self.missions = missions
        inputs = hidden + width(missions)
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.middle = nn.Linear(inputs, WIDTH)
        self.output = nn.Linear(WIDTH, len(SPANS) + missions + 1)

    def forward(self, inputs_RF: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(R, B) hazard logits, (R, M) mission logits, (R,) log size."""
        known_RF = ((inputs_RF - self.centre) / self.scale).clamp(-8, 8)
        out = self.output(torch.relu(self.middle(known_RF)))
        return out[:, : len(SPANS)], out[:, len(SPANS) : -1], out[:, -1]

    def start(self, inputs_RF: Tensor, wanted: NextTrips) -> None:
        """Sets the scale of the inputs, and lets every answer begin at what is usual."""
        with torch.no_grad():
            self.centre.copy_(inputs_RF.mean(0))
            self.scale.copy_(inputs_RF.std(0, unbiased=False).clamp(min=1e-3))
            hazard = usual_hazards(wanted)
            share = wanted.missions.sum(0) + 1.0
            size = np.log(max(wanted.sizes[wanted.came].mean(), 1.0)) if wanted.came.any() else 0.0
            begin = np.concatenate([np.log(hazard / (1 - hazard)), np.log(share / share.sum()), [size]])
            self.output.weight.mul_(0.1)
            self.output.bias.copy_(torch.from_numpy(begin.astype(np.float32)))

    def loss(self, inputs_RF: Tensor, wanted: NextTrips) -> Tensor:
        """Mean negative log-likelihood of when, what for and how much, each over the rows where it is known."""
        hazard_RB, mission_RM, size_R = self(inputs_RF)
        survived_RB, ended_RB = (torch.from_numpy(part.astype(np.float32)) for part in exposure(wanted))
        softplus = nn.functional.softplus
        when = (survived_RB * softplus(hazard_RB) + ended_RB * softplus(-hazard_RB)).sum(1).mean()
        came_R = torch.from_numpy(wanted.came.astype(np.float32))
        known = came_R.sum().clamp(min=1)
        sizes_R = torch.from_numpy(wanted.sizes.astype(np.float32))
        how_much = ((torch.exp(size_R.clamp(max=8)) - sizes_R * size_R) * came_R).sum() / known
        weights_RM = torch.from_numpy(wanted.missions.astype(np.float32))
        what_for = -(weights_RM * torch.log_softmax(mission_RM, 1)).sum() / known if self.missions else 0.0
        total: Tensor = when + how_much + what_for
        return total

    def forecast(self, inputs_RF: Tensor, elapsed: np.ndarray) -> Forecast:
        """The next trip of each row.

        Args:
            inputs_RF: what is known of the rows.
            elapsed: (R,) days since the last trip, today included: none came in them.
        """
        starts = range(0, max(len(elapsed), 1), FORETOLD_ROWS)
        parts = [self._forecast(inputs_RF[at : at + FORETOLD_ROWS], elapsed[at : at + FORETOLD_ROWS]) for at in starts]
        return Forecast(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Forecast)))

    def _forecast(self, inputs_RF: Tensor, elapsed: np.ndarray) -> Forecast:
        with torch.inference_mode():
            hazard_RB, mission_RM, size_R = self(inputs_RF)
            stay_RB = (
                -nn.functional.softplus(hazard_RB).double().numpy()
            )  # log of the chance to pass a day without a trip
        ahead = elapsed[:, None] + np.arange(1, HORIZON)
        span = np.searchsorted(SPANS, ahead, side="right") - 1
        still_away = np.exp(np.cumsum(np.take_along_axis(stay_RB, span, 1), axis=1))
        missions = torch.softmax(mission_RM, 1).numpy() if self.missions else np.zeros((len(elapsed), 0), np.float32)
        return Forecast(
            1 - still_away[:, WEEK - 1], 1 + still_away.sum(1), np.exp(size_R.clamp(max=8).numpy()), missions
        )


def exposure(wanted: NextTrips) -> tuple[np.ndarray, np.ndarray]:
    """(R, B) days in each span that passed without a trip, and (R, B) 1 in the span in which the trip came."""
    first = np.array(SPANS)
    lengths = np.diff(np.append(first, np.iinfo(np.int32).max))
    quiet = np.where(wanted.came, wanted.days, wanted.days + 1)  # the last day of the record passed as well
    survived = np.clip(quiet[:, None] - first, 0, lengths)
    ended = np.zeros_like(survived)
    came = np.flatnonzero(wanted.came)
    ended[came, np.searchsorted(first, wanted.days[came], side="right") - 1] = 1
    return survived, ended


def usual_hazards(wanted: NextTrips) -> np.ndarray:
    """(B,) share of the days of each span that end with a trip; where few days were seen, as in the span before."""
    survived_RB, ended_RB = exposure(wanted)
    ended, days = ended_RB.sum(0).astype(np.float64), (survived_RB + ended_RB).sum(0)
    hazards = np.empty(len(SPANS))
    before = (ended.sum() + 0.5) / (days.sum() + 1)
    for span in range(len(SPANS)):
        before = hazards[span] = (ended[span] + DAYS_BEFORE * before) / (days[span] + DAYS_BEFORE)
    return np.clip(hazards, 1e-5, 0.99)
