"""Charging profiles: what a station is to do, and how each version of OCPP writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from hubwise.edge.ocpp.frames import Json

SLOT_SECONDS = 900
# Without a word from the site for longer, a station falls back on what lies below [s].
LASTS_SECONDS = 2 * SLOT_SECONDS
# How often a station asks for a dynamic profile by itself, which keeps it alive, too [s].
PULL_SECONDS = 300
# One identifier for each purpose and EVSE: whatever comes later takes its place.
DEFAULT_ID, WAITING_ID, SESSION_ID = 1, 1_000, 2_000


class Mode(StrEnum):
    """OCPP's words for how power is set."""

    CHARGING = "ChargingOnly"
    CENTRAL = "CentralSetpoint"
    IDLE = "Idle"


@dataclass(frozen=True, slots=True)
class Step:
    """From so many seconds on, so much power [kW]; below 0 it is given back."""

    seconds: int
    kw: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What a station is to do at an EVSE.

    Parameters
    ----------
    evse
        Where; 0 is the whole station.
    transaction
        In which transaction; empty for any.
    steps
        Power over time, from ``at`` on [kW]: the most that may be drawn, and in the mode
        `Mode.CENTRAL` what is drawn, below 0 given.
    at
        When the first step begins.
    mode
        How power is set (2.1).
    dynamic
        Whether single set-points will follow (2.1).
    """

    evse: int
    transaction: str
    steps: tuple[Step, ...]
    at: datetime
    mode: Mode = Mode.CHARGING
    dynamic: bool = False

    @property
    def number(self) -> int:
        """Its identifier."""
        if self.transaction:
            return SESSION_ID + self.evse
        return WAITING_ID + self.evse if self.evse else DEFAULT_ID

    @property
    def purpose(self) -> str:
        """OCPP's word for what it is for."""
        return "TxProfile" if self.transaction else "TxDefaultProfile"

    @property
    def level(self) -> int:
        """The safe limit lies below, everything else above."""
        return 1 if self.transaction or self.evse else 0


def in_words(at: datetime) -> str:
    """A time as OCPP writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def watts(kw: float) -> float:
    """As OCPP's schedules have it, to a tenth [W]."""
    return round(kw * 1_000, 1)


def schedule_of(profile: Profile, periods: list[Json]) -> Json:
    """What all versions' schedules have; the safe limit has no end."""
    made: Json = {
        "startSchedule": in_words(profile.at),
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": periods,
    }
    return {**made, "duration": LASTS_SECONDS} if profile.level else made


def limits_of(profile: Profile) -> list[Json]:
    """Periods of a version that knows limits alone."""
    return [{"startPeriod": each.seconds, "limit": watts(each.kw)} for each in profile.steps]


def modes_of(profile: Profile) -> list[Json]:
    """Periods of 2.1: idle carries no number, a set-point no limit."""
    word = {Mode.CHARGING: "limit", Mode.CENTRAL: "setpoint"}.get(profile.mode)
    return [
        {
            "startPeriod": each.seconds,
            "operationMode": profile.mode.value,
            **({word: watts(each.kw)} if word else {}),
        }
        for each in profile.steps
    ]


def for_16(profile: Profile) -> Json:
    """SetChargingProfile of 1.6."""
    made: Json = {
        "chargingProfileId": profile.number,
        "stackLevel": profile.level,
        "chargingProfilePurpose": profile.purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule_of(profile, limits_of(profile)),
    }
    if profile.transaction:
        made["transactionId"] = int(profile.transaction)
    return {"connectorId": profile.evse, "csChargingProfiles": made}


def for_201(profile: Profile) -> Json:
    """SetChargingProfile of 2.0.1."""
    return _for_2(profile, schedule_of(profile, limits_of(profile)), {})


def for_21(profile: Profile) -> Json:
    """SetChargingProfile of 2.1."""
    schedule = schedule_of(profile, modes_of(profile))
    extra: Json = {"maxOfflineDuration": LASTS_SECONDS} if profile.transaction else {}
    if profile.dynamic:
        del schedule["startSchedule"]
        extra |= {"chargingProfileKind": "Dynamic", "dynUpdateInterval": PULL_SECONDS}
        extra["dynUpdateTime"] = in_words(profile.at)
    return _for_2(profile, schedule, extra)


def _for_2(profile: Profile, schedule: Json, extra: Json) -> Json:
    made: Json = {
        "id": profile.number,
        "stackLevel": profile.level,
        "chargingProfilePurpose": profile.purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [{"id": profile.number, **schedule}],
        **extra,
    }
    if profile.transaction:
        made["transactionId"] = profile.transaction
    return {"evseId": profile.evse, "chargingProfile": made}
