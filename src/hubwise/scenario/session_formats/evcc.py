"""evcc's charging sessions: its CSV in the language of the page, or the JSON of its API."""

from hubwise.scenario.session_formats.form import SessionFormat

_CREATED = (
    *("Created", "Startzeit", "Créé", "Creato", "Hora de inicio", "Aangemaakt"),
    *("Oprettet", "Starttid", "Stworzony"),
)
_FINISHED = (
    *("Finished", "Endzeit", "Terminé", "Finito", "Terminado", "Hora de finalización"),
    *("Beëindigd", "Færdig", "Sluttid", "Zakończony"),
)
_ENERGY = (
    *("Energy (kWh)", "Charged Energy (kWh)", "chargedEnergy", "Energie (kWh)"),
    *("Énergie (kWh)", "Energia (kWh)", "Energía (kWh)", "Energi (kWh)"),
)
_VEHICLE = (
    *("Vehicle", "Fahrzeug", "Véhicule", "Veicolo", "Vehículo", "Voertuig"),
    *("Køretøj", "Fordon", "Pojazd"),
)
_IDENTIFIER = (
    *("Identifier", "Kennung", "Identifiant", "Identificatore", "Identificador"),
    *("Identifikator", "Identifierare", "Identyfikator"),
)

FORMAT = SessionFormat(
    name="evcc charging sessions",
    known_by=(_CREATED, _FINISHED, _ENERGY),
    columns={
        "session": ("id",),
        "driver": (*_IDENTIFIER, *_VEHICLE),
        "vehicle": _VEHICLE,
        "station": (
            *("Charging point", "Loadpoint", "Ladepunkt", "Point de charge"),
            *("Punto di ricarica", "Punto de carga", "Oplaadpunt", "Laddplats", "Ładowarka"),
        ),
        "arrival": _CREATED,
        "departure": _FINISHED,
        "delivered_kwh": _ENERGY,
    },
)
