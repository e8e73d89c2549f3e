"""OCPI: charge detail records and sessions, as JSON or as a table; stamps are UTC."""

from hubwise.scenario.session_formats.form import SessionFormat

FORMAT = SessionFormat(
    name="OCPI charge detail records",
    known_by=(("start_date_time", "start_datetime"), ("total_energy", "kwh")),
    columns={
        "session": ("id", "session_id"),
        "driver": (
            *("cdr_token.uid", "cdr_token_uid", "token_uid", "auth_id"),
            *("cdr_token.contract_id", "contract_id"),
        ),
        "hub": ("cdr_location.id", "location.id", "cdr_location_id", "location_id"),
        "station": (
            *("cdr_location.evse_uid", "evse_uid", "location.evses.uid"),
            *("cdr_location.evse_id", "evse_id", "location.evses.evse_id"),
        ),
        "connector": ("cdr_location.connector_id", "connector_id", "location.evses.connectors.id"),
        "arrival": ("start_date_time", "start_datetime"),
        "departure": ("end_date_time", "stop_date_time", "end_datetime"),
        "duration": ("total_time",),
        "delivered_kwh": ("total_energy", "kwh"),
        "credit": ("credit",),
        "takes_back": ("credit_reference_id",),
    },
    zone="UTC",
)
