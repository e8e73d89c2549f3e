"""What stations say, rightly: to be said as it is, or spoiled."""

from __future__ import annotations

from live_site import T0, in_words, stay

Message = tuple[str, dict[str, object]]
AT = in_words(T0)
METER = [{"timestamp": AT, "sampledValue": [{"value": "1.5", "unit": "kWh", "phase": "L1"}]}]
NEW: tuple[Message, ...] = (
    (
        "BootNotification",
        {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"},
    ),
    (
        "StatusNotification",
        {"timestamp": AT, "evseId": 1, "connectorId": 1, "connectorStatus": "Occupied"},
    ),
    *(("TransactionEvent", each) for each in stay()),
    ("MeterValues", {"evseId": 1, "meterValue": stay()[0]["meterValue"]}),
    ("Authorize", {"idToken": {"idToken": "T", "type": "ISO14443"}}),
    ("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "DC"}}),
)


def known_to(protocol: str, transaction: int) -> tuple[Message, ...]:
    """Messages of a version; ``transaction`` is the number that 1.6 was given."""
    if protocol != "ocpp1.6":
        return NEW
    return (
        ("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}),
        (
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": AT},
        ),
        ("StartTransaction", {"connectorId": 1, "idTag": "T", "meterStart": 5, "timestamp": AT}),
        ("MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": METER}),
        (
            "StopTransaction",
            {
                "transactionId": transaction,
                "meterStop": 9,
                "timestamp": AT,
                "transactionData": METER,
            },
        ),
        ("Authorize", {"idTag": "T"}),
        ("DataTransfer", {"vendorId": "V", "data": "x"}),
    )
