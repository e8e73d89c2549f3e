"""Tables of sessions in any language: what they hold tells what columns mean, or is asked about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.scenario.foreign_sessions import ForeignSessions, Told, read_foreign_sessions
from hubwise.scenario.reading import Reader

START = datetime(2025, 5, 14, 6, tzinfo=UTC)
# evcc's words for its columns, in languages whose words no other test has.
EVCC = {
    "Danish": "Oprettet;Færdig;Ladepunkt;Identifikator;Køretøj;Kilometertal (km);"
    "Målerstart (kWh);Målerstop (kWh);Energi (kWh)",
    "Swedish": "Starttid;Sluttid;Laddplats;Identifierare;Fordon;Mätarställning (km);"
    "Mätare start (kWh);Mätare slut (kWh);Energi (kWh)",
    "Polish": "Stworzony;Zakończony;Ładowarka;Identyfikator;Pojazd;Przebieg (km);"
    "Licznik początek (kWh);Licznik koniec (kWh);Energia (kWh)",
    "Spanish": "Hora de inicio;Hora de finalización;Punto de carga;Identificador;Vehículo;"
    "Kilometraje (km);Inicio de metro (kWh);Parón de metro (kWh);Energía (kWh)",
}


def read(folder: Path, content: str) -> tuple[ForeignSessions | None, Reader]:
    (folder / "file").write_text(content, encoding="utf-8")
    reader = Reader(folder)
    return read_foreign_sessions(reader, "file", Told(site_zone="Europe/Amsterdam")), reader


@pytest.mark.parametrize("language", EVCC)
def test_evcc_is_known_in_the_language_of_its_page(tmp_path: Path, language: str) -> None:
    """With its charger, its card and its car."""
    row = "2025-05-14 08:10:21;2025-05-14 16:40:02;Carport;card;blue;20311;1250,9;1269,1;18,2"
    found, reader = read(tmp_path, f"\ufeff{EVCC[language]}\n{row}\n")
    assert found is not None
    assert not reader.issues
    assert "Sessions are read as evcc charging sessions." in found.notes
    (stay,) = found.stays
    assert stay.arrival is not None
    assert stay.departure is not None
    assert (stay.station, stay.driver, stay.vehicle) == ("Carport", "card", "blue")
    assert (f"{stay.arrival:%H:%M:%S}", f"{stay.departure:%H:%M:%S}") == ("08:10:21", "16:40:02")
    assert stay.energy_kwh == 18.2


STAYS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 900), st.integers(5, 800)), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None)
@given(stays=STAYS, order=st.sampled_from(list(permutations(range(4)))), metered=st.booleans())
def test_columns_in_any_order_are_known_by_what_they_hold(
    stays: list[tuple[int, int, int]],
    order: tuple[int, ...],
    metered: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Arrival, departure and energy under words of no language that is known, others beside."""
    names = ["Tuli", "Lähti", "Ladattu (kWh)", "Auto"]
    meter, rows = 5000.0, []
    for k, (after, minutes, tenths) in enumerate(stays):
        begin = START + timedelta(minutes=after)
        end, energy = begin + timedelta(minutes=minutes), tenths / 10
        cells = [f"{begin:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}", f"{energy}", f"car {k}"]
        readings = [f"{meter:.1f}", f"{meter + energy:.1f}"] if metered else []
        rows.append([*(cells[k] for k in order), *readings])
        meter += energy
    header = [*(names[k] for k in order), *(["Alku (kWh)", "Loppu (kWh)"] if metered else [])]
    text = "\n".join(";".join(row) for row in [header, *rows])
    found, reader = read(tmp_path_factory.mktemp("shown"), text)
    assert found is not None, reader.issues
    for stay, (after, minutes, tenths) in zip(found.stays, stays, strict=True):
        begin = (START + timedelta(minutes=after)).replace(tzinfo=None)
        assert (stay.arrival, stay.departure) == (begin, begin + timedelta(minutes=minutes))
        assert stay.energy_kwh == tenths / 10
    said = "'Tuli' is taken for the arrival, 'Lähti' for the departure, 'Ladattu (kWh)' for"
    assert any(said in note for note in found.notes)


@pytest.mark.parametrize(
    "content",
    [
        # A third moment, and a second energy that no meter explains: either may be meant.
        "Tuli,Lähti,Maksettu,kWh\n2025-05-14 08:10,2025-05-14 16:40,2025-05-14 17:00,9\n",
        "Tuli,Lähti,Pyydetty kWh,Ladattu kWh\n2025-05-14 08:10,2025-05-14 16:40,20,9\n",
        # A new meter's readings, below the energy, may be energies themselves.
        "Tuli,Lähti,a kWh,b kWh,c kWh\n2025-05-14 08:10,2025-05-14 16:40,5,25,20\n",
        # A price is no energy, and days without times are no moments.
        "Tuli,Lähti,EUR/kWh\n2025-05-14 08:10,2025-05-14 16:40,9\n",
        "Tuli,Lähti,kWh\n2025-05-14,2025-05-15,9\n",
        # Neither column is the earlier one in every row, or ever.
        "Tuli,Lähti,kWh\n2025-05-14 08:10,2025-05-14 16:40,9\n2025-05-14 18:10,2025-05-14 16:40,9",
        "Tuli,Lähti,kWh\n2025-05-14 08:10,2025-05-14 08:10,9\n",
    ],
)
def test_what_leaves_a_choice_is_asked_about(tmp_path: Path, content: str) -> None:
    """No column is guessed: the refusal says how to tell them."""
    found, reader = read(tmp_path, content)
    assert found is None
    assert [issue.field for issue in reader.issues] == ["arrival", "departure", "energy_kwh"]
    assert all("--column" in issue.right for issue in reader.issues)
