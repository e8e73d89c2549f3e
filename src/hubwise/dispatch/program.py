"""A mixed-integer linear program, written down array by array, and what HiGHS makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_matrix

from hubwise.domain.arrays import Array, Flags, Index

# Share of the solver's effort that looks for good solutions. Where there are promises the bound is
# often tight at the root and a good solution is what is missing; six times HiGHS' default finished
# sooner in most trials.
EFFORT = 0.3
# A whole number is where the relaxed optimum has it, if that differs by less.
AGREED = 1e-2
# How exactly the linear program that is left once the whole numbers stand keeps its rows.
TOLERANCE = 1e-9
_EXACTLY: tuple[dict[str, bool | float | str], ...] = (
    {"primal_feasibility_tolerance": TOLERANCE},
    {"primal_feasibility_tolerance": TOLERANCE, "presolve": "off"},
    {"presolve": "off"},
)

# How a search ends that has spent what it was given.
_ENDED = (highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kSolutionLimit)

Fixed = tuple[Index, Array]

_BASES: ContextVar[dict[tuple[int, int], highspy.HighsBasis] | None] = ContextVar(
    "bases", default=None
)


@contextmanager
def remembering() -> Iterator[None]:
    """Within it, a linear program begins at the basis with which the last of its size ended.

    A search solves hundreds that differ in prices alone. What is begun anew forgets what was
    solved before, so that the same search takes the same way, whatever ran earlier.
    """
    token = _BASES.set({})
    try:
        yield
    finally:
        _BASES.reset(token)


class UnsolvedError(RuntimeError):
    """HiGHS ended without a solution; the message says how, and what would help."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution, and how good it is.

    Parameters
    ----------
    values
        Of every column.
    objective, bound
        What the solution brings, and the most that any can.
    optimal
        Whether the two agree to the gap asked for.
    nodes
        Of the branch-and-bound tree.
    """

    values: Array
    objective: float
    bound: float
    optimal: bool
    nodes: int


@dataclass(frozen=True, slots=True)
class Linear:
    """An optimum of a program whose whole numbers stand, or that has none.

    Parameters
    ----------
    values
        Of every column.
    duals
        What another unit of each row's end would bring; shape (rows,).
    objective
        What it brings.
    """

    values: Array
    duals: Array
    objective: float


class Program:
    """Columns, rows and an objective to be maximised."""

    def __init__(self) -> None:
        """An empty program."""
        self.constant = 0.0
        self._low: list[Array] = []
        self._high: list[Array] = []
        self._whole: list[Flags] = []
        self._row_ends: list[tuple[Array, Array]] = []
        self._entries: list[tuple[Index, Index, Array]] = []
        self._earned: list[tuple[Index, Array]] = []
        self._width = self._height = 0

    def columns(
        self, shape: int | tuple[int, ...], low: ArrayLike, high: ArrayLike, *, whole: bool = False
    ) -> Index:
        """New columns between ``low`` and ``high``; returns their numbers, of that shape."""
        new = self._width + np.arange(np.prod(shape, dtype=np.int64)).reshape(shape)
        self._low.append(_spread(low, shape))
        self._high.append(_spread(high, shape))
        self._whole.append(np.full(new.size, whole))
        self._width += new.size
        return new

    @property
    def switch_count(self) -> int:
        """How many columns are 0 or 1, or whole."""
        return sum(int(whole.sum()) for whole in self._whole)

    def switches(self, shape: int | tuple[int, ...]) -> Index:
        """New columns that are 0 or 1."""
        return self.columns(shape, 0.0, 1.0, whole=True)

    def rows(self, shape: int | tuple[int, ...], low: ArrayLike, high: ArrayLike) -> Index:
        """New rows between ``low`` and ``high``, still empty; returns their numbers."""
        new = self._height + np.arange(np.prod(shape, dtype=np.int64)).reshape(shape)
        self._row_ends.append((_spread(low, shape), _spread(high, shape)))
        self._height += new.size
        return new

    def require(
        self, *terms: tuple[Index, ArrayLike], low: ArrayLike = -np.inf, high: ArrayLike = np.inf
    ) -> Index:
        """New rows: the sum of ``terms`` (columns, factor) lies between ``low`` and ``high``.

        Everything is broadcast against everything; returns the rows' numbers.
        """
        parts = [*(part for term in terms for part in term), low, high]
        rows = self.rows(np.broadcast_shapes(*(np.shape(part) for part in parts)), low, high)
        for columns, factor in terms:
            self.put(rows, columns, factor)
        return rows

    def put(self, rows: Index, columns: Index, factor: ArrayLike) -> None:
        """Add ``factor`` times ``columns`` to ``rows``; broadcast against each other."""
        entry = np.broadcast_arrays(rows, columns, np.asarray(factor, float))
        self._entries.append((entry[0].ravel(), entry[1].ravel(), entry[2].ravel()))

    def earn(self, columns: Index, factor: ArrayLike) -> None:
        """Add ``factor`` times ``columns`` to the objective."""
        entry = np.broadcast_arrays(columns, np.asarray(factor, float))
        self._earned.append((entry[0].ravel(), entry[1].ravel()))

    def solve(
        self,
        *,
        seconds: float,
        gap: float,
        nodes: int | None = None,
        fixed: Fixed | None = None,
        start: Array | None = None,
        begin: Fixed | None = None,
    ) -> Solution:
        """The best values found in ``seconds`` [s], to a relative ``gap``.

        Parameters
        ----------
        seconds, gap
            Of the search over whole numbers.
        nodes
            Most nodes of its tree: a limit that is the same on every machine.
        fixed
            Columns that are held, and where.
        start
            Values of all columns to begin with.
        begin
            Columns that are whole, and where the search begins with them; the rest follows.

        Raises
        ------
        UnsolvedError
            If there is no solution, or none was found in time.
        """
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        whole = np.concatenate(self._whole)
        if fixed is not None:
            low[fixed[0]] = high[fixed[0]] = fixed[1]
        solver = _solver(time_limit=seconds, mip_rel_gap=gap, mip_heuristic_effort=EFFORT)
        if nodes is not None:
            solver.setOptionValue("mip_max_nodes", nodes)
        solver.passModel(self._model(low, high, whole))
        if start is not None:
            solver.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
        if begin is not None:
            solver.setSolution(len(begin[0]), begin[0].astype(np.int32), begin[1])
        solver.run()
        status, info = solver.getModelStatus(), solver.getInfo()
        optimal = status == highspy.HighsModelStatus.kOptimal
        found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        if not optimal and not (found and status in _ENDED):
            raise UnsolvedError(_advice(solver, status, seconds))
        values = np.array(solver.getSolution().col_value)
        low[whole] = high[whole] = np.round(values[whole])
        linear = self._linear(low, high)
        values, objective = linear.values, linear.objective
        bound = max(info.mip_dual_bound, objective) if whole.any() else objective
        return Solution(values, objective, bound, optimal, int(info.mip_node_count))

    def solve_near(
        self, begin: Fixed, *, seconds: float, gap: float, nodes: int | None = None
    ) -> Solution:
        """The best values whose whole numbers are elsewhere only where the relaxed optimum's are.

        A relaxation induced neighbourhood (Danna, Rothberg, Le Pape 2005): what a start and the
        optimum without whole numbers agree on is held, which leaves a program that is solved in a
        fraction of the time. The bound is the relaxed one.

        Parameters
        ----------
        begin
            Columns that are whole, and where they stand to begin with.
        seconds, gap, nodes
            As of `solve`.

        Raises
        ------
        UnsolvedError
            If there is no solution, or none was found in time.
        """
        relaxed, (columns, values) = self.linear(), begin
        agreed = np.abs(relaxed.values[columns] - values) < AGREED
        held = columns[agreed], values[agreed]
        found = self.solve(seconds=seconds, gap=gap, nodes=nodes, fixed=held, begin=begin)
        return replace(found, bound=max(relaxed.objective, found.objective))

    def linear(self, *, idle: Index | None = None) -> Linear:
        """The optimum of a program without whole numbers; columns that are ``idle`` held at 0.

        Raises
        ------
        UnsolvedError
            If there is none.
        """
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        if idle is not None:
            low[idle] = high[idle] = 0.0
        return self._linear(low, high)

    def relaxed(self) -> highspy.HighsLp:
        """The program without whole numbers, for a solver of the caller's."""
        low, high = np.concatenate(self._low), np.concatenate(self._high)
        return self._model(low, high, np.zeros(len(low), bool))

    def _linear(self, low: Array, high: Array) -> Linear:
        """The optimum once the whole numbers stand: exact to the rounding of a linear program.

        Where HiGHS loses its way among numbers of very different size, it is asked again, plainer.
        """
        model = self._model(low, high, np.zeros(len(low), bool))
        bases, size = _BASES.get(), (self._width, self._height)
        for options in _EXACTLY:
            solver = _solver(**options)
            solver.passModel(model)
            if bases and size in bases and options is _EXACTLY[0]:
                solver.setBasis(bases[size])
            solver.run()
            status = solver.getModelStatus()
            if status == highspy.HighsModelStatus.kOptimal:
                if bases is not None:
                    bases[size] = solver.getBasis()
                solution = solver.getSolution()
                values = np.array(solution.col_value)
                objective = float(self._objective() @ values) + self.constant
                return Linear(values, np.array(solution.row_dual), objective)
            if status == highspy.HighsModelStatus.kInfeasible:
                break
        raise UnsolvedError(f"HiGHS finds no optimum: {_words(solver, status)}")

    def _objective(self) -> Array:
        objective = np.zeros(self._width)
        for columns, factor in self._earned:
            np.add.at(objective, columns, factor)
        return objective

    def _model(self, low: Array, high: Array, whole: Flags) -> highspy.HighsLp:
        rows, columns, factors = (np.concatenate(p) for p in zip(*self._entries, strict=True))
        matrix = coo_matrix((factors, (rows, columns)), (self._height, self._width)).tocsc()
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self._width, self._height
        model.sense_, model.offset_ = highspy.ObjSense.kMaximize, self.constant
        model.col_cost_, model.col_lower_, model.col_upper_ = self._objective(), low, high
        ends = zip(*self._row_ends, strict=True)
        model.row_lower_, model.row_upper_ = (np.concatenate(end) for end in ends)
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = matrix.indptr
        model.a_matrix_.index_ = matrix.indices
        model.a_matrix_.value_ = matrix.data
        if whole.any():
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            model.integrality_ = [kinds[int(one)] for one in whole]
        return model


def _spread(values: ArrayLike, shape: int | tuple[int, ...]) -> Array:
    return np.broadcast_to(np.asarray(values, float), shape).ravel()


def _solver(**options: bool | float | str) -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, setting in {"output_flag": False, **options}.items():
        if solver.setOptionValue(name, setting) != highspy.HighsStatus.kOk:
            raise ValueError(f"HiGHS refuses {name} = {setting!r}")
    return solver


def _words(solver: highspy.Highs, status: highspy.HighsModelStatus) -> str:
    return str(solver.modelStatusToString(status))


def _advice(solver: highspy.Highs, status: highspy.HighsModelStatus, seconds: float) -> str:
    """How the solver ended, and what would help."""
    match status:
        case highspy.HighsModelStatus.kInfeasible:
            return (
                "no tariff of this family keeps all promises and limits: promise less, or allow "
                "wider price bounds or a freer family"
            )
        case highspy.HighsModelStatus.kTimeLimit:
            return f"no tariff was found in {seconds:g} s: allow more time, or fewer driver classes"
        case _:
            return f"HiGHS ended with {_words(solver, status)!r} and no solution"
