"""The driver's statement: what a plan costs, earns and saves a driver, and what it does to the car.

Made from a plan folder alone. Amounts are in the currency's smallest unit: every amount is rounded
on its own and sums are sums of what is shown, so they agree to the cent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from hubwise.domain.why import Spoken
from hubwise.ledger import in_cents
from hubwise.record.folder import PlanFolder

WORTHWHILE = Decimal("0.20")
"""Share of the charging cost that earnings have to cover for most owners to consider it."""

Clock = Callable[[float], datetime]

AMOUNTS = ("paid", "earned", "wear", "reference_cost", "credited")


class UnknownDriverError(LookupError):
    """No driver of this name is in the plan; ``known`` holds those who are."""

    def __init__(self, driver: str, known: tuple[str, ...]) -> None:
        """Keep the name that was asked for, and the known ones."""
        self.driver, self.known = driver, known
        super().__init__(f"{driver!r} is no driver of this plan")


@dataclass(frozen=True, slots=True)
class Honoured:
    """A wish, and what became of it.

    The fields are columns of wishes.parquet (``notice`` is called ``told`` there), and the wish,
    what was asked and what is given in words.
    """

    wish: str
    title: str
    asked_words: str
    given_words: str
    asked: float
    given: float
    honoured: bool
    notice: str

    def to_dict(self) -> dict[str, object]:
        """The wish in JSON's own types."""
        fields = {name: getattr(self, name) for name in Honoured.__slots__}
        return {**fields, "told": fields.pop("notice")}


@dataclass(frozen=True, slots=True)
class Money:
    """Amounts in the currency's smallest unit; they add up as shown.

    Parameters
    ----------
    paid, earned, wear
        For charging, from discharging, and in battery life by the linear wear cost.
    reference_cost
        What charging at once at the reference tariff costs.
    credited
        By the operator, for a schedule that costs more than the least.
    """

    paid: Decimal
    earned: Decimal
    wear: Decimal
    reference_cost: Decimal
    credited: Decimal = Decimal(0)

    @classmethod
    def summed(cls, parts: Iterable[Money]) -> Money:
        """Amounts of several added up."""
        found = list(parts)
        return cls(*(sum((getattr(one, name) for one in found), Decimal()) for name in AMOUNTS))

    @property
    def net_cost(self) -> Decimal:
        """``paid - earned + wear - credited``."""
        return self.paid - self.earned + self.wear - self.credited

    @property
    def saving(self) -> Decimal:
        """``reference_cost - net_cost``."""
        return self.reference_cost - self.net_cost

    @property
    def saving_share(self) -> float | None:
        """Saving as a share of the reference cost; none where that is nothing."""
        return float(self.saving / self.reference_cost) if self.reference_cost > 0 else None

    @property
    def earned_share(self) -> float | None:
        """Earnings as a share of the charging cost; none where that is nothing."""
        return float(self.earned / self.paid) if self.paid > 0 else None

    @property
    def worthwhile(self) -> bool:
        """Whether earnings cover `WORTHWHILE` of the charging cost."""
        return self.earned > 0 and self.earned >= WORTHWHILE * self.paid

    def to_dict(self) -> dict[str, object]:
        """Amounts as text, shares as numbers."""
        names = (*AMOUNTS, "net_cost", "saving")
        amounts = {name: str(getattr(self, name)) for name in names}
        shares = {"saving_share": self.saving_share, "earned_share": self.earned_share}
        return {**amounts, **shares, "covers_a_fifth": self.worthwhile}


@dataclass(frozen=True, slots=True)
class StayStatement:
    """One session.

    Parameters
    ----------
    session, hub
        Which, and where.
    arrival, departure
        On the site's clock; the departure as stated.
    participating, declined
        Whether it takes part, and if not, whether it was asked and would have saved too little.
    money
        What it costs, earns and saves.
    energy
        Figures in kWh: ``charged_kwh`` and ``discharged_kwh`` at the charger; ``arrival_kwh``,
        ``departure_kwh``, ``required_kwh``, ``lowest_kwh``, ``reserve_kwh``, ``above_reserve_kwh``
        (lowest less reserve) and ``capacity_kwh`` in the battery.
    battery
        Cycles and fade of the day by driving and by discharging, wear by the nonlinear model, and
        the warranty meter: ``throughput_kwh`` with this day, ``warranty_kwh``, ``warranty_used``.
    wishes
        What was wished, and what became of it.
    why
        Why the car does what it does, from its arrival to its departure; empty where the folder
        does not bear it out.
    """

    session: str
    hub: str
    arrival: datetime
    departure: datetime
    participating: bool
    declined: bool
    money: Money
    energy: dict[str, float]
    battery: dict[str, float | None]
    wishes: tuple[Honoured, ...]
    why: tuple[Spoken, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The statement in JSON's own types."""
        return {
            "session": self.session,
            "hub": self.hub,
            "arrival": self.arrival.isoformat(),
            "departure": self.departure.isoformat(),
            "participating": self.participating,
            "declined": self.declined,
            **self.money.to_dict(),
            **self.energy,
            **self.battery,
            "wishes": [wish.to_dict() for wish in self.wishes],
            "why": [each.to_dict() for each in self.why],
        }


@dataclass(frozen=True, slots=True)
class Statement:
    """A driver's sessions in a plan, and what they come to."""

    driver: str
    scenario: str
    currency: str
    stays: tuple[StayStatement, ...]

    @property
    def money(self) -> Money:
        """The sums of all stays."""
        return Money.summed(stay.money for stay in self.stays)

    @property
    def line(self) -> str:
        """The statement in one sentence."""
        return one_line(self)

    def to_dict(self) -> dict[str, object]:
        """The statement in JSON's own types; amounts of money are text."""
        return {
            "driver": self.driver,
            "scenario": self.scenario,
            "currency": self.currency,
            "line": self.line,
            "total": self.money.to_dict(),
            "sessions": [stay.to_dict() for stay in self.stays],
        }


def make_statement(folder: PlanFolder, driver: str) -> Statement:
    """The statement of one driver, participating or not, from a plan folder.

    Raises
    ------
    UnknownDriverError
        If no session of the plan is this driver's.
    """
    mine = _made(folder, statement_rows(folder, driver), driver)
    if not mine:
        known = folder.tables["sessions"]["driver"].unique(maintain_order=True)
        raise UnknownDriverError(driver, tuple(known.to_list()))
    return mine[0]


def make_statements(folder: PlanFolder) -> list[Statement]:
    """The statements of all drivers of a plan folder, in the order of their first sessions."""
    return _made(folder, statement_rows(folder))


def _made(folder: PlanFolder, rows: pl.DataFrame, driver: str | None = None) -> list[Statement]:
    """The statements of the drivers in ``rows``, who are one where ``driver`` is given."""
    currency, clock = str(folder.summary["currency"]), clock_of(folder)
    table = folder.tables["wishes"]
    wishes: dict[str, list[dict[str, Any]]] = {}
    for wish in table.filter(_of(driver)).iter_rows(named=True):
        wishes.setdefault(wish["session"], []).append(wish)
    stays: dict[str, list[StayStatement]] = {}
    for row in rows.iter_rows(named=True):
        stay = _stay(row, wishes.get(row["session"], []), clock, currency)
        stays.setdefault(row["driver"], []).append(stay)
    scenario = str(folder.summary["scenario"])
    return [Statement(name, scenario, currency, tuple(own)) for name, own in stays.items()]


def _of(driver: str | None) -> pl.Expr:
    return pl.lit(True) if driver is None else pl.col("driver") == driver


def statement_rows(folder: PlanFolder, driver: str | None = None) -> pl.DataFrame:
    """Sessions, bills and ageing side by side, unrounded: one row a session; of one driver or all.

    Beside the tables' columns: ``departure_kwh``, ``lowest_kwh`` (arrival included), ``driven_kwh``
    (over the horizon) and ``declined``.
    """
    tables = folder.tables
    sessions = tables["sessions"].filter(_of(driver))
    ids = sessions.select("session")
    energy = (
        tables["schedule"]
        .join(ids, on="session", how="semi")
        .group_by("session")
        .agg(departure_kwh=pl.col("energy_kwh").last(), lowest_kwh=pl.col("energy_kwh").min())
    )
    declined = tables["wishes"].filter(
        (pl.col("wish") == "minimum_saving") & (pl.col("told").str.len_chars() > 0)
    )
    rows = sessions
    for table in (tables["bills"], tables["ageing"], energy):
        new = [c for c in table.columns if c == "session" or c not in rows.columns]
        rows = rows.join(table.select(new), on="session", how="left", maintain_order="left")
    _, step, slots = _slots(folder)
    days = slots * step / timedelta(days=1)
    return rows.with_columns(
        driven_kwh=pl.col("driving_kwh_per_day") * days,
        lowest_kwh=pl.min_horizontal("lowest_kwh", "arrival_kwh"),
        declined=pl.col("session").is_in(declined["session"].implode()),
    )


def clock_of(folder: PlanFolder) -> Clock:
    """When each slot starts, on the site's clock; a fraction is inside a slot."""
    first, step, _ = _slots(folder)
    zone = ZoneInfo(str(folder.summary["zone"]))
    return lambda slot: (first + slot * step).astimezone(zone)


def _slots(folder: PlanFolder) -> tuple[datetime, timedelta, int]:
    """Start of the first slot, length of each, and their number."""
    starts = folder.tables["prices"]["start_utc"].unique().sort()
    first, last = starts[0], starts[-1]
    return first, (last - first) / max(len(starts) - 1, 1), len(starts)


def _stay(
    row: dict[str, Any], wishes: list[dict[str, Any]], clock: Clock, currency: str
) -> StayStatement:
    money, zone = in_cents((row[name] for name in AMOUNTS), currency), clock(0).tzinfo
    return StayStatement(
        session=row["session"],
        hub=row["hub"],
        arrival=row["arrival_utc"].astimezone(zone),
        departure=row["departure_utc"].astimezone(zone),
        participating=row["participating"],
        declined=row["declined"],
        money=Money(*money),
        energy={name: row[name] for name in _ENERGY}
        | {"above_reserve_kwh": row["lowest_kwh"] - row["reserve_kwh"]},
        battery=_battery(row),
        wishes=tuple(_honoured(wish, clock, currency) for wish in wishes),
    )


_TITLES = {
    "departure_slot": "Ready by",
    "required_kwh": "Energy at departure, at least",
    "reserve_kwh": "Energy never below",
    "discharge_limit_kwh": "Drawn from the battery, at most",
    "fade_limit_per_year": "Capacity lost to the grid a year, at most",
    "never_discharge": "Never discharge",
    "minimum_saving": "Saving for taking part, at least",
}


def _honoured(row: dict[str, Any], clock: Clock, currency: str) -> Honoured:
    def words(value: float) -> str:
        match row["wish"]:
            case "departure_slot":
                return f"{clock(value):%H:%M}"
            case "fade_limit_per_year":
                return f"{100 * value:.3g} %"
            case "minimum_saving":
                return f"{in_cents((value,), currency)[0]} {currency}"
            case _:
                return f"{value:.1f} kWh"

    return Honoured(
        wish=row["wish"],
        title=_TITLES[row["wish"]],
        asked_words="" if row["wish"] == "never_discharge" else words(row["asked"]),
        given_words=words(row["given"]),
        asked=row["asked"],
        given=row["given"],
        honoured=row["honoured"],
        notice=row["told"],
    )


_ENERGY = (
    "charged_kwh",
    "discharged_kwh",
    "arrival_kwh",
    "departure_kwh",
    "required_kwh",
    "lowest_kwh",
    "reserve_kwh",
    "capacity_kwh",
)
_AGEING = (
    "equivalent_full_cycles_driving",
    "equivalent_full_cycles_v2g",
    "fade_driving",
    "fade_v2g",
    "wear_nonlinear",
    "warranty_used",
)


def _battery(row: dict[str, Any]) -> dict[str, float | None]:
    """What the day does to the battery; no warranty where none is stated."""
    drawn = row["discharged_kwh"] / row["discharge_efficiency"]
    stated = math.isfinite(row["warranty_kwh"])
    return {
        **{name: row[name] for name in _AGEING},
        "drawn_kwh": drawn,
        "throughput_kwh": row["throughput_kwh"] + row["driven_kwh"] + drawn,
        "warranty_kwh": row["warranty_kwh"] if stated else None,
        "warranty_v2g": drawn / row["warranty_kwh"] if stated else None,
    }


def one_line(statement: Statement) -> str:
    """A statement as one sentence that a person understands.

    Such as: You paid 8.20 EUR for 21 kWh and earned 3.10 EUR; 41 % less than on the reference
    tariff, wear included; your battery lost 0.004 % to the grid.
    """
    money, unit = statement.money, statement.currency
    kwh = sum(stay.energy["charged_kwh"] for stay in statement.stays)
    paid = f"You paid {money.paid} {unit} for {_whole(kwh)} kWh"
    if not any(stay.participating for stay in statement.stays):
        return f"{paid} on the reference tariff: {_why_not(statement)}"
    sent_back = sum(stay.energy["discharged_kwh"] for stay in statement.stays) > 0
    earned = f" and earned {money.earned} {unit}" if sent_back else ""
    return f"{paid}{earned}; {_compared(money, wears=sent_back)}; {_lost(statement, sent_back)}."


def _why_not(statement: Statement) -> str:
    if any(stay.declined for stay in statement.stays):
        return "taking part would have saved you less than you ask for."
    return "you did not take part."


def _compared(money: Money, *, wears: bool) -> str:
    share = money.saving_share
    if share is None or money.saving == 0:
        return "as much as on the reference tariff"
    more = "less" if share > 0 else "more"
    return f"{_percent(abs(share))} {more} than on the reference tariff" + (
        ", wear included" if wears else ""
    )


def _lost(statement: Statement, sent_back: bool) -> str:
    if not sent_back:
        return "your battery gave nothing to the grid"
    fade = sum(stay.battery["fade_v2g"] or 0.0 for stay in statement.stays)
    if fade < 0:
        return f"giving to the grid spared your battery {_tiny_percent(-fade)}, resting less full"
    return f"your battery lost {_tiny_percent(fade)} to the grid"


def _whole(kwh: float) -> str:
    """Energy as people say it: whole where it is large."""
    return f"{kwh:.0f}" if kwh >= 10 else f"{kwh:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.0095 else "less than 1 %"


def _tiny_percent(share: float) -> str:
    """A small share in one digit, such as 0.004 %."""
    if share < 5e-7:
        return "less than 0.0001 %"
    digits = max(-math.floor(math.log10(100 * share)), 0)
    return f"{100 * share:.{min(digits, 4)}f} %"
