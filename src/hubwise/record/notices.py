"""What drivers are told before the stay, in words: one sentence a case, said in one place."""

from __future__ import annotations

from collections.abc import Iterable

from hubwise.ledger import in_cents

NOT_KEPT = "This plan does not keep to your wish."


def too_short(required_kwh: float, reach_kwh: float, clock: str, *, tapers: bool) -> str:
    """What a driver is told whose stay, until ``clock``, cannot bring what is required.

    ``tapers``: whether the car takes less power near full, which a stronger charger does not mend.
    What ends in a half but for rounding of sums ends in a half.
    """
    required, reach = round(float(required_kwh), 9), round(float(reach_kwh), 9)
    power = "full power, of which your car takes less near full," if tapers else "full power,"
    return (
        f"By {clock} your stay can bring {reach:.1f} kWh at {power} not the "
        f"{required:.1f} kWh that you require: {round(required - reach, 9):.1f} kWh will be "
        f"missing. Stay longer{'' if tapers else ', or take a stronger charger'}."
    )


def shared_fuse(asked_kwh: float, promised_kwh: float, clock: str) -> str:
    """What a driver is told whose hub's connection cannot bring what is asked for."""
    asked, promised = round(float(asked_kwh), 9), round(float(promised_kwh), 9)
    return (
        f"More is asked for at this hub than its connection and circuits can bring: by {clock} "
        f"you are promised {promised:.1f} kWh, not the {asked:.1f} kWh that you ask for; "
        f"{round(asked - promised, 9):.1f} kWh will be missing. Stay longer, or come when fewer "
        "cars are here."
    )


def missing_energy(
    asked_kwh: float, required_kwh: float, reach_kwh: float, clock: str, *, tapers: bool
) -> str:
    """What a driver is told who will leave with less than was asked for, and why.

    ``required_kwh``: what is promised of it; ``reach_kwh``: what the stay can bring of that.
    """
    if asked_kwh > required_kwh:
        return shared_fuse(asked_kwh, min(required_kwh, reach_kwh), clock)
    return too_short(required_kwh, reach_kwh, clock, tapers=tapers)


def arrives_low(reserve_kwh: float, arrival_kwh: float) -> str:
    """What a driver is told who arrives below the own reserve."""
    return (
        f"You arrive with {arrival_kwh:.1f} kWh, below your reserve of {reserve_kwh:.1f} kWh: you "
        "are charged to it first, at full power, and nothing is drawn before."
    )


def declines(minimum: float, could: float, most: float, currency: str) -> str:
    """What a driver is told who could save less than the minimum at the posted prices.

    ``most`` is what no lawful tariff passes; it is said where that, too, is less. What is half a
    cent but for rounding of sums is half a cent.
    """
    amounts = (round(float(amount), 9) for amount in (could, minimum, most))
    would, wants, can = in_cents(amounts, currency)
    said = (
        f"At the posted prices you would save {would} {currency}, less than the {wants} {currency} "
        "that you ask for: you do not take part, charge at once and pay the reference tariff."
    )
    no_way = f" No lawful tariff could save you more than {can} {currency}."
    return said + (no_way if most < minimum else "")


def notices_in_short(
    session: Iterable[str], wish: Iterable[str], notice: Iterable[str], most: int = 5
) -> list[str]:
    """What drivers have to be told, in a sentence a kind of wish; columns as in `Wishes`."""
    rows = [(name, kind) for name, kind, text in zip(session, wish, notice, strict=True) if text]
    said = []
    for kind, words in _KINDS.items():
        names = [str(name) for name, of in rows if of == kind]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        if names:
            count = f"{len(names)} session{'s' if len(names) > 1 else ''}"
            said.append(f"{words}: {count} ({', '.join(names[:most])}{more})")
    return said


_KINDS = {
    "departure_slot": "not ready at departure",
    "required_kwh": "leaving with less energy than required",
    "reserve_kwh": "arriving below the reserve, and charged to it first",
    "discharge_limit_kwh": "drawn from more than allowed",
    "fade_limit_per_year": "losing more capacity than accepted",
    "never_discharge": "discharged against the driver's wish",
    "minimum_saving": "not taking part, as it would save less than asked for",
}
