"""Two networks written the plain way, which row 5 measures the recommender's training against.

`PlainGru` is the recipe that the recommender began with, on padded arrays: every prefix of a user, every item the user ever
bought. `Sets2Sets` is Hu and He's model (KDD 2019) rebuilt small: an encoder and an attention over its states, one user at a
time, the last basket as target. B users, L baskets, P items of a basket, H distinct items of a user, V items, D embedding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

DECAYS = (0.5, 0.8, 0.95)
Baskets = list[np.ndarray]


@dataclass(frozen=True)
class Padded:
    """A batch of users, all of one padded length; 0 pads."""

    baskets_BLP: Tensor
    items_BH: Tensor
    features_BLHF: Tensor
    targets_BLV: Tensor
    real_BL: Tensor


def features(baskets: Baskets, items: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """(L, H, F) what a user's past says of each of their items after each basket."""
    held = np.stack([np.isin(items, basket) for basket in baskets]).astype(np.float32)
    length = len(baskets)
    count = np.cumsum(held, 0)
    position = np.arange(length)[:, None]
    last = np.maximum.accumulate(np.where(held > 0, position, -1), 0)
    first = np.where(count > 0, np.argmax(held > 0, 0)[None], 0)
    age = np.where(last >= 0, position - last, length).astype(np.float32)
    gap = np.where(count > 1, (last - first) / np.maximum(count - 1, 1), age + 1)
    decayed = []
    for decay in DECAYS:
        sums = np.zeros_like(held)
        for t in range(length):
            sums[t] = held[t] + (decay * sums[t - 1] if t else 0)
        decayed.append(sums)
    seen_before = (held * (np.concatenate([np.zeros((1, len(items))), count[:-1]]) > 0)).sum(1)
    repeat = np.cumsum(seen_before) / np.cumsum(held.sum(1))
    columns = [
        np.log1p(count),
        count / (position + 1),
        *decayed,
        np.log1p(age),
        np.log1p(gap),
        age / np.maximum(gap, 1),
    ]
    columns += [held, np.broadcast_to(repeat[:, None], held.shape), np.broadcast_to(rates[items][None], held.shape)]
    return np.stack(columns, 2).astype(np.float32) * (count > 0)[:, :, None]


def padded(users: list[Baskets], rates: np.ndarray) -> Padded:
    """Users with two baskets or more as one batch: inputs are all baskets but the last, targets all but the first."""
    length = max(len(user) for user in users) - 1
    widest = max(len(basket) for user in users for basket in user)
    items = [np.unique(np.concatenate(user[:-1])) for user in users]
    most = max(map(len, items))
    baskets = np.zeros((len(users), length, widest), np.int64)
    listed = np.zeros((len(users), most), np.int64)
    found = np.zeros((len(users), length, most, 8 + len(DECAYS)), np.float32)
    targets = np.zeros((len(users), length, len(rates)), np.float32)
    for index, user in enumerate(users):
        listed[index, : len(items[index])] = items[index]
        found[index, : len(user) - 1, : len(items[index])] = features(user[:-1], items[index], rates)
        for t, (basket, following) in enumerate(pairwise(user)):
            baskets[index, t, : len(basket)] = basket
            targets[index, t, following] = 1 / len(following)
    real = targets.sum(2) > 0
    return Padded(*map(torch.from_numpy, (baskets, listed, found, targets, real)))


class PlainGru(nn.Module):
    """Output embedding times [state; mean of the history], biases, and a repeat term over the user's own items."""

    def __init__(self, vocabulary: int, embedding: int = 96, hidden: int = 128) -> None:
        """`vocabulary` counts the padding, 0."""
        super().__init__()
        self.items = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.small = nn.Embedding(vocabulary, 8, padding_idx=0)
        self.gru = nn.GRU(embedding, hidden, batch_first=True)
        self.query = nn.Linear(hidden + embedding, embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        width = 8 + len(DECAYS) + 8 + embedding
        self.repeat = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, batch: Padded) -> Tensor:
        """(B, L, V) logits of the basket after each basket."""
        held = (batch.baskets_BLP > 0).unsqueeze(-1)
        mean_BLD = (self.items(batch.baskets_BLP) * held).sum(2) / held.sum(2).clamp(min=1)
        state_BLH, _ = self.gru(F.dropout(mean_BLD, 0.5, self.training))
        count_L = torch.arange(1, mean_BLD.shape[1] + 1).view(1, -1, 1)
        query_BLD = self.query(torch.cat([state_BLH, mean_BLD.cumsum(1) / count_L], 2))
        logits_BLV = query_BLD @ self.items.weight.T + self.bias
        users, length, most = batch.features_BLHF.shape[:3]
        small = self.small(batch.items_BH).unsqueeze(1).expand(-1, length, -1, -1)
        wide = query_BLD.unsqueeze(2).expand(-1, -1, most, -1)
        repeat_BLH = self.repeat(torch.cat([batch.features_BLHF, small, wide], 3)).squeeze(-1)
        repeat_BLH = repeat_BLH * (batch.features_BLHF[..., 0] > 0)
        return logits_BLV.scatter_add(2, batch.items_BH.unsqueeze(1).expand(users, length, most), repeat_BLH)

    def loss(self, batch: Padded) -> Tensor:
        """Cross entropy against a uniform target over the next basket, at every prefix."""
        return -(batch.targets_BLV * F.log_softmax(self(batch), 2)).sum() / batch.real_BL.sum()


class Sets2Sets(nn.Module):
    """Encoder GRU over mean embeddings, attention over its states, and the user's own frequencies through a gate."""

    def __init__(self, vocabulary: int, hidden: int = 32) -> None:
        """`vocabulary` counts the padding, 0."""
        super().__init__()
        self.items = nn.Embedding(vocabulary, hidden, padding_idx=0)
        self.encoder = nn.GRU(hidden, hidden, batch_first=True)
        self.decoder = nn.GRUCell(hidden, hidden)
        self.attention = nn.Linear(2 * hidden, 1)
        self.output = nn.Linear(2 * hidden, vocabulary)
        self.gate = nn.Linear(hidden, vocabulary)

    def loss(self, user: Baskets) -> Tensor:
        """Set loss of the last basket: weighted binary cross entropy and a pairwise hinge."""
        vocabulary = self.items.num_embeddings
        steps = torch.stack([self.items(torch.from_numpy(basket)).mean(0) for basket in user[:-1]])
        states, last = self.encoder(steps.unsqueeze(0))
        state = self.decoder(steps[-1:], last[0])
        pairs = torch.cat([states[0], state.expand(len(steps), -1)], 1)
        context = (self.attention(pairs).softmax(0) * states[0]).sum(0, keepdim=True)
        frequency = torch.zeros(vocabulary)
        for basket in user[:-1]:
            frequency[torch.from_numpy(basket)] += 1 / (len(user) - 1)
        gate = torch.sigmoid(self.gate(state))[0]
        scores = gate * frequency + (1 - gate) * torch.sigmoid(self.output(torch.cat([context, state], 1))[0])
        wanted = torch.zeros(vocabulary)
        wanted[torch.from_numpy(user[-1])] = 1
        weighted = F.binary_cross_entropy(scores.clamp(1e-6, 1 - 1e-6), wanted, 1 + 9 * wanted)
        inside, outside = scores[wanted > 0], scores[wanted == 0]
        return weighted + torch.exp(outside.max() - inside.mean())


def batches(users: list[Baskets], size: int) -> Iterator[list[Baskets]]:
    """Users of about one length together."""
    ordered = sorted(users, key=len)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
