"""The exact method behind the loop: a program finds the prices, the loop values them as posted.

The program's prices are any numbers and what is posted goes in ticks: half of the time goes to
each, the second begun at the first's prices rounded. Those in ticks are proposed, and the others
rounded in many ways.
"""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.dispatch import Problem, make_problem
from hubwise.domain.arrays import Array
from hubwise.pricing.exact import UnsolvedError, UnsuitableError, merged, rounded, solve_exact
from hubwise.pricing.search.loop import Setting
from hubwise.scenario import Issue, ScenarioError

# The effort grows steeply with the classes of drivers.
MOST_CLASSES = 40


@dataclass(frozen=True, slots=True)
class State:
    """What is still to be proposed; nothing before the program is solved."""

    setting: Setting
    solved: bool


@dataclass(frozen=True, slots=True)
class ExactMethod:
    """Parameters of the method.

    Parameters
    ----------
    seconds
        Most time for the program [s]. One that is ended by it may end elsewhere the next time.
    gap
        How near to its bound is near enough, as a share.
    """

    seconds: float = 120.0
    gap: float = 1e-4
    levelled: bool = False

    def start(self, setting: Setting, first_merit: float) -> State:  # noqa: ARG002 - protocol
        """Nothing solved yet."""
        return State(setting, False)

    def propose(self, state: State) -> list[Array]:
        """The program's prices in all roundings that may be tried, once.

        Raises
        ------
        ScenarioError
            If there are too many classes, or sessions have what the program does not know, or the
            program has no solution, or none in time.
        """
        if state.solved:
            return []
        setting = state.setting
        assert setting.problem is not None
        classes = _classes(setting.problem)
        family, half = setting.family, 0.5 * self.seconds
        try:
            best = solve_exact(classes, family, seconds=half, gap=self.gap, start=setting.first)
        except UnsolvedError as unsolved:
            raise _refusal("the exact method found no tariff", str(unsolved)) from unsolved
        except UnsuitableError as unsuitable:
            raise _refusal(unsuitable.wrong, unsuitable.right) from unsuitable
        ways = rounded(family, best.prices, setting.evaluations, setting.seed)
        try:
            ticks = solve_exact(
                classes, family, seconds=half, gap=self.gap, start=ways[0], posted=True
            )
        except UnsolvedError:  # none in ticks was found in time
            return ways
        return [ticks.prices, *ways][: setting.evaluations]

    def learn(self, state: State, prices: list[Array], merits: list[float]) -> State:  # noqa: ARG002
        """There is nothing more to propose."""
        return State(state.setting, True)


def _classes(problem: Problem) -> Problem:
    """The problem with identical drivers merged."""
    together = make_problem(merged(problem.situation), problem.limits, span_kw=problem.span_kw)
    count = len(together.fleet)
    if count > MOST_CLASSES:
        raise _refusal(
            f"the exact method takes at most {MOST_CLASSES} classes of identical drivers, and the "
            f"{len(problem.fleet)} that take part are of {count}",
            'method "auto" takes any number',
        )
    return together


def _refusal(wrong: str, right: str) -> ScenarioError:
    return ScenarioError([Issue("scenario.toml", "search", "method", wrong, right)])
