"""A table that calls its columns by the usual words, in English and its neighbours' languages."""

from hubwise.scenario.session_formats.form import SessionFormat

_ARRIVAL = (
    *("Arrival", "Arrival Time", "Plug in", "Plug in time", "Plugged in", "Connected at"),
    *("Connection time", "Connect time", "Start", "Start time", "Session start", "Started"),
    *("Started at", "Start Date Time", "Start timestamp", "Start of session", "Date started"),
    *("Ankunft", "Ankunftszeit", "Angesteckt", "Beginn", "Startzeit", "Ladebeginn"),
    *("Aankomst", "Aankomsttijd", "Starttijd", "Begintijd", "Starttid", "Ankomst"),
    *("Arrivée", "Heure d'arrivée", "Début", "Date de début", "Llegada", "Inicio", "Arrivo"),
)  # fmt: skip
_DEPARTURE = (
    *("Departure", "Departure Time", "Plug out", "Plug out time", "Unplugged", "Disconnected at"),
    *("Disconnection time", "Disconnect time", "End", "End time", "Session end", "Ended"),
    *("Ended at", "End Date Time", "End timestamp", "End of session", "Date ended", "Stop time"),
    *("Abfahrt", "Abfahrtszeit", "Abgesteckt", "Ende", "Endzeit", "Ladeende", "Endzeitpunkt"),
    *("Vertrek", "Vertrektijd", "Eindtijd", "Sluttid", "Avgang"),
    *("Départ", "Heure de départ", "Fin", "Date de fin", "Salida", "Partenza", "Fine"),
)
_DURATION = (
    *("Duration", "Duration (h)", "Duration (min)", "Duration (s)", "Duration (hh:mm:ss)"),
    *("Duration (minutes)", "Duration (hours)", "Session duration", "Charging duration"),
    *("Plug-in duration", "Connected time", "Connection duration", "Time connected"),
    *("Dauer", "Dauer (h)", "Dauer (min)", "Ladedauer", "Standzeit", "Duur", "Duur (min)"),
    *("Laadduur", "Durée", "Durée (min)", "Duración", "Durata", "Varaktighet", "Varighed"),
)
_ENERGY = (
    *("Energy", "Energy (kWh)", "Energy (Wh)", "Energy delivered (kWh)", "Energy consumed (kWh)"),
    *("Energy kWh", "Energy Added (kWh)", "Charged energy (kWh)", "Consumption (kWh)", "kWh"),
    *("Total kWh", "Total energy (kWh)", "kWh delivered", "Energy used (kWh)", "Energy [kWh]"),
    *("Energie", "Energie (kWh)", "Energie (Wh)", "Geladene Energie (kWh)", "Verbrauch (kWh)"),
    *("Geladen (kWh)", "Verbruik (kWh)", "Geladen energie (kWh)", "Énergie (kWh)", "Énergie (Wh)"),
    *("Énergie délivrée (kWh)", "Energía (kWh)", "Energia (kWh)", "Energi (kWh)"),
)

FORMAT = SessionFormat(
    name="a table with the usual names of columns",
    known_by=(_ARRIVAL, (*_DEPARTURE, *_DURATION), _ENERGY),
    columns={
        "session": ("Session ID", "Session", "Transaction ID", "ID"),
        "driver": ("Driver", "User ID", "User", "Card", "RFID", "Fahrer", "Bestuurder"),
        "vehicle": ("Vehicle", "Car", "Fahrzeug", "Voertuig", "Véhicule"),
        "hub": ("Hub", "Site", "Location", "Standort", "Locatie"),
        "station": ("Charger", "Charger ID", "Station", "Station ID", "Charging station",
                    "Ladepunkt", "Laadpunt", "Ladestation", "Laadpaal", "Borne", "Point de charge"),
        "connector": ("Connector", "Connector ID", "Plug", "Socket"),
        "arrival": _ARRIVAL,
        "departure": _DEPARTURE,
        "duration": _DURATION,
        "delivered_kwh": _ENERGY,
    },
)  # fmt: skip
