"""ElaadNL's open transactions of public charge points; stamps are UTC."""

from hubwise.scenario.session_formats.form import SessionFormat

FORMAT = SessionFormat(
    name="ElaadNL open transactions",
    known_by=(("UTCTransactionStart",),),
    columns={
        "session": ("TransactionId",),
        "driver": ("StartCard",),
        "hub": ("ChargePoint", "ChargePointId"),
        "station": ("ChargePoint", "ChargePointId"),
        "connector": ("Connector", "ConnectorId"),
        "arrival": ("UTCTransactionStart",),
        "departure": ("UTCTransactionStop",),
        "duration": ("ConnectedTime",),
        "delivered_kwh": ("TotalEnergy",),
        "charge_kw": ("MaxPower",),
    },
    zone="UTC",
    home="Europe/Amsterdam",
)
