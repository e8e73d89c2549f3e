"""A learned model proposes, annealing polishes, the dispatch decides.

The model predicts what drivers do, not what it is worth: classes of drivers, found by k-means, have
load curves, and those change with the prices less abruptly than the profit that follows from them.
Curves are cut to their principal components and predicted by kernel ridge regression. What they are
worth is reckoned at the marginal prices of the best dispatch so far; a second regression learns
what that leaves out (stations, shared limits). Walks on the predicted merit end in proposals, and
the loop values them truly.

Sources: Gao et al. 2023 name the hybrid of learned approximation and annealing as future work;
Saunders, Gammerman, Vovk, ICML 1998, for the regression.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch import Problem
from hubwise.domain import Fleet
from hubwise.domain.arrays import Array, Index
from hubwise.pricing.search.loop import Setting, Valued
from hubwise.pricing.value import cost_ceiling, reward

# Classes of drivers, and principal components of their load curves, at most.
CLASSES = 6
COMPONENTS = 12
# Ridge of the regressions, on data of unit spread.
RIDGE = 1e-3
# Spread of data, as a share of their size, below which they are all the same.
SAME = 1e-9
# What a unit of predicted payment off the promise weighs: levelling moves it back, and schedules
# a little.
OFF_PROMISE = 0.3


@dataclass(frozen=True, slots=True)
class Seen:
    """What the valued tariffs showed; n of them, K classes, T slots.

    Parameters
    ----------
    prices
        Posted at the hubs on average; shape (n, 2, T) [currency/kWh].
    curves
        Charge and discharge of every class; shape (n, K, 2, T) [kW].
    merit
        Shape (n,) [currency].
    marginal
        Marginal price of the best of them, hubs averaged; shape (T,) [currency/kWh].
    """

    prices: Array
    curves: Array
    merit: Array
    marginal: Array


@dataclass(frozen=True, slots=True)
class State:
    """The data, where the best point is, and the best merit after each batch."""

    setting: Setting
    label: Index
    seen: Seen | None
    point: Array
    best: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Parameters of the method.

    Parameters
    ----------
    batch
        Proposals of one step.
    reach
        Standard deviation of a walk's first steps; the first proposals are spread between half and
        eight times as far [currency/kWh].
    near
        The same at a walk's end [currency/kWh].
    steps
        Steps of a walk.
    wait
        The search ends when so many batches in a row have not raised the merit by ``still``, as a
        share.
    """

    batch: int = 8
    reach: float = 0.04
    near: float = 0.002
    steps: int = 150
    wait: int = 3
    still: float = 1e-4
    levelled: bool = True

    def start(self, setting: Setting, first_merit: float) -> State:
        """Drivers in classes; nothing seen yet."""
        assert setting.problem is not None
        label = driver_classes(setting.problem.fleet, setting.seed)
        return State(setting, label, None, setting.first, (first_merit,))

    def watch(self, state: State, answers: list[Valued]) -> State:
        """Remember what drivers did."""
        return replace(state, seen=_added(state, answers))

    def propose(self, state: State) -> list[Array]:
        """Ends of walks on the predicted merit; before much is known, points near and far."""
        if len(state.best) > self.wait:
            before = state.best[-1 - self.wait]
            if state.best[-1] - before <= self.still * abs(before):
                return []
        rng = np.random.default_rng((state.setting.seed, len(state.best)))
        if state.seen is None or len(state.seen.merit) <= self.batch:
            shape = (2 * self.batch, *state.point.shape)
            wide = np.geomspace(0.5 * self.reach, 8.0 * self.reach, shape[0])[:, None, None]
            return list(state.setting.first + wide * rng.standard_normal(shape))
        return list(self._walks(state, predictor(state), rng))

    def learn(self, state: State, prices: list[Array], merits: list[float]) -> State:
        """Walk on from the best."""
        k = int(np.argmax(merits))
        if merits[k] > state.best[-1]:
            state = replace(state, point=prices[k])
        return replace(state, best=(*state.best, max(state.best[-1], merits[k])))

    def _walks(
        self, state: State, merit: Callable[[Array], Array], rng: np.random.Generator
    ) -> Array:
        """Annealed walks side by side, from the best point; shape (batch, *point)."""
        walk = np.repeat(state.point[None], self.batch, axis=0)
        worth = merit(walk)
        best, best_worth = walk.copy(), np.full(self.batch, -np.inf)
        heat = 0.01 * abs(state.best[-1])
        for k in range(self.steps):
            done = k / self.steps
            step = self.reach * (self.near / self.reach) ** done
            # The first walks stay near; every further one may go a little farther.
            step = step * np.linspace(0.3, 1.0, self.batch)[:, None, None]
            moved = rng.random(walk.shape) < max(2.0 / walk[0].size, 0.2)
            trial = walk + step * moved * rng.standard_normal(walk.shape)
            found = merit(trial)
            luck = np.log(rng.random(self.batch)) * heat * (1e-3**done)
            taken = found - worth >= luck
            walk[taken], worth[taken] = trial[taken], found[taken]
            better = worth > best_worth
            best[better], best_worth[better] = walk[better], worth[better]
        return best


def driver_classes(fleet: Fleet, seed: int) -> Index:
    """Class of each driver, by stay, energies and wear; shape (sessions,)."""
    from sklearn.cluster import KMeans  # a second of every start-up, if it stood above

    features = [
        fleet.arrival_slot, fleet.departure_slot, fleet.required_kwh - fleet.arrival_kwh,
        fleet.max_kwh - fleet.reserve_kwh, fleet.wear_cost, fleet.discharge_kw_max,
    ]  # fmt: skip
    table = np.stack([np.asarray(each, float) for each in features], axis=1)
    if not len(table):
        return np.zeros(0, np.int64)
    table = (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-9)
    count = min(CLASSES, len(np.unique(table, axis=0)))
    fitted = KMeans(count, n_init=4, random_state=seed % 2**32).fit(table)
    return np.asarray(fitted.labels_, np.int64)


def predictor(state: State) -> Callable[[Array], Array]:
    """A function from points, shape (m, *point), to the merits predicted, shape (m,) [currency]."""
    seen, setting = state.seen, state.setting
    assert seen is not None
    assert setting.problem is not None
    problem = setting.problem
    known = seen.prices.reshape(len(seen.merit), -1)
    curves = _regression(known, seen.curves.reshape(len(known), -1), COMPONENTS)
    wear = _class_wear(problem.fleet, state.label, seen.curves.shape[1])

    def reckoned(prices: Array, loads: Array) -> Array:
        return _reckoned(problem, prices, loads, wear, seen.marginal)

    rest = _regression(known, (seen.merit - reckoned(seen.prices, seen.curves))[:, None], 1)

    def merit(points: Array) -> Array:
        prices = np.stack([_posted(setting, point) for point in points])
        flat = prices.reshape(len(points), -1)
        loads = np.maximum(curves(flat).reshape(len(points), *seen.curves.shape[1:]), 0.0)
        predicted: Array = reckoned(prices, loads) + rest(flat)[:, 0]
        return predicted

    return merit


def _regression(known: Array, targets: Array, components: int) -> Callable[[Array], Array]:
    """Kernel ridge regression of the principal components of ``targets`` (n, outputs)."""
    from sklearn.decomposition import PCA
    from sklearn.kernel_ridge import KernelRidge

    middle = targets.mean(axis=0)
    spread = float(np.abs(targets - middle).max())
    if spread <= SAME * (1.0 + float(np.abs(middle).max())):
        return lambda prices: np.repeat(middle[None], len(prices), axis=0)
    cut = PCA(min(components, *targets.shape), random_state=0).fit((targets - middle) / spread)
    apart = ((known[:, None] - known[None]) ** 2).sum(axis=2)
    typical = float(np.median(apart[apart > 0.0])) if (apart > 0.0).any() else 1.0
    model = KernelRidge(alpha=RIDGE, kernel="rbf", gamma=0.5 / typical)
    model.fit(known, cut.transform((targets - middle) / spread))

    def predict(prices: Array) -> Array:
        predicted: Array = middle + spread * cut.inverse_transform(model.predict(prices))
        return predicted

    return predict


def _reckoned(problem: Problem, prices: Array, loads: Array, wear: Array, marginal: Array) -> Array:
    """What loads (m, K, 2, T) at prices (m, 2, T) are worth at marginal prices [currency]."""
    hours, incentive = problem.situation.horizon.slot_hours, reward(problem)
    total = hours * loads.sum(axis=1)
    worn = hours * loads[:, :, 1].sum(axis=2) @ wear
    paid = (prices[:, 0] * total[:, 0] - prices[:, 1] * total[:, 1]).sum(axis=1) + worn
    bought = (total[:, 0] - total[:, 1]) @ marginal - total[:, 1] @ incentive
    ceiling = cost_ceiling(problem)
    if np.isfinite(ceiling):
        paid = ceiling - OFF_PROMISE * np.abs(paid - ceiling)
    return np.asarray(paid - worn - bought)


def _added(state: State, answers: list[Valued]) -> Seen:
    """What was seen, these answers included."""
    family, classes = state.setting.family, int(state.label.max(initial=0)) + 1
    member = np.zeros((classes, len(state.label)))
    member[state.label, np.arange(len(state.label))] = 1.0
    prices = [_hub_mean(family.group, lawful) for lawful, _ in answers]
    powers = [
        np.stack([member @ each.charge_kw, member @ each.discharge_kw], axis=1)
        for each in (worth.dispatch.schedule for _, worth in answers)
    ]
    merit = np.array([worth.merit for _, worth in answers])
    best = answers[int(np.argmax(merit))][1].dispatch.marginal_price.mean(axis=0)
    new = Seen(np.stack(prices), np.stack(powers), merit, best)
    old = state.seen
    if old is None:
        return new
    return Seen(
        np.concatenate([old.prices, new.prices]),
        np.concatenate([old.curves, new.curves]),
        np.concatenate([old.merit, new.merit]),
        new.marginal if merit.max() > old.merit.max() else old.marginal,
    )


def _posted(setting: Setting, point: Array) -> Array:
    """What a point posts at the hubs on average, once lawful; shape (2, T) [currency/kWh]."""
    return _hub_mean(setting.family.group, setting.family.project(setting.prices(point)))


def _hub_mean(group: Index, prices: Array) -> Array:
    mean: Array = prices[:, group].mean(axis=1)
    return mean


def _class_wear(fleet: Fleet, label: Index, classes: int) -> Array:
    """Mean wear per kWh that a class discharges at the charger; shape (K,) [currency/kWh]."""
    worn = np.bincount(label, fleet.wear_cost / fleet.discharge_efficiency, classes)
    mean: Array = worn / np.maximum(np.bincount(label, minlength=classes), 1)
    return mean
