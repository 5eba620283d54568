"""Customer sequences as flat arrays with offsets: what every other module of the recommender reads.

Parquet goes straight into numpy; no Python object per basket. Baskets are oldest first, items of a basket are distinct
and in the order of their ids, so nothing downstream can depend on the order in which they were delivered.
"""

import datetime
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs

from nextbasket_assets.recommender.everybody import require_somebody
from nextbasket_assets.recommender.sequence_files import MISSION_MODEL, batches
from nextbasket_assets.recommender.sequence_files import SequenceError as SequenceError
from nextbasket_assets.recommender.vocabulary import UNKNOWN, Vocabulary

MISSION_STEPS = 2.0**20  # weights are read to this precision: their sums are then exact, in any order
EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True)
class Sequences:
    """Sequences as delivered: item codes instead of ids.

    Attributes:
        customers: (C,) codes.
        basket_offsets: (C + 1,) baskets of customer c are `basket_offsets[c]:basket_offsets[c + 1]`, oldest first.
        days: (N,) days since 1970-01-01.
        item_offsets: (N + 1,) items of basket n.
        items: (E,) item codes, as strings or in a dictionary.
        missions: (N, M) mission weights; a row of zeros is an unassigned basket.
        mission_model: version of the model whose missions these are; None where none is named.
    """

    customers: pa.Array
    basket_offsets: np.ndarray
    days: np.ndarray
    item_offsets: np.ndarray
    items: pa.Array
    missions: np.ndarray
    mission_model: str | None = None


@dataclass(frozen=True)
class Histories:
    """Sequences in a model's ids.

    Attributes:
        basket_offsets: (C + 1,) baskets of customer c, oldest first.
        days: (N,) days since 1970-01-01.
        sizes: (N,) distinct items of basket n, unknown ones counted singly.
        item_offsets: (N + 1,) ids of basket n.
        items: (E,) ids, ascending and distinct within a basket; all its unknown items are one `UNKNOWN`.
        missions: (N, M) mission weights; a row of zeros is an unassigned basket.
    """

    basket_offsets: np.ndarray
    days: np.ndarray
    sizes: np.ndarray
    item_offsets: np.ndarray
    items: np.ndarray
    missions: np.ndarray

    @property
    def customers(self) -> int:
        """Number of customers: C."""
        return len(self.basket_offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """(C,) baskets of each customer."""
        return np.diff(self.basket_offsets)


def day_number(date: datetime.date) -> int:
    """Days since 1970-01-01."""
    return (date - EPOCH).days


def read(files: list[str], filesystem: fs.FileSystem | None = None) -> Sequences:
    """All sequences of the files, sorted by customer so that the order of the files does not matter.

    Raises:
        SequenceError: a file lacks a column, a customer occurs twice, or there is more than one array holds.
    """
    tables = [pa.Table.from_batches([batch]) for batch in batches(files, 65536, filesystem)]
    require_somebody(sum(table.num_rows for table in tables))
    try:
        table = pa.concat_tables(tables).combine_chunks()
        (batch,) = table.take(pc.sort_indices(table["customer"])).combine_chunks().to_batches()
    except pa.ArrowInvalid as error:  # offsets of 32 bits
        raise SequenceError(
            f"the sequences hold more than 2 GB of item codes, which one array cannot ({error}): train on fewer weeks "
            "(window_weeks, max_baskets of customer_sequences)"
        ) from error
    sequences = of_batch(batch)
    if len(pc.unique(sequences.customers)) != len(sequences.customers):
        raise SequenceError("a customer occurs in two rows of customer_sequences: rebuild the week's sequences")
    return sequences


def read_customer(files: list[str], customer: str, filesystem: fs.FileSystem | None = None) -> Sequences | None:
    """One customer's sequence, from any number of them; None where the files have none.

    Raises:
        SequenceError: a file lacks a column, or the sequence cannot be used.
    """
    for batch in batches(files, 65536, filesystem):
        place = pc.index(batch["customer"], customer).as_py()
        if place >= 0:
            return of_batch(batch.slice(place, 1))
    return None


def mission_model_of(files: list[str], filesystem: fs.FileSystem | None = None) -> str | None:
    """Version of the mission model whose weights these sequences carry; None where none is named."""
    for batch in batches(files, 1, filesystem):
        return _mission_model(batch)
    return None


def of_batch(batch: pa.RecordBatch) -> Sequences:
    """The sequences of rows of customer_sequences.

    Raises:
        SequenceError: baskets are out of order, missions do not fit together, or a customer has no code.
    """
    lists = batch.column(batch.schema.get_field_index("baskets"))
    basket_offsets = _offsets(lists)
    baskets = lists.flatten()
    days = pc.struct_field(baskets, "date").cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64)
    items = pc.struct_field(baskets, "items")
    _check_order(basket_offsets, days)
    customers = batch.column(batch.schema.get_field_index("customer")).cast(pa.string())
    if customers.null_count:
        raise SequenceError(f"{customers.null_count} rows have no customer: make customer_sequences of the week again")
    return Sequences(
        customers,
        basket_offsets,
        days,
        _offsets(items),
        items.flatten(),
        _missions(pc.struct_field(baskets, "mission_weights")),
        _mission_model(batch),
    )


def encode(sequences: Sequences, vocabulary: Vocabulary, missions: int, mission_model: str | None = None) -> Histories:
    """The sequences in the ids of a vocabulary.

    Args:
        sequences: as delivered.
        vocabulary: the model's items.
        missions: M, the number of missions the model takes; sequences without any give rows of zeros.
        mission_model: version of the mission model whose missions it takes. Weights of another one mean something else,
            so they are left out: every basket is then unassigned.

    Raises:
        SequenceError: the sequences carry another number of missions of that mission model.
    """
    delivered = sequences.missions.shape[1] if sequences.mission_model == mission_model else 0
    if delivered not in (0, missions):
        raise SequenceError(
            f"the sequences carry {delivered} missions and the model takes {missions}: "
            "train rnn_model again after a change of the mission model"
        )
    weights = sequences.missions if delivered else np.zeros((len(sequences.days), missions), np.float32)
    sizes, offsets = np.diff(sequences.item_offsets), sequences.item_offsets
    ids = vocabulary.encode(sequences.items)
    if not _rising(ids, offsets):
        basket = np.repeat(np.arange(len(sizes)), sizes)
        basket, ids = np.divmod(np.unique(basket * np.int64(vocabulary.size) + ids), vocabulary.size)
        offsets = np.searchsorted(basket, np.arange(len(sizes) + 1))
    return Histories(
        sequences.basket_offsets,
        sequences.days,
        sizes,
        offsets,
        ids.astype(np.int32, copy=False),
        np.ascontiguousarray(weights),
    )


def _rising(ids: np.ndarray, offsets: np.ndarray) -> bool:
    """Whether the ids are ascending and distinct within each basket already."""
    rising = np.ones(len(ids) + 1, bool)
    rising[1:-1] = ids[1:] > ids[:-1]
    rising[offsets] = True
    return bool(rising.all())


def among_first(histories: Sequences | Histories, counts: np.ndarray) -> np.ndarray:
    """(N,) whether each basket is one of its customer's first `counts` (C,) baskets."""
    offsets = histories.basket_offsets
    owner = np.repeat(np.arange(len(counts)), np.diff(offsets))
    early: np.ndarray = np.arange(len(owner)) - offsets[owner] < counts[owner]
    return early


def known(histories: Histories) -> np.ndarray:
    """(E,) whether each entry of `items` is a known item."""
    return histories.items > UNKNOWN


def _offsets(lists: pa.Array) -> np.ndarray:
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _check_order(basket_offsets: np.ndarray, days: np.ndarray) -> None:
    falls = np.flatnonzero(np.diff(days) < 0) + 1
    if len(falls) and not np.isin(falls, basket_offsets).all():
        raise SequenceError("a customer's baskets are not oldest first: rebuild customer_sequences in time order")


def _mission_model(batch: pa.RecordBatch) -> str | None:
    if MISSION_MODEL not in batch.schema.names:
        return None
    versions = pc.unique(batch.column(batch.schema.get_field_index(MISSION_MODEL))).to_pylist()
    if len(versions) > 1:
        raise SequenceError("the sequences are in the terms of several mission models: rebuild customer_sequences")
    version: str | None = versions[0] if versions else None
    return version


def _missions(lists: pa.Array) -> np.ndarray:
    lengths = np.diff(_offsets(lists))
    width = int(lengths.max(initial=0))
    if not np.isin(lengths, (0, width)).all():
        raise SequenceError(
            "baskets carry different numbers of mission weights: tag all of them with one mission model"
        )
    weights = np.zeros((len(lengths), width), np.float32)
    if width:
        delivered = lists.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
        weights[lengths > 0] = np.rint(delivered * MISSION_STEPS) / MISSION_STEPS
    return weights
