"""Settings of a training run, and what it says of each epoch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of a training run; the defaults are what the benchmarks chose."""

    seed: int = 0  # everything random: weights, dropout, order of the batches
    held_out_weeks: int = 4  # last weeks, never a training target: they judge the model
    validation_share: float = 0.2  # customers that choose the best epoch; the others test
    minimum_count: int = 5  # training baskets an item must be in to be known
    embedding: int = 64  # what an item is to the GRU and to the output
    hidden: int = 96  # state of the GRU
    pair_hidden: int = 48  # width of the repeat term
    context: int = 32  # baskets the GRU reads before the first prefix of a slice
    dropout: float = 0.5  # share of the query's inputs dropped
    epochs: int = 20  # at most
    patience: int = 2  # epochs without improvement before it stops; each one lowers the learning rate
    learning_rate: float = 3e-3  # of Adam, at the start
    item_decay: float = 0.03  # weight decay of the items' vectors, divided by the purchases there are per item
    rows: int = 512  # prefixes that a batch is of, at most; a small shop has smaller ones
    slice_length: int = 32  # prefixes of one customer in a batch, at most
    trip_steps: int = 1500  # of the heads for the next trip, at most
    processes: int = 1  # that share each batch, on this machine; with one, a training is the same bits every time here
    half_life: float = 180.0  # days after which a training target weighs half: the newest trips are most like the next


@dataclass(frozen=True)
class EpochReport:
    """What an epoch gave: mean loss of the prefixes, recall@10 and nDCG@10 of the validation customers."""

    epoch: int
    loss: float
    recall: float
    ndcg: float
    prefixes: int
    seconds: float
