"""The network: a GRU over baskets, the customer's history pooled by learned weights, and an explicit repeat term.

logit(row, item) = query . item + bias(item) + repeat(row, item), where repeat is zero for items the customer never
bought. B slices, L baskets in a slice, N baskets, R rows, Q pairs, V vocabulary, D embedding, H hidden, M missions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nextbasket_assets.recommender import gru
from nextbasket_assets.recommender.batches import BASKET_FEATURES, ROW_FEATURES, Batch
from nextbasket_assets.recommender.heads import TripHeads
from nextbasket_assets.recommender.pairs import Pairs, item_values, layers, row_sums, weighted_sums
from nextbasket_assets.recommender.purchases import FEATURES
from nextbasket_assets.recommender.softmax import Cells, cross_entropy, in_runs
from nextbasket_assets.recommender.trends import WINDOWS
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM, PAD

STRAIGHT = 2.0  # weight that each direction of the pooled history begins with in the query
CACHED_ROWS = 64  # logits are made of so many at a time; below about 32, products add up in another order


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Sizes of the network."""

    vocabulary: int  # V, ids of padding and unknown included
    missions: int  # M, length of the mission weights of a basket
    embedding: int = 64  # D, what an item is to the GRU and to the output
    hidden: int = 96  # H, the state of the GRU
    pair_hidden: int = 48  # width of the repeat term
    pools: int = 2  # weighted means of the history's items
    context: int = 32  # baskets that the GRU reads before the first prefix of a slice
    dropout: float = 0.5  # share of the query's inputs dropped in training


@dataclass(frozen=True)
class Terms:
    """(R, H) state and (R, D) query of each row, and (Q,) repeat term of each pair."""

    state: Tensor
    query: Tensor
    repeat: Tensor


class Network(nn.Module):
    """Logits over the vocabulary for each row of a batch."""

    mission_lifts: Tensor  # (M, V) log lift of each item on a trip of each mission
    mission_scale: Tensor  # (1,) how far they are believed

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        dim, hidden, pair = config.embedding, config.hidden, config.pair_hidden
        self.items = nn.Embedding(config.vocabulary, dim, padding_idx=PAD)
        self.output = nn.Embedding(config.vocabulary, dim)
        self.trend = nn.Parameter(torch.full((len(WINDOWS),), 0.2))
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        self.basket = nn.Linear(dim + BASKET_FEATURES + config.missions, dim)
        self.gru = nn.GRU(dim, hidden)
        self.query = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(hidden + config.pools * dim + ROW_FEATURES, 2 * dim),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * dim, dim),
        )
        self.pools_straight = nn.Parameter(torch.full((config.pools * dim,), STRAIGHT))
        self.pair_input = nn.Linear(FEATURES + len(WINDOWS), pair)
        self.pair_item = nn.Embedding(config.vocabulary, pair)
        self.pair_popular = nn.Parameter(torch.zeros(pair))
        self.pair_row = nn.Linear(hidden + ROW_FEATURES, pair, bias=False)
        self.pair_middle = nn.Linear(pair, pair)
        self.pair_output = nn.Linear(pair, 1 + config.pools)
        self.repeat_item = nn.Embedding(config.vocabulary, 1)
        for table in (self.items, self.output):
            nn.init.normal_(table.weight, std=0.1)
        for table in (self.pair_item, self.repeat_item):
            nn.init.zeros_(table.weight)
        with torch.no_grad():
            self.items.weight[PAD] = 0
        # What follows is fitted afterwards, on the trained network, which it leaves as it is.
        self.trips = TripHeads(hidden, config.missions)
        self.register_buffer("mission_lifts", torch.zeros(config.missions, config.vocabulary))
        self.register_buffer("mission_scale", torch.zeros(1))

    def item_tables(self) -> tuple[nn.Embedding, ...]:
        """The tables with a row for each item of the vocabulary."""
        return self.items, self.output, self.pair_item, self.repeat_item

    def forward(self, batch: Batch) -> Tensor:
        """Logits (R, V); minus infinity for padding and unknown, so that neither can be recommended."""
        return self.logits(batch, self.terms(batch))

    def terms(self, batch: Batch) -> Terms:
        """What the logits are made of."""
        state_RH = self.states(batch)
        own = Pairs(batch.pair_rows, batch.pair_items.long(), batch.row_offsets, self.config.vocabulary)
        repeat_Q, pools_QK = self.repeat(batch, own, state_RH)
        return Terms(state_RH, self.queries(batch, state_RH, self.pooled(own, pools_QK)), repeat_Q)

    def loss(self, batch: Batch, wanted: Cells, weights_R: Tensor) -> Tensor:
        """Mean cross-entropy of the rows, without ever holding all their logits."""
        terms = self.terms(batch)
        added = Cells(batch.pair_rows, batch.pair_items)
        popular = (self.popular(batch), batch.row_weeks)
        return cross_entropy(terms.query, self.output.weight, *popular, terms.repeat, added, wanted, weights_R)

    def popular(self, batch: Batch) -> Tensor:
        """(W, V) what each item has in each week whoever shops; minus infinity for padding and unknown."""
        popular_WV = self.bias + batch.trends @ self.trend
        popular_WV[:, :FIRST_ITEM] = -torch.inf
        return popular_WV

    def logits(self, batch: Batch, terms: Terms, mission_M: Tensor | None = None) -> Tensor:
        """Logits (R, V) of the terms; with mission weights those of a trip of that mission."""
        return torch.cat(list(self.logits_in_parts(batch, terms, mission_M)))

    def logits_in_parts(self, batch: Batch, terms: Terms, mission_M: Tensor | None = None) -> Iterator[Tensor]:
        """`logits`, a few rows at a time, so that what is done to them finds them in the processor's cache."""
        popular_WV = self.popular(batch)
        if mission_M is not None:
            popular_WV = popular_WV + self.mission_scale * (mission_M @ self.mission_lifts)
        rows, own = len(terms.query), Cells(batch.pair_rows, batch.pair_items)
        runs = in_runs(rows, rows if popular_WV.is_cuda else CACHED_ROWS)
        for run, (pairs, cells) in zip(runs, own.within(runs, self.config.vocabulary), strict=True):
            popular = rows_of(popular_WV, batch.row_weeks[run])
            part = popular.addmm_(terms.query[run], self.output.weight.T)
            part.view(-1).index_add_(0, cells, terms.repeat[pairs])
            yield part

    def fits(self, terms: Terms, items_RK: Tensor) -> Tensor:
        """(R, K) how much better each item goes with the query than the average item does."""
        vectors_RKD = self.output.weight[items_RK] - self.output.weight[FIRST_ITEM:].mean(0)
        fits_RK: Tensor = (vectors_RKD * terms.query[:, None, :]).sum(2)
        return fits_RK

    def states(self, batch: Batch) -> Tensor:
        """(R, H) state of the GRU before the basket to be predicted."""
        dim = self.config.embedding
        set_ND = nn.functional.embedding_bag(batch.basket_items, self.items.weight, batch.basket_offsets, mode="mean")
        basket_ND = torch.tanh(self.basket(torch.cat([set_ND, batch.basket_features, batch.missions], dim=1)))
        if torch.is_grad_enabled() and not basket_ND.is_cuda:
            return gru.states_to_learn(self.gru, basket_ND, batch.basket_cells, batch.slices, batch.row_cells)
        cells = basket_ND.new_zeros(batch.slices * batch.length, dim).index_copy_(0, batch.basket_cells, basket_ND)
        cells_LBD = cells.view(batch.length, batch.slices, dim)
        state_LBH = self.gru(cells_LBD)[0] if cells.is_cuda else gru.states(self.gru, cells_LBD)
        return rows_of(state_LBH.view(-1, self.config.hidden), batch.row_cells)

    def queries(self, batch: Batch, state_RH: Tensor, pooled_RX: Tensor) -> Tensor:
        """(R, D) what is asked of the items' vectors, for (R, pools * D) pooled histories.

        The pooled history also goes straight into it, so that items like those bought are asked for from the first step on.
        """
        query_RD: Tensor = self.query(torch.cat([state_RH, pooled_RX, batch.row_features], dim=1))
        weighed_RKD = (pooled_RX * self.pools_straight).view(-1, self.config.pools, self.config.embedding)
        return query_RD + weighed_RKD.sum(1)

    def repeat(self, batch: Batch, own: Pairs, state_RH: Tensor) -> tuple[Tensor, Tensor]:
        """(Q,) repeat term of each pair, and (Q, pools) its weights in the pooled history."""
        row_RP = self.pair_row(torch.cat([state_RH, batch.row_features], dim=1))
        small = (self.pair_input, self.pair_middle, self.pair_output)
        out = layers(own, batch.pair_features, self.pair_vectors(), row_RP, *small)
        repeat_Q = out[:, 0] + item_values(self.repeat_item.weight, own)[:, 0]
        return repeat_Q, torch.exp(out[:, 1:].clamp(max=8))

    def pair_vectors(self) -> Tensor:
        """(V, P) what the repeat term knows of each item: a vector of its own, and how popular it is.

        What the own history adds to an item depends on what its bias says already, and a rare item's vector cannot tell.
        """
        popular_V = self.bias - self.bias[FIRST_ITEM:].mean()
        return torch.addr(self.pair_item.weight, popular_V, self.pair_popular)

    def pooled(self, own: Pairs, pools_QK: Tensor) -> Tensor:
        """(R, pools * D) weighted means of the embeddings of the history's items."""
        totals_RK = row_sums(pools_QK, own) + 1e-6
        sums = [weighted_sums(self.items.weight, weight_Q, own) for weight_Q in pools_QK.T.contiguous()]
        return torch.cat([one / totals_RK[:, k, None] for k, one in enumerate(sums)], dim=1)


def rows_of(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a table. Unlike with `table[index]`, gradients add up in the same order on any number of threads."""
    return nn.functional.embedding(index, table)
