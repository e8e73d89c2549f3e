"""A dispatch as a game: units on a board, and the rounds in which they are visited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch import kernel
from hubwise.dispatch.board import KINK, with_levels
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.ties import Held
from hubwise.domain import Tariff
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers import Batteries, felt_prices

# Half-width of the band in which the purchase price passes into feed-in, as a share of the spread,
# in the first round; it ends at `KINK`. Going round the units one by one, all stop where the price
# jumps; a wide band lets them pass, a narrow one prices right.
FIRST_KINK = 0.3
# In the first round of a dispatch that goes on from another.
ONWARD_KINK = 1e-2
# Rounds over the stations for each round over the sessions: stations are few but large.
STATION_ROUNDS = 3
# The order of visits is drawn once; any fixed order gives the same promise.
ORDER_SEED = 33


@dataclass(frozen=True, slots=True)
class Game:
    """Units and board, and which units stand for what.

    Parameters
    ----------
    problems
        Of each future.
    units, change, placed
        See `hubwise.dispatch.kernel.go_round`.
    cars, stations
        Rows of the units of each future's participants, and of its station slices.
    sessions
        How many units are sessions; they stand first.
    board
        What the units see of each other.
    onward
        Whether the dispatch goes on from schedules.
    held
        Of each future, participants whose schedules are not to be chosen; None for nobody's.
    """

    problems: Sequence[Problem]
    units: Batteries
    change: Array
    placed: Flags
    cars: tuple[Index, ...]
    stations: tuple[Index, ...]
    sessions: int
    board: kernel.Board
    onward: bool
    held: Sequence[Held | None]


@dataclass(frozen=True, slots=True)
class Play:
    """A game at prices: who is visited in which order, and what they feel.

    Parameters
    ----------
    game
        Units and board.
    units, charge, discharge
        The units, and the prices that they feel; each price of shape (rows, slots) [currency/kWh].
    sessions, stations
        Whom a round visits, in order; who is held is left out.
    """

    game: Game
    units: Batteries
    charge: Array
    discharge: Array
    sessions: Index
    stations: Index

    @classmethod
    def of(cls, game: Game, tariff: Tariff | None) -> Play:
        """A game at ``tariff``; at none, units answer to the marginal prices."""
        problem = game.problems[0]
        if tariff is None:
            zero = np.zeros((1, problem.situation.horizon.slots))
            felt = game.units._replace(price_list=game.units.hub * 0), zero, zero
        else:
            felt = felt_prices(game.units, tariff, problem.terms)
        order = np.random.default_rng(ORDER_SEED).permutation(len(game.units.hub))
        is_session = order < game.sessions
        free = np.ones(len(order), np.bool_)
        for cars, held in zip(game.cars, game.held, strict=True):
            if held is not None:
                free[cars[held.rows]] = False
        return cls(game, *felt, order[is_session & free[order]], order[~is_session])

    def before(self, slot: int) -> Play:
        """The same, where only those sessions are visited that begin before a slot."""
        return replace(self, sessions=self.sessions[self.units.arrival[self.sessions] < slot])

    def learn(self, kink: float, count: int) -> None:
        """Set the free levels; after the first of fresh rounds, let multipliers follow."""
        onward = count > 0 or self.game.onward
        with_levels(self.game.board, self.game.problems, kink, learn=onward, count=count)

    def go_round(self, order: Index) -> float:
        """Visit units once; the sum of their gaps [currency]."""
        game = self.game
        gap: float = kernel.go_round(
            self.units, game.board, game.change, game.placed, self.charge, self.discharge, order
        )
        return gap

    def round(self, count: int, rounds: int) -> float:
        """The round ``count`` of so many: sessions, then stations; the sum of their gaps."""
        self.learn(self._kink(count, rounds), count)
        gap = self.go_round(self.sessions)
        gap += sum(self.go_round(self.stations) for _ in range(STATION_ROUNDS))
        kernel.curtail(self.game.board)
        return gap

    def _kink(self, count: int, rounds: int) -> float:
        first = ONWARD_KINK if self.game.onward else FIRST_KINK
        done = count / (rounds - 1) if rounds > 1 else 1.0
        return float(first * (KINK / first) ** min(done, 1.0))
