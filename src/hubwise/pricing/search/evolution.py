"""CMA-ES: a population drawn from a normal distribution that learns its own shape.

Source of the method: Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772, with the
tutorial's default parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np

from hubwise.domain.arrays import Array
from hubwise.pricing.search.loop import Setting

# Generations without a gain that end a search.
PATIENCE = 2


@dataclass(frozen=True, slots=True)
class State:
    """The distribution: mean, step size, covariance, and the two paths it has come.

    ``best`` holds the best merit so far, before the first generation and after each.
    """

    setting: Setting
    mean: Array
    sigma: float
    covariance: Array
    path_sigma: Array
    path_shape: Array
    best: tuple[float, ...]

    @property
    def generation(self) -> int:
        """Generations learnt from."""
        return len(self.best) - 1


@dataclass(frozen=True, slots=True)
class Evolution:
    """Parameters of the strategy.

    Parameters
    ----------
    reach
        Standard deviation of the first draw [currency/kWh].
    rest
        The search ends when the step size has fallen to this [currency/kWh].
    still
        It ends, too, when two generations in a row have not raised the merit by this share
        together; 0 asks for as many evaluations as are allowed.
    """

    reach: float = 0.06
    rest: float = 5e-4
    still: float = 0.0
    levelled: bool = True

    def start(self, setting: Setting, first_merit: float) -> State:
        """A round distribution about the first price vector."""
        size = setting.first.size
        nothing = np.zeros(size)
        mean, best = setting.first.ravel(), (first_merit,)
        return State(setting, mean, self.reach, np.eye(size), nothing, nothing, best)

    def propose(self, state: State) -> list[Array]:
        """One generation, or nothing when the distribution has shrunk or the merit stands still."""
        shrunk = state.sigma * sqrt(np.diag(state.covariance).max()) < self.rest
        if shrunk or self._stands_still(state.best):
            return []
        rng = np.random.default_rng((state.setting.seed, state.generation))
        size = len(state.mean)
        values, axes = np.linalg.eigh(state.covariance)
        spread = axes * np.sqrt(np.maximum(values, 1e-20))
        draws = rng.standard_normal((_population(size), size)) @ spread.T
        return [
            (state.mean + state.sigma * draw).reshape(state.setting.first.shape) for draw in draws
        ]

    def learn(self, state: State, prices: list[Array], merits: list[float]) -> State:
        """Move towards the better half, and let step size and shape follow."""
        weight = _weights(len(prices) // 2)
        if not len(weight):
            return state
        best = np.argsort(-np.asarray(merits), kind="stable")[: len(weight)]
        steps = (np.stack([prices[k].ravel() for k in best]) - state.mean) / state.sigma
        step = weight @ steps
        rates = _rates(len(state.mean), 1.0 / float(weight @ weight))
        path_sigma, stretch = _size_path(state, step, rates)
        settled = 1.0 - (1.0 - rates.sigma) ** (2.0 * (state.generation + 1))
        # While the size still has to grow this fast, the path says nothing of the shape.
        calm = stretch / sqrt(settled) < 1.4 + 2.0 / (len(state.mean) + 1.0)
        path_shape = (1.0 - rates.shape) * state.path_shape + calm * rates.fresh_shape * step
        return replace(
            state,
            mean=state.mean + state.sigma * step,
            sigma=state.sigma * float(np.exp((rates.sigma / rates.damping) * (stretch - 1.0))),
            covariance=_shape(state.covariance, path_shape, steps, weight, rates),
            path_sigma=path_sigma,
            path_shape=path_shape,
            best=(*state.best, max(state.best[-1], *merits)),
        )

    def _stands_still(self, best: tuple[float, ...]) -> bool:
        if len(best) <= PATIENCE:
            return False
        return best[-1] - best[-1 - PATIENCE] < self.still * abs(best[-1])


@dataclass(frozen=True, slots=True)
class _Rates:
    """How fast everything is learnt.

    ``sigma``, ``damping``, ``shape``, ``one``, ``many``: step size, its damping, path of the shape,
    and the two updates of the covariance (the tutorial's c_sigma, d_sigma, c_c, c_1, c_mu).
    ``fresh_sigma`` and ``fresh_shape`` weigh the newest step in the paths.
    """

    sigma: float
    damping: float
    shape: float
    one: float
    many: float
    fresh_sigma: float
    fresh_shape: float


def _population(size: int) -> int:
    return 4 + int(3.0 * log(size))


def _weights(half: int) -> Array:
    """Weights of the better half, the best first; they sum to 1."""
    weight = log(half + 0.5) - np.log(np.arange(1, half + 1))
    shares: Array = weight / weight.sum()
    return shares


def _rates(size: int, mass: float) -> _Rates:
    """The tutorial's defaults for ``size`` prices, ``mass`` being the weights' (mu_eff)."""
    sigma = (mass + 2.0) / (size + mass + 5.0)
    shape = (4.0 + mass / size) / (size + 4.0 + 2.0 * mass / size)
    one = 2.0 / ((size + 1.3) ** 2 + mass)
    return _Rates(
        sigma=sigma,
        damping=1.0 + 2.0 * max(0.0, sqrt((mass - 1.0) / (size + 1.0)) - 1.0) + sigma,
        shape=shape,
        one=one,
        many=min(1.0 - one, 2.0 * (mass - 2.0 + 1.0 / mass) / ((size + 2.0) ** 2 + mass)),
        fresh_sigma=sqrt(sigma * (2.0 - sigma) * mass),
        fresh_shape=sqrt(shape * (2.0 - shape) * mass),
    )


def _size_path(state: State, step: Array, rates: _Rates) -> tuple[Array, float]:
    """The path of the step size, and its length against that of a path of chance."""
    size = len(step)
    values, axes = np.linalg.eigh(state.covariance)
    whitened = axes @ ((axes.T @ step) / np.sqrt(np.maximum(values, 1e-20)))
    path = (1.0 - rates.sigma) * state.path_sigma + rates.fresh_sigma * whitened
    by_chance = sqrt(size) * (1.0 - 1.0 / (4.0 * size) + 1.0 / (21.0 * size**2))
    return path, float(np.linalg.norm(path)) / by_chance


def _shape(covariance: Array, path: Array, steps: Array, weight: Array, rates: _Rates) -> Array:
    """The covariance, drawn towards the path come and the steps that were better."""
    kept = (1.0 - rates.one - rates.many) * covariance
    learnt: Array = kept + rates.one * np.outer(path, path)
    return learnt + rates.many * (steps.T * weight) @ steps
