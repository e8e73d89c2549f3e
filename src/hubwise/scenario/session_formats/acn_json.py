"""ACN-Data as its web page and its API give it: JSON, stamps in GMT, what drivers asked for."""

from hubwise.scenario.session_formats.form import SessionFormat

FORMAT = SessionFormat(
    name="ACN-Data (JSON)",
    known_by=(("connectionTime",), ("disconnectTime",), ("kWhDelivered",)),
    columns={
        "session": ("sessionID", "_id"),
        "driver": ("userID", "userInputs.userID"),
        "hub": ("siteID",),
        "station": ("stationID", "spaceID"),
        "arrival": ("connectionTime",),
        "departure": ("disconnectTime",),
        "stated_departure": ("userInputs.requestedDeparture",),
        "stated_minutes": ("userInputs.minutesAvailable",),
        "place_zone": ("timezone",),
        "energy_kwh": ("userInputs.kWhRequested",),
        "delivered_kwh": ("kWhDelivered",),
    },
    zone="UTC",
)
