"""Warm starts: kept on a file, moved on in time, and taken up by other participants and rows."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import stay_bounds
from hubwise.dispatch import Multipliers, WarmStart, dispatch, make_problem, read_warm_start
from hubwise.domain import Tariff
from hubwise.drivers import best_response, schedule_cost

seeds = st.integers(0, 10_000)
POWERS = ("charge_kw", "discharge_kw", "energy_kwh")


def posted(situation) -> Tariff:
    """The purchase price, and a little less for what is discharged."""
    price = np.tile(situation.market.purchase_price, (len(situation.hubs), 1))
    return Tariff(price + 0.1, 0.8 * price)


def assert_same(found, expected) -> None:
    """Two records have the same arrays to the bit, of the same types, and the same rest."""
    assert type(found) is type(expected)
    for field in fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if is_dataclass(other):
            assert_same(one, other)
        elif isinstance(other, np.ndarray):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes()
        else:
            assert one == other


def assert_feasible(problem, schedule) -> None:
    """Every stay keeps its limits, from its powers alone."""
    fleet, hours = problem.fleet, problem.situation.horizon.slot_hours
    for i in range(len(fleet)):
        stay = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
        power_in, power_out, least, most = stay_bounds(fleet, i, hours)
        charge, discharge = schedule.charge_kw[i], schedule.discharge_kw[i]
        outside = np.ones(len(charge), bool)
        outside[stay] = False
        assert not charge[outside].any()
        assert not discharge[outside].any()
        assert not ((charge > 0.0) & (discharge > 0.0)).any()
        assert (charge[stay] <= power_in).all()
        assert (discharge[stay] <= power_out).all()
        drawn = hours * discharge[stay] / fleet.discharge_efficiency[i]
        step = hours * charge[stay] * fleet.charge_efficiency[i] - drawn
        energy = fleet.arrival_kwh[i] + np.cumsum(step)
        assert (energy >= least - 1e-9).all()
        assert (energy <= most + 1e-9).all()
        assert drawn.sum() <= fleet.discharge_limit_kwh[i] + 1e-9


def worst_regret(problem, tariff, schedule) -> float:
    """The most that a driver pays above its best response."""
    horizon = problem.situation.horizon
    least = best_response(problem.fleet, tariff, horizon)[1]
    return float((schedule_cost(problem.fleet, tariff, schedule, horizon) - least).max())


@pytest.fixture(scope="module")
def begun(small_situation, make_problem_of):
    """A dispatch of a few rounds at posted prices, whose limits press."""
    situation = small_situation(3, sessions=12, solar=True)
    problem, tariff = make_problem_of(situation, promise=0.6), posted(situation)
    return problem, tariff, dispatch(problem, tariff, rounds=6)


@pytest.fixture(scope="module")
def file(begun, tmp_path_factory) -> Path:
    """Where that dispatch would go on, written."""
    path = tmp_path_factory.mktemp("warm") / "start.npz"
    begun[2].warm().write(path)
    return path


@given(seeds, st.booleans(), st.booleans(), st.sampled_from([0, 1, 7]))
@settings(max_examples=15)
def test_what_is_written_is_read_to_the_bit(
    small_situation, make_problem_of, seed, known, stations, sessions
) -> None:
    """Arrays come back bit by bit, with schedules or without; with sessions, stations, or none."""
    situation = small_situation(seed, sessions=sessions, station=stations, solar=True)
    problem = make_problem_of(situation, promise=0.7)
    warm = dispatch(problem, posted(situation), rounds=3).warm()
    start = warm if known else warm.near()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "start of a day"
        start.write(path)
        assert_same(read_warm_start(path), start)
        assert_same(read_warm_start(str(path)), start)


def test_going_on_from_a_file_is_going_on_from_memory(begun, file) -> None:
    """What is dispatched from a start read back is the same to the bit, with schedules or near."""
    problem, tariff, first = begun
    warm, read = first.warm(), read_warm_start(file)
    for one, other in ((warm, read), (warm.near(), read.near())):
        expected = dispatch(problem, tariff, rounds=4, warm=one)
        assert_same(dispatch(problem, tariff, rounds=4, warm=other), expected)


def test_a_start_may_be_begun_at_again(begun) -> None:
    """A dispatch leaves the start as it was: the next one from there is the same."""
    problem, tariff, first = begun
    answers = [dispatch(problem, tariff, rounds=4, warm=first.warm()) for _ in range(2)]
    assert_same(answers[1], answers[0])


def test_a_start_that_is_near_knows_prices_and_no_schedules(begun) -> None:
    """Multipliers and draws stay; nothing is known of anybody's schedule."""
    warm = begun[2].warm()
    near = warm.near()
    assert_same(near.multipliers, warm.multipliers)
    np.testing.assert_array_equal(near.hub_kw, warm.hub_kw)
    assert (near.session, near.schedule, near.stations) == (None, None, None)


@given(st.floats(0.0, 1.0, exclude_max=True))
@settings(max_examples=30)
def test_a_start_cut_off_is_refused(file, share) -> None:
    """A file that ends early, wherever, is no start: the error names it."""
    whole = file.read_bytes()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cut.npz"
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(ValueError, match=r"cut\.npz is no warm start, or not whole"):
            read_warm_start(path)


@given(st.floats(0.0, 1.0, exclude_max=True), st.integers(1, 255))
@settings(max_examples=150)
def test_a_start_with_a_wrong_byte_is_refused_or_right(file, share, flip) -> None:
    """Where one byte is another, the error names the file, or the byte did not count."""
    spoilt = bytearray(file.read_bytes())
    spoilt[int(share * len(spoilt))] ^= flip
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spoilt.npz"
        path.write_bytes(spoilt)
        assert_right_or_refused(path, read_warm_start(file))


def assert_right_or_refused(path: Path, right: WarmStart) -> None:
    """The file is read as it should be, or not at all."""
    try:
        found = read_warm_start(path)
    except ValueError as error:
        said = str(error)
    else:
        assert_same(found, right)
        return
    assert str(path) in said


def _text(path: Path) -> None:
    path.write_text("# not a start\n", "utf-8")


def _one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros((2, 24)))


def _pickled(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, row=np.array(["head", None], dtype=object))


def _other_arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, hub_kw=np.zeros((2, 24)))


@pytest.mark.parametrize(
    "write", [_text, _one_array, _pickled, _other_arrays], ids=lambda write: write.__name__[1:]
)
def test_another_file_is_refused(tmp_path, write) -> None:
    """Text, a lone array, pickled objects and a file of other arrays are no starts."""
    path = tmp_path / "other.npz"
    write(path)
    with pytest.raises(ValueError, match=r"other\.npz is no warm start, or not whole"):
        read_warm_start(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("multipliers.rows", lambda a: a[1:]),
        ("multipliers.imports", lambda a: a[:, 1:]),
        ("multipliers.exports", lambda a: a[0]),
        ("hub_kw", lambda a: a[:1]),
        ("hub_kw", lambda a: a.astype(str)),
        ("session", lambda a: a[1:]),
        ("schedule.charge_kw", lambda a: a[:, :-1]),
        ("schedule.energy_kwh", lambda a: a[:-1]),
        ("stations.solar_kw", lambda a: a[:1]),
        ("stations.charge_kw", None),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(file, tmp_path, name, change) -> None:
    """Hubs, slots, sessions and rows are as many in every part, and no part is missing."""
    with np.load(file) as whole:
        arrays = {key: whole[key] for key in whole.files}
    part = arrays.pop(name)
    if change is not None:
        arrays[name] = change(part)
    path = tmp_path / "odd.npz"
    with path.open("wb") as odd:
        np.savez(odd, **arrays)
    with pytest.raises(ValueError, match=r"odd\.npz is no warm start, or not whole"):
        read_warm_start(path)


def test_no_file_is_said_to_be_no_file(tmp_path) -> None:
    """Nothing there is another mistake than something wrong there."""
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        read_warm_start(tmp_path / "nowhere.npz")


@pytest.mark.parametrize(
    ("slots", "horizon", "length"),
    [(5, None, 19), (5, 24, 24), (0, 30, 30), (5, 10, 10), (40, 6, 6), (40, None, 0)],
)
def test_a_shifted_start_drops_slots_and_knows_nothing_of_new_ones(
    begun, slots, horizon, length
) -> None:
    """Slots that are over go, those that stay move up, and new ones hold nothing."""
    warm = begun[2].warm()
    later = warm.shifted(slots, horizon)
    kept = max(min(24 - slots, length), 0)
    parts = (
        ("multipliers", ("rows", "imports", "exports")),
        ("schedule", POWERS),
        ("stations", (*POWERS, "solar_kw")),
    )
    pairs = [(later.hub_kw, warm.hub_kw)]
    for part, names in parts:
        both = getattr(later, part), getattr(warm, part)
        pairs += [tuple(getattr(each, name) for each in both) for name in names]
    for new, old in pairs:
        assert new.shape == (len(old), length)
        np.testing.assert_array_equal(new[:, :kept], old[:, slots : slots + kept])
        assert not new[:, kept:].any()
    assert later.multipliers.row == warm.multipliers.row
    assert later.session.tolist() == warm.session.tolist()


def test_a_near_start_is_shifted_the_same(begun) -> None:
    """Shifting and leaving schedules behind may change places."""
    warm = begun[2].warm()
    assert_same(warm.near().shifted(3, 24), warm.shifted(3, 24).near())


@given(seeds, st.integers(0, 12), st.integers(0, 12))
@example(0, 0, 1)  # nobody before
@settings(max_examples=40)
def test_other_participants_in_another_order(
    small_situation, make_problem_of, seed, before, after
) -> None:
    """Sessions that a start knows take up their schedules, unknown ones are placed: no regrets.

    Some of before are gone, some are new, and all stand in another order; none may be known.
    """
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=12, solar=True)
    tariff = posted(situation)

    def joined_by(count: int, order: np.ndarray):
        fleet = situation.fleet.with_participating(rng.permutation(12) < count).select(order)
        return make_problem_of(replace(situation, fleet=fleet), promise=0.7)

    old, new = (
        joined_by(before, np.arange(12)),
        joined_by(after, rng.permutation(12)),
    )
    warm = dispatch(old, tariff, rounds=4).warm()
    place = {name: k for k, name in enumerate(old.fleet.session.tolist())}
    resumed = dispatch(new, tariff, rounds=0, warm=warm).schedule
    for k, name in enumerate(new.fleet.session.tolist()):
        for power in ("charge_kw", "discharge_kw"):
            had = getattr(warm.schedule, power)[place[name]] if name in place else np.zeros(24)
            np.testing.assert_allclose(getattr(resumed, power)[k], had, atol=1e-9)
    answer = dispatch(new, tariff, rounds=1, warm=warm)
    assert_feasible(new, answer.schedule)
    if after:
        assert worst_regret(new, tariff, answer.schedule) <= 1e-6


def test_strangers_alone_are_all_placed(begun) -> None:
    """A start that knows none of the sessions is one for stations and prices."""
    problem, tariff, first = begun
    names = np.char.add("new ", problem.fleet.session)
    fleet = replace(problem.situation.fleet, session=names)
    other = make_problem(replace(problem.situation, fleet=fleet), problem.limits, span_kw=20.0)
    answer = dispatch(other, tariff, rounds=3, warm=first.warm())
    assert answer.session.tolist() == names.tolist()
    assert_feasible(other, answer.schedule)
    assert worst_regret(other, tariff, answer.schedule) <= 1e-6


def test_multipliers_find_their_rows_by_name() -> None:
    """Rows that stay keep their prices, wherever they stand; new ones begin at nothing."""
    rows = np.arange(1.0, 9.0).reshape(4, 2)
    none = np.zeros((3, 2))
    known = Multipliers(("head", "-head", "lowest voltage", "branch"), rows, none, none, none[:0])
    wanted = ("head", "-head", "highest voltage", "branch", "lowest voltage")
    np.testing.assert_array_equal(
        known.on(wanted), [rows[0], rows[1], np.zeros(2), rows[3], rows[2]]
    )
    np.testing.assert_array_equal(known.on(known.row), rows)
    np.testing.assert_array_equal(known.on(("-head",)), rows[1:2])
    assert known.on(()).shape == (0, 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("a", "b"), ("b", "a")),
        (("a",), ("b", "a")),
        (("a", "b"), ("b",)),
        (("a",), ("b",)),
        ((), ("a",)),
        (("a",), ()),
    ],
)
def test_a_dispatch_takes_up_prices_by_name(begun, before, after) -> None:
    """Where rows of the feeder appear, vanish or change places, each has its own price again."""
    problem, tariff, first = begun
    slots = first.hub_kw.shape[1]

    def priced(name: str) -> np.ndarray:
        return np.full(slots, 0.01 * ord(name[0]))

    def with_rows(names):
        limits = problem.limits
        quiet = np.zeros((len(names), len(first.hub_kw), slots))
        return replace(
            problem,
            limits=replace(
                limits,
                row=(*limits.row[:2], *names),
                coefficient=np.concatenate([limits.coefficient[:2], quiet]),
                offset=np.concatenate([limits.offset[:2], quiet[:, 0]]),
                upper=np.concatenate([limits.upper[:2], quiet[:, 0] + np.inf]),
            ),
        )

    multipliers = replace(
        first.multipliers,
        row=(*problem.limits.row[:2], *before),
        rows=np.stack([*first.multipliers.rows[:2], *map(priced, before)]),
    )
    start = WarmStart(multipliers, first.hub_kw)
    answer = dispatch(with_rows(after), tariff, rounds=0, warm=start)
    assert answer.multipliers.row == (*problem.limits.row[:2], *after)
    np.testing.assert_array_equal(answer.multipliers.rows[:2], first.multipliers.rows[:2])
    for k, name in enumerate(after, 2):
        due = priced(name) if name in before else np.zeros(slots)
        np.testing.assert_array_equal(answer.multipliers.rows[k], due)
    np.testing.assert_array_equal(answer.multipliers.imports, first.multipliers.imports)


@pytest.mark.parametrize(("slots", "horizon"), [(-1, None), (-3, 24), (3, -2)])
def test_a_start_does_not_move_back(begun, slots, horizon) -> None:
    """Of slots before its own a start knows nothing."""
    with pytest.raises(ValueError, match="0 or more slots"):
        begun[2].warm().shifted(slots, horizon)


@pytest.mark.parametrize("near", [False, True])
def test_a_start_of_other_slots_is_refused(begun, near) -> None:
    """A start that was shifted to fewer slots says so, and what would be right."""
    problem, tariff, first = begun
    later = first.warm().shifted(3)
    with pytest.raises(ValueError, match="of 2 hubs and 21 slots, the problem of 2 and 24"):
        dispatch(problem, tariff, rounds=1, warm=later.near() if near else later)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["hub_kw", "multipliers.rows", "schedule.energy_kwh"])
def test_a_start_without_numbers_is_refused(file, tmp_path, name, value) -> None:
    """What is no number would be no number in every schedule that goes on from it."""
    with np.load(file) as whole:
        arrays = {key: whole[key] for key in whole.files}
    arrays[name] = np.where(np.arange(arrays[name].size).reshape(arrays[name].shape), 1.0, value)
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(ValueError, match="holds what is no finite number"):
        read_warm_start(tmp_path / "odd.npz")


def test_a_start_that_names_a_session_twice_is_refused(file, tmp_path) -> None:
    """Two schedules of one session are one too many."""
    with np.load(file) as whole:
        arrays = {key: whole[key] for key in whole.files}
    arrays["session"] = np.full(len(arrays["session"]), "s0")
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(ValueError, match="a session is there twice"):
        read_warm_start(tmp_path / "odd.npz")
