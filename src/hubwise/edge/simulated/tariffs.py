"""Tariffs as a simulated station keeps them (2.1): one for each scope, others are refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from hubwise.edge.simulated.link import Json

# A station says of a tariff of more elements that they are too many.
MOST_ELEMENTS = 48


@dataclass(slots=True)
class Tariffs:
    """Default tariffs by EVSE; 0 is of all of them."""

    kept: dict[int, Json] = field(default_factory=dict)

    def set(self, said: Json) -> Json:
        """SetDefaultTariff: in the place of the one of the same scope."""
        evse, tariff = said.get("evseId"), said.get("tariff")
        if not isinstance(evse, int) or evse > 1 or not isinstance(tariff, dict):
            return {"status": "Rejected"}
        if any(
            each["tariffId"] == tariff["tariffId"] and (where != evse or each != tariff)
            for where, each in self.kept.items()
        ):
            return {"status": "DuplicateTariffId"}
        if len(tariff.get("energy", {}).get("prices", ())) > MOST_ELEMENTS:
            return {"status": "TooManyElements"}
        self.kept[evse] = tariff
        return {"status": "Accepted"}

    def get(self, said: Json) -> Json:
        """GetTariffs of an EVSE, or of all."""
        found = [
            {"tariffId": tariff["tariffId"], "tariffKind": "DefaultTariff", "evseIds": [evse]}
            for evse, tariff in self.kept.items()
            if said.get("evseId") in (0, evse)
        ]
        return (
            {"status": "Accepted", "tariffAssignments": found} if found else {"status": "NoTariff"}
        )

    def clear(self, said: Json) -> Json:
        """ClearTariffs: those named, or all; at one EVSE, or anywhere."""
        named, evse = said.get("tariffIds"), said.get("evseId")
        gone = [
            (where, str(tariff["tariffId"]))
            for where, tariff in self.kept.items()
            if (not isinstance(named, list) or tariff["tariffId"] in named)
            and evse in (None, 0, where)
        ]
        for where, _ in gone:
            del self.kept[where]
        result = [{"tariffId": name, "status": "Accepted"} for _, name in gone]
        return {"clearTariffsResult": result or [{"status": "NoTariff"}]}

    def at(self, evse: int) -> Json | None:
        """What a car that comes now is charged by: its EVSE's own, or that of all."""
        return self.kept.get(evse, self.kept.get(0))
