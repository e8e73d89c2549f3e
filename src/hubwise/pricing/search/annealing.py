"""Simulated annealing, the published study's method (Gao et al. 2023).

A random neighbour is accepted when it is better, or else with probability exp(loss / temperature);
temperature and reach of a step fall geometrically over the evaluations allowed.
Source of the method: Kirkpatrick, Gelatt, Vecchi, Science 220 (1983) 671-680.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.domain.arrays import Array
from hubwise.pricing.search.loop import Setting


@dataclass(frozen=True, slots=True)
class State:
    """Where the walk stands, and how many steps it has made."""

    setting: Setting
    prices: Array
    merit: float
    scale: float
    step: int


@dataclass(frozen=True, slots=True)
class Annealing:
    """Parameters of the walk.

    Parameters
    ----------
    hot, cold
        Temperature at the first and last step, as shares of the first merit's size.
    far, near
        Standard deviation of a step at first and last, as shares of each price's range.
    """

    hot: float = 0.05
    cold: float = 1e-4
    far: float = 0.15
    near: float = 0.01
    levelled: bool = False

    def start(self, setting: Setting, first_merit: float) -> State:
        """Begin at the first price vector."""
        prices = setting.family.project(setting.first)
        return State(setting, prices, first_merit, abs(first_merit) or 1.0, 0)

    def propose(self, state: State) -> list[Array]:
        """One random neighbour."""
        family = state.setting.family
        reach = self.far * (self.near / self.far) ** self._progress(state)
        draw = np.random.default_rng((state.setting.seed, state.step)).standard_normal
        spread = np.minimum(family.high - family.low, 1.0)
        return [family.project(state.prices + reach * spread * draw(spread.shape))]

    def learn(self, state: State, prices: list[Array], merits: list[float]) -> State:
        """Go there, or stay."""
        loss = merits[0] - state.merit
        temperature = state.scale * self.hot * (self.cold / self.hot) ** self._progress(state)
        luck = np.random.default_rng((state.setting.seed, state.step, 1)).random()
        if loss >= 0.0 or luck < np.exp(loss / temperature):
            state = replace(state, prices=prices[0], merit=merits[0])
        return replace(state, step=state.step + 1)

    def _progress(self, state: State) -> float:
        return state.step / state.setting.evaluations
