"""What can be set for a run: in the launchpad, or for good in the landing folder (`shop_settings.py`)."""

import dagster as dg
from pydantic import Field, field_validator

from nextbasket_assets.limits import OLDEST_CHAMPION_WEEKS

_MOST_MISSIONS = 100  # people tell far fewer apart, and tagging takes as many times longer


class StagingConfig(dg.Config):
    """What counts as merchandise."""

    non_merchandise: list[str] = Field(
        default=["PRD0903678"],
        description="Item codes that are no merchandise, such as the carrier bag: kept out of baskets, and counted.",
    )


class MissionConfig(dg.Config):
    """How the mission model is chosen and fitted: which baskets it reads, and the fields of `missions.choosing`."""

    window_weeks: int = Field(default=52, ge=1, description="Training window: this many weeks up to the as-of week.")
    min_item_baskets: int = Field(default=20, ge=1, description="Items in fewer baskets of the window are unknown.")
    min_known_items: int = Field(default=2, ge=1, description="Baskets with fewer known items teach nothing.")
    max_baskets: int = Field(default=30_000, ge=1, description="Baskets that a fit reads at most: a stable sample.")
    k: int | None = Field(
        default=None, ge=1, le=_MOST_MISSIONS, description="Number of missions; empty: the evidence chooses."
    )
    candidates: list[int] = Field(
        default=[2, 3, 4, 5, 6, 8, 10, 12, 15, 20], min_length=1, description="Numbers tried, rising."
    )
    item_priors: list[float] = Field(
        default=[0.05, 0.2], min_length=1, description="Tried for the number chosen; smaller: purer."
    )
    seeds: int = Field(default=3, ge=1, description="Fits of each candidate with different seeds.")
    restarts: int = Field(default=5, ge=1, description="Fits of the chosen candidate; the best one is kept.")
    sweeps: int = Field(default=100, ge=1, description="Passes of each fit over its baskets.")
    max_fits: int = Field(
        default=80, ge=1, description="Budget: no further candidate is begun that needs more fits in all."
    )
    seed: int = Field(default=1, ge=0, description="Seed of the sample and of the first fit.")
    memory: float = Field(
        default=1.0, ge=0, description="What the former model knew, as a share of the new baskets' items; 0: nothing."
    )
    least_share: float = Field(
        default=0.01, ge=0, lt=1, description="A mission of a smaller share of the items has vanished."
    )
    topic_items: int = Field(
        default=200, ge=1, description="Most probable items of a mission that mission_topics lists."
    )

    @field_validator("candidates")
    @classmethod
    def _numbers(cls, candidates: list[int]) -> list[int]:
        if not all(2 <= k <= _MOST_MISSIONS for k in candidates):
            raise ValueError(
                f"{candidates} are numbers of missions to choose from. Give numbers from 2 to {_MOST_MISSIONS}."
            )
        return candidates

    @field_validator("item_priors")
    @classmethod
    def _above_0(cls, item_priors: list[float]) -> list[float]:
        if not all(prior > 0 for prior in item_priors):
            raise ValueError(
                f"{item_priors} are items given beforehand, and without any no fit is made. Give numbers above 0."
            )
        return item_priors


class ProfileConfig(dg.Config):
    """What a profile shows; the fields are those of `ProfileSettings`."""

    look_back_weeks: int = Field(
        default=8, ge=1, description="Weeks of the trend, and how old a previous basket may be."
    )
    training_weeks: int = Field(
        default=52,
        ge=1,
        description="Weeks up to the mission model's that drift is measured against. "
        "Set it when you set `window_weeks` of `mission_model`.",
    )
    min_item_baskets: int = Field(default=10, ge=1, description="Items in fewer baskets of a mission are left out.")
    top_items: int = Field(default=20, ge=1, description="Items per mission, those with the highest index.")


class SequenceConfig(dg.Config):
    """How much of a customer's history is kept."""

    window_weeks: int = Field(default=104, ge=1, description="Weeks of history that are read, up to the week itself.")
    max_baskets: int = Field(
        default=200, ge=1, description="Most recent baskets kept per customer; older ones are counted."
    )


class TrainingRunConfig(dg.Config):
    """How the network is trained; the fields are those of `recommender.training.TrainingConfig`."""

    seed: int = Field(default=0, ge=0, description="Everything random: weights, dropout, order of the batches.")
    held_out_weeks: int = Field(
        default=4, ge=1, description="Last weeks, never a training target: they judge the model."
    )
    validation_share: float = Field(
        default=0.2, gt=0, lt=1, description="Customers that choose the best epoch; the others test."
    )
    minimum_count: int = Field(default=5, ge=1, description="Training baskets an item must be in to be known.")
    embedding: int = Field(default=64, ge=1, description="Width of an item's embedding.")
    hidden: int = Field(default=96, ge=1, description="Width of the GRU's state.")
    pair_hidden: int = Field(default=48, ge=1, description="Width of the repeat term.")
    context: int = Field(default=32, ge=1, description="Baskets the GRU reads before the first prefix of a slice.")
    dropout: float = Field(default=0.5, ge=0, lt=1, description="Share of the query's inputs dropped.")
    epochs: int = Field(default=20, ge=1, description="Passes over the data, at most.")
    patience: int = Field(default=2, ge=0, description="Epochs without improvement before it stops.")
    learning_rate: float = Field(default=3e-3, gt=0, le=1, description="Of Adam, at the start.")
    item_decay: float = Field(
        default=0.03, ge=0, description="Weight decay of the items' vectors, divided by the purchases per item."
    )
    rows: int = Field(default=512, ge=1, description="Prefixes in a batch, at most; a small shop has smaller ones.")
    slice_length: int = Field(default=32, ge=1, description="Prefixes of one customer in a batch, at most.")
    trip_steps: int = Field(default=1500, ge=1, description="Steps of the heads for the next trip, at most.")
    processes: int = Field(default=1, ge=1, description="Processes of this machine that share each batch.")
    half_life: float = Field(default=180.0, gt=0, description="Days after which a training target weighs half.")


class ExportConfig(dg.Config):
    """How lists leave; what is not given here is as the landing folder's export.yaml says, or its default."""

    length: str | None = Field(default=None, description="fixed: k items; own: as many as the customer will buy.")
    k: int | None = Field(default=None, ge=1, description="Items on a list, at most; all that were scored by default.")
    shortest: int | None = Field(default=None, ge=1, description="Items on a list of its own length, at least.")
    campaign: str | None = Field(default=None, description="What the hold-out is drawn for.")
    holdout_share: float | None = Field(
        default=None, ge=0, lt=1, description="Share of the customers who are left alone."
    )
    csv_guard: bool | None = Field(default=None, description="An apostrophe before cells that a spreadsheet would run.")


class ScoringConfig(dg.Config):
    """What is published for a customer."""

    k: int = Field(
        default=20, ge=1, description="Items on every customer's list; probabilities are calibrated for the first 50."
    )


class RetrainingPolicy(dg.Config):
    """When the landing sensor has a new model trained; no run takes it, so it is not in the launchpad."""

    max_age_weeks: int = Field(
        default=OLDEST_CHAMPION_WEEKS, ge=1, description="Age of the model in service at which a new one is trained."
    )
    cool_down_weeks: int = Field(
        default=4,
        ge=1,
        description="Weeks before the next one when a check asks for it, or the last was refused.",
    )
    min_history_weeks: int = Field(
        default=12, ge=2, description="Weeks in the lake, the arriving one included, without which none is trained."
    )
