"""What each strategy does to the insulation life of transformers, as tables and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.glossary import DASH, change, finite, label, number, percent
from hubwise.study.report.tables import chip, grouped

# What a transformer serves at most, whatever its paper would stand.
SERVICE_YEARS = 60.0

Row = Mapping[str, object]

HEAD = (
    "",
    "Highest<br>loading",
    "Hottest spot<br>°C",
    "Life used<br>days a day",
    "Ageing against<br>uncoordinated",
    "Insulation life<br>years",
)


def transformer_table(cases: Cases, share: float) -> str:
    """Heat and life of every transformer under each strategy; empty where no result knows them."""
    side_by_side = cases.at(share)
    known = {case.strategy: _rows(case) for case in side_by_side}
    names = list(dict.fromkeys(name for rows in known.values() for name in rows))
    if not names:
        return ""
    groups = [(_title(name, known), _group(name, side_by_side, known)) for name in names]
    sentence = _sentence(known, cases.chosen(share))
    caption = f"<figcaption>{escape(sentence)}</figcaption>" if sentence else ""
    return f"<figure>{grouped(HEAD, groups, 'numbers results')}{caption}</figure>"


def _rows(case: Case) -> dict[str, Row]:
    said = case.result.get("transformers")
    rows = [row for row in said if isinstance(row, Mapping)] if isinstance(said, list) else []
    return {str(row.get("name")): row for row in rows}


def _title(name: str, known: Mapping[str, Mapping[str, Row]]) -> str:
    rating = next(rows[name].get("rating_kva") for rows in known.values() if name in rows)
    return f"{escape(name)}, {number(rating, 0, 'kVA')}"


def _group(name: str, cases: list[Case], known: Mapping[str, Mapping[str, Row]]) -> list[list[str]]:
    base = known.get("uncoordinated", {}).get(name)
    return [
        [chip(case.strategy), *_cells(known[case.strategy][name], base)]
        for case in cases
        if name in known[case.strategy]
    ]


def _cells(row: Row, base: Row | None) -> list[str]:
    used, before = finite(row.get("life_days")), finite(base.get("life_days")) if base else None
    ratio = used / before if used is not None and before else None
    return [
        percent(row.get("peak_loading"), 1),
        number(row.get("hottest_c"), 1),
        number(used, 4),
        change(ratio) if base is not row else DASH,
        _years(row.get("life_years")),
    ]


def _years(years: object) -> str:
    known = finite(years)
    if known is None:
        return DASH
    text = number(known, 1 if known < SERVICE_YEARS else 0)
    return text if known <= SERVICE_YEARS else f'<span class="muted">{text}</span>'


def _sentence(known: Mapping[str, Mapping[str, Row]], chosen: Case | None) -> str:
    """Whether the plan lengthens the substation transformer's life, in years of service."""
    if chosen is None or not known.get("uncoordinated") or chosen.strategy == "uncoordinated":
        return ""
    name = next(iter(known["uncoordinated"]))
    before = finite(known["uncoordinated"][name].get("life_years"))
    after = finite(known[chosen.strategy].get(name, {}).get("life_years"))
    if before is None or after is None:
        return ""
    gained = min(after, SERVICE_YEARS) - min(before, SERVICE_YEARS)
    all_years = [finite(rows.get(name, {}).get("life_years")) for rows in known.values()]
    if min(years for years in all_years if years is not None) >= SERVICE_YEARS:
        uses = "only uses less" if after >= before else "uses more"
        return (
            f"Under no strategy does heat end the substation transformer's paper within "
            f"{SERVICE_YEARS:.0f} years of service: none adds years to it or takes any, and "
            f"{label(chosen.strategy)} {uses} of what is not used up. "
            "Years are one day extrapolated, by heat alone."
        )
    more = "more" if gained >= 0 else "fewer"
    return (
        f"{label(chosen.strategy)}: {number(abs(gained), 1)} years {more} than uncoordinated, if "
        f"every day were like this one, counting at most {SERVICE_YEARS:.0f} years of service. By "
        "heat alone."
    )
