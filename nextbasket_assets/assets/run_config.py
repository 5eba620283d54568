"""What can be set in the launchpad for sequences, training and scoring."""

import dagster as dg
from pydantic import Field


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
    epochs: int = Field(default=14, ge=1, description="Passes over the data, at most.")
    patience: int = Field(default=2, ge=0, description="Epochs without improvement before it stops.")
    learning_rate: float = Field(default=3e-3, gt=0, le=1, description="Of Adam, at the start.")
    rows: int = Field(default=512, ge=1, description="Prefixes in a batch.")
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
