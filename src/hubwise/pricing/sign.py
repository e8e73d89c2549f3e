"""What a sign allows: rules that tie prices of different groups to each other.

Order and steps say by how much one price may be above another. Counted in ticks, prices that keep
such rules form a lattice: of two lawful price vectors the lower of each price is lawful, and so is
the higher. The greatest lawful prices below some others, the least above them, and the middle of
both are therefore found without a program, and lawful to the tick; no lawful prices are nearer at
their worst place than the middle. Rules that count (levels, changes) make groups one: whatever is
made one is lawful by the same means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain.arrays import Array, Index
from hubwise.pricing.rounding import in_money, in_ticks


@dataclass(frozen=True, slots=True)
class Frame:
    """What bounds prices of a sign, in ticks; ``k`` is the number of its groups.

    Parameters
    ----------
    low, high
        Shape (2, k) [ticks].
    ceiling
        The highest discharge prices at some charge prices; shapes (k,) [ticks].
    floor
        The least charge prices at which some discharge prices are lawful; shapes (k,) [ticks].
    capped
        Charge prices lowered alike to the average cap, none below its least; shapes (k,) [ticks].
        None where they cannot be.
    """

    low: Array
    high: Array
    ceiling: Callable[[Array], Array]
    floor: Callable[[Array], Array]
    capped: Callable[[Array, Array], Array | None]


@dataclass(frozen=True, slots=True)
class Sign:
    """The prices of hubs that post the same ones, and what ties them together.

    Parameters
    ----------
    members
        Groups of the family; shape (k,).
    apart
        Most that a price may be above another, of charging and of discharging; shape (2, k, k)
        [ticks]: row g is at most column h and so much more. Infinite where nothing ties them.
    run
        Which member is posted, one after another in time; shape (runs,).
    weight
        Slots of each member; shape (k,).
    levels_max, changes_max
        Most different prices of a kind, and most changes; infinite for none.
    spare
        Which members are one in some lawful tariff; shape (2, k).
    """

    members: Index
    apart: Array
    run: Index
    weight: Array
    levels_max: float
    changes_max: float
    spare: Index

    def close(self, low: Array, high: Array, decimals: int) -> None:
        """Take off the bounds of a family, in place, what no lawful prices reach."""
        for kind in (0, 1):
            mine = _Merged(self.apart[kind], np.arange(len(self.members)), self.weight)
            ends = (in_ticks(each[kind, self.members], decimals) for each in (low, high))
            least, most = mine.bounds(*ends)
            low[kind, self.members] = in_money(least, decimals)
            high[kind, self.members] = in_money(most, decimals)

    def with_spare(self, frame: Frame) -> Sign | None:
        """The sign with members that may be one, however prices are wanted; None where none are."""
        if not self.counts:
            return self
        middle = np.clip(0.5 * (frame.low + frame.high), frame.low, frame.high)
        ways = [self.merged(wanted, frame) for wanted in (frame.low, frame.high, middle)]
        for labels in (*ways, self._pierced(frame)):
            found = fitted(self, frame.low, frame, labels)
            if found is not None and self.keeps_counts(found):
                return replace(self, spare=labels)
        return None

    def _pierced(self, frame: Frame) -> Index:
        """Labels of as few prices as lie within all bounds, of as few runs before."""
        labels = self._alone
        if np.isfinite(self.changes_max):
            one, low, high = labels[0].copy(), np.full((2, 1), -np.inf), np.full((2, 1), np.inf)
            leader = self.run[0]
            for member in self.run:
                low = np.maximum(low, frame.low[:, [member]])
                high = np.minimum(high, frame.high[:, [member]])
                if (low > high).any():
                    low, high = frame.low[:, [member]], frame.high[:, [member]]
                    leader = member
                one[one == one[member]] = one[leader]
            labels = np.stack([one, one])
        if np.isfinite(self.levels_max):
            labels = np.stack([_stabbed(frame, labels[kind], kind) for kind in (0, 1)])
        return labels

    def joinings(self) -> Iterator[tuple[Sign, Index]]:
        """Signs on which changes need not be counted, with the label of each member; (k,).

        Every way to make members one that leaves few enough changes, and no more than it must.
        """
        if not np.isfinite(self.changes_max):
            return
        ways = [
            labels
            for labels in _partitions(len(self.members))
            if np.count_nonzero(np.diff(labels[self.run])) <= self.changes_max
        ]
        for labels in ways:
            if not any(_is_finer(other, labels) for other in ways):
                yield self._joined(labels), labels

    def _joined(self, labels: Index) -> Sign:
        count = int(labels.max()) + 1
        apart = np.full((2, count, count), np.inf)
        for kind in (0, 1):
            np.minimum.at(apart[kind], (labels[:, None], labels[None, :]), self.apart[kind])
        posted = labels[self.run]
        run = posted[np.flatnonzero(np.r_[True, np.diff(posted) != 0])]
        return Sign(
            members=np.arange(count),
            apart=np.stack([closed(each) for each in apart]),
            run=run,
            weight=np.bincount(labels, self.weight).astype(float),
            levels_max=self.levels_max,
            changes_max=np.inf,
            spare=np.tile(np.arange(count), (2, 1)),
        )

    @property
    def counts(self) -> bool:
        """Whether levels or changes are counted."""
        return bool(np.isfinite([self.levels_max, self.changes_max]).any())

    def lawful(self, wanted: Array, frame: Frame) -> Array:
        """Lawful prices near ``wanted``, shape (2, k) [ticks]; lawful ones stay as they are."""
        near = fitted(self, wanted, frame, self._alone)
        assert near is not None, "bounds were closed when the family was made"
        if self.keeps_counts(near):
            return near
        found = fitted(self, near, frame, self.merged(near, frame))
        if found is None or not self.keeps_counts(found):
            found = fitted(self, near, frame, self.spare)
        assert found is not None, "refused when the family was made"
        return found

    @property
    def _alone(self) -> Index:
        return np.tile(np.arange(len(self.members)), (2, 1))

    def keeps_counts(self, prices: Array) -> bool:
        """Whether prices of shape (2, k) have few enough levels and changes."""
        levels = max(len(np.unique(kind)) for kind in prices)
        posted = prices[:, self.run]
        changes = int((posted[:, 1:] != posted[:, :-1]).any(axis=0).sum())
        return levels <= self.levels_max and changes <= self.changes_max

    def merged(self, prices: Array, frame: Frame) -> Index:
        """Which members are one, so that few enough levels and changes are left; shape (2, k).

        The two that lie nearest are made one, again and again.
        """
        labels = self._alone
        while np.isfinite(self.changes_max):
            posted = labels[:, self.run]
            step = np.flatnonzero((posted[:, 1:] != posted[:, :-1]).any(axis=0))
            if len(step) <= self.changes_max:
                break
            pairs = np.unique(np.stack([posted[0, step], posted[0, step + 1]], axis=1), axis=0)
            one = self._nearest(prices, frame, labels[0], pairs, (0, 1))
            labels = labels if one is None else np.stack([one, one])
            if one is None:
                break
        kinds = [self._levelled(prices, frame, labels[kind], kind) for kind in (0, 1)]
        return np.stack(kinds)

    def _levelled(self, prices: Array, frame: Frame, labels: Index, kind: int) -> Index:
        while len(np.unique(labels)) > self.levels_max:
            name, at = np.unique(labels, return_inverse=True)
            mean = np.bincount(at, self.weight * prices[kind]) / np.bincount(at, self.weight)
            order = name[np.argsort(mean, kind="stable")]
            pairs = np.stack([order[:-1], order[1:]], axis=1)
            one = self._nearest(prices, frame, labels, pairs, (kind,))
            if one is None:
                break
            labels = one
        return labels

    def _nearest(
        self, prices: Array, frame: Frame, labels: Index, pairs: Index, kinds: tuple[int, ...]
    ) -> Index | None:
        """Labels with the pair made one that moves prices least and leaves them room, if any."""
        k = len(labels)
        weight = np.bincount(labels, self.weight, k)
        cost = np.zeros(len(pairs))
        for kind in kinds:
            total = np.bincount(labels, self.weight * prices[kind], k)
            mean = total / np.maximum(weight, 1e-12)
            low, high = np.full(k, -np.inf), np.full(k, np.inf)
            np.maximum.at(low, labels, frame.low[kind])
            np.minimum.at(high, labels, frame.high[kind])
            a, b = pairs.T
            both = weight[a] * weight[b] / (weight[a] + weight[b])
            cost += both * (mean[a] - mean[b]) ** 2
            cost[np.maximum(low[a], low[b]) > np.minimum(high[a], high[b])] = np.inf
        if not len(pairs) or not np.isfinite(cost).any():
            return None
        kept, gone = pairs[int(np.argmin(cost))]
        return np.where(labels == gone, kept, labels)


def fitted(sign: Sign, wanted: Array, frame: Frame, labels: Index) -> Array | None:
    """Lawful prices near ``wanted`` with members of one label alike; None where there are none.

    ``wanted``: shape (2, k) [ticks]; ``labels``: shape (2, k).
    """
    charge, discharge = (_Merged(sign.apart[kind], labels[kind], sign.weight) for kind in (0, 1))
    least_out, _ = discharge.bounds(frame.low[1], frame.high[1])
    least, most = charge.bounds(
        np.maximum(frame.low[0], frame.floor(discharge.spread(least_out))), frame.high[0]
    )
    if (least > most).any():
        return None
    bought = charge.nearest(wanted[0], least, most)
    capped = frame.capped(charge.spread(bought), charge.spread(least))
    if capped is None:
        return None
    ceiling = np.minimum(frame.high[1], frame.ceiling(capped))
    least, most = discharge.bounds(frame.low[1], ceiling)
    if (least > most).any():
        return None
    return np.stack([capped, discharge.spread(discharge.nearest(wanted[1], least, most))])


def _partitions(count: int) -> list[Index]:
    """Every way to make some of so many things one: a label for each, labels in order."""
    found = [[0]]
    for _ in range(count - 1):
        found = [[*one, label] for one in found for label in range(max(one) + 2)]
    return [np.array(one) for one in found]


def _is_finer(one: Index, other: Index) -> bool:
    """Whether what has one label in ``one`` has in ``other``, and not the other way round."""
    pairs = np.unique(np.stack([one, other]), axis=1).shape[1]
    return bool(pairs == int(one.max()) + 1 > int(other.max()) + 1)


def _stabbed(frame: Frame, labels: Index, kind: int) -> Index:
    """Labels made one where a price lies within all their bounds, as few as can be."""
    k, stabbed = len(labels), labels.copy()
    low, high = np.full(k, -np.inf), np.full(k, np.inf)
    np.maximum.at(low, labels, frame.low[kind])
    np.minimum.at(high, labels, frame.high[kind])
    price, leader = -np.inf, -1
    for label in sorted(np.unique(labels).tolist(), key=lambda each: float(high[each])):
        if low[label] > price:
            price, leader = float(high[label]), label
        stabbed[labels == label] = leader
    return stabbed


class _Merged:
    """Members of one label as one: how far apart they may be, and their bounds."""

    def __init__(self, apart: Array, labels: Index, weight: Array) -> None:
        name, self._at = np.unique(labels, return_inverse=True)
        self._count, self._weight = len(name), weight
        if self._count == len(labels):
            self._apart, self._at = apart, np.arange(len(labels))
            return
        merged = np.full((self._count, self._count), np.inf)
        np.minimum.at(merged, (self._at[:, None], self._at[None, :]), apart)
        self._apart = closed(merged)

    def bounds(self, low: Array, high: Array) -> tuple[Array, Array]:
        """The least and the greatest prices that keep everything; shape (labels,) each."""
        least, most = np.full(self._count, -np.inf), np.full(self._count, np.inf)
        np.maximum.at(least, self._at, low)
        np.minimum.at(most, self._at, high)
        return (least[:, None] - self._apart).max(axis=0), (most + self._apart).min(axis=1)

    def nearest(self, wanted: Array, least: Array, most: Array) -> Array:
        """Prices between lawful ``least`` and ``most``, the middle of those below and above."""
        total = np.bincount(self._at, self._weight * wanted, self._count)
        mean = np.round(total / np.bincount(self._at, self._weight, self._count))
        mean = np.clip(mean, least, most)
        below, above = (mean + self._apart).min(axis=1), (mean[:, None] - self._apart).max(axis=0)
        middle: Array = np.floor(0.5 * (below + above))
        return middle

    def spread(self, values: Array) -> Array:
        """Values of labels as those of members; shape (k,)."""
        spread: Array = values[self._at]
        return spread


def closed(apart: Array) -> Array:
    """The same ties, with all that follows from several of them; shape (k, k)."""
    apart = apart.copy()
    np.fill_diagonal(apart, np.minimum(apart.diagonal(), 0.0))
    for k in range(len(apart)):
        np.minimum(apart, apart[:, k, None] + apart[None, k, :], out=apart)
    return apart
