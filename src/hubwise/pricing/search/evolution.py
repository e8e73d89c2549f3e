"""CMA-ES: a population drawn from a normal distribution that learns its own shape.

Source of the method: Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772, with the
tutorial's default parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from hubwise.pricing.search.loop import Setting

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class State:
    """The distribution: mean, step size, covariance, and the two paths it has come."""

    setting: Setting
    mean: Array
    sigma: float
    covariance: Array
    path_sigma: Array
    path_shape: Array
    generation: int


@dataclass(frozen=True, slots=True)
class Evolution:
    """Parameters of the strategy.

    Parameters
    ----------
    reach
        Standard deviation of the first draw [currency/kWh].
    rest
        The search ends when the step size has fallen to this [currency/kWh].
    """

    reach: float = 0.06
    rest: float = 5e-4
    levelled: bool = True

    def start(self, setting: Setting, first_merit: float) -> State:  # noqa: ARG002 - protocol
        """A round distribution about the first price vector."""
        size = setting.first.size
        nothing = np.zeros(size)
        return State(setting, setting.first.ravel(), self.reach, np.eye(size), nothing, nothing, 0)

    def propose(self, state: State) -> list[Array]:
        """One generation, or nothing when the distribution has shrunk to a point."""
        if state.sigma * sqrt(np.diag(state.covariance).max()) < self.rest:
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
        size = len(state.mean)
        half = len(prices) // 2
        if half == 0:
            return state
        weight = log(half + 0.5) - np.log(np.arange(1, half + 1))
        weight /= weight.sum()
        mass = 1.0 / float(weight @ weight)
        best = np.argsort(-np.asarray(merits), kind="stable")[:half]
        steps = (np.stack([prices[k].ravel() for k in best]) - state.mean) / state.sigma
        step = weight @ steps
        rate_sigma = (mass + 2.0) / (size + mass + 5.0)
        damping = 1.0 + 2.0 * max(0.0, sqrt((mass - 1.0) / (size + 1.0)) - 1.0) + rate_sigma
        rate_shape = (4.0 + mass / size) / (size + 4.0 + 2.0 * mass / size)
        rate_one = 2.0 / ((size + 1.3) ** 2 + mass)
        rate_many = min(
            1.0 - rate_one, 2.0 * (mass - 2.0 + 1.0 / mass) / ((size + 2.0) ** 2 + mass)
        )
        values, axes = np.linalg.eigh(state.covariance)
        whitened = axes @ ((axes.T @ step) / np.sqrt(np.maximum(values, 1e-20)))
        path_sigma = (1.0 - rate_sigma) * state.path_sigma
        path_sigma = path_sigma + sqrt(rate_sigma * (2.0 - rate_sigma) * mass) * whitened
        expected = sqrt(size) * (1.0 - 1.0 / (4.0 * size) + 1.0 / (21.0 * size**2))
        length = float(np.linalg.norm(path_sigma))
        settled = 1.0 - (1.0 - rate_sigma) ** (2.0 * (state.generation + 1))
        moving = length / sqrt(settled) < (1.4 + 2.0 / (size + 1.0)) * expected
        path_shape = (1.0 - rate_shape) * state.path_shape
        if moving:
            path_shape = path_shape + sqrt(rate_shape * (2.0 - rate_shape) * mass) * step
        covariance = (1.0 - rate_one - rate_many) * state.covariance
        covariance = covariance + rate_one * np.outer(path_shape, path_shape)
        covariance = covariance + rate_many * (steps.T * weight) @ steps
        return replace(
            state,
            mean=state.mean + state.sigma * step,
            sigma=state.sigma * float(np.exp((rate_sigma / damping) * (length / expected - 1.0))),
            covariance=covariance,
            path_sigma=path_sigma,
            path_shape=path_shape,
            generation=state.generation + 1,
        )


def _population(size: int) -> int:
    return 4 + int(3.0 * log(size))
