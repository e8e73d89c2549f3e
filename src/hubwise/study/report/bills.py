"""Bills and statements as a page to print: one a sheet, in whole cents, loading nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from hubwise.books import Document, Invoice
from hubwise.books.documents import Kind
from hubwise.domain.why import Spoken, told_once
from hubwise.record import Statement
from hubwise.record.bill_lines import Line
from hubwise.record.month_bills import MonthStatement, MonthStay, OperatorMonth
from hubwise.record.statement import Honoured, Money, StayStatement
from hubwise.study.report.glossary import MINUS

Lines = Sequence[tuple[Line, ...]]
# The books as bills have them; what drivers are paid stands with a minus, as in the account.
_BOOKS = {
    "charging_revenue": "Charging revenue",
    "discharge_payments": "Discharge payments",
    "others_revenue": "From those who do not take part",
    "credits": "Credits",
}
_PAID_OUT = ("discharge_payments", "credits")


def write_bills(bills: Iterable[str], title: str, page: Path) -> Path:
    """Write bills, each of `bill`, `month_bill` or another, as one page; whole or not."""
    text = bills_page(bills, title)
    page.parent.mkdir(parents=True, exist_ok=True)
    beside = page.with_name(f".{page.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(page)
    finally:
        beside.unlink(missing_ok=True)
    return page


def bills_page(bills: Iterable[str], title: str) -> str:
    """Bills as one page."""
    source = files(__package__).joinpath("bills.html").read_text(encoding="utf-8")
    return Template(source).substitute(title=escape(title), bills="\n".join(bills))


def bill(made: Statement, lines: Lines) -> str:
    """A driver's bill of a plan: every stay, line by line, and what became of wishes.

    Parameters
    ----------
    made
        The statement.
    lines
        Of each of its stays.
    """
    first = min(stay.arrival for stay in made.stays)
    last = max(stay.departure for stay in made.stays)
    stays = "".join(
        _stay(stay, own, made.currency) for stay, own in zip(made.stays, lines, strict=True)
    )
    mean = any(line.mean for own in lines for line in own)
    note = (
        "Lines are rounded so that they add up to the bill. Wear is what the energy drawn costs in "
        "battery life; it is not billed. " + ("A mean price is that of the stay." if mean else "")
    )
    together = (
        f"<h2>Together</h2>{_money(made.money, made.currency)}" if len(made.stays) > 1 else ""
    )
    return _sheet(
        "Statement",
        made.driver,
        f"{made.scenario} · {_moment(first)} to {_moment(last)}",
        _due(made.money, made.currency) + f'<p class="said">{escape(made.line)}</p>',
        stays + together,
        note,
    )


def month_bill(made: MonthStatement) -> str:
    """A driver's statement of a month: a row a stay."""
    body = "".join(_month_row(stay) for stay in made.stays)
    heads = ("Stay", "kWh in", "kWh back", "paid", "earned", "due")
    money = made.money
    total = (
        f'<tr class="sum"><th>Together</th><td>{made.charged_kwh:,.2f}</td>'
        f"<td>{made.discharged_kwh:,.2f}</td><td>{_cents(money.paid)}</td>"
        f"<td>{_cents(money.earned)}</td><td>{_cents(_owed(money))}</td></tr>"
    )
    stays = _table(heads, body + total, "stays")
    table = f"{stays}<h2>What it comes to</h2>{_money(money, made.currency)}"
    note = (
        f"Amounts in {escape(made.currency)}. A stay over the month's end is billed in both "
        "months, each for what flowed in it; what charging at once costs is counted where it would "
        "have flowed. Every stay is rounded to the cent by itself."
    )
    return _sheet(
        "Month's statement",
        made.driver,
        f"{made.scenario} · {_month(made.month)}",
        _due(money, made.currency),
        f"<h2>Stays</h2>{table}",
        note,
    )


def operator_bill(made: OperatorMonth) -> str:
    """The operator's statement of a month: account, books, and every driver's sum."""
    unit = escape(made.currency)
    account = "".join(
        f"<tr><th>{escape(name[:1].upper() + name[1:])}</th><td>{_cents(amount)}</td></tr>"
        for name, amount in made.lines
    )
    account += f'<tr class="sum"><th>Profit</th><td>{_cents(made.profit)}</td></tr>'
    books = "".join(
        f"<tr><th>{_BOOKS.get(name, escape(name))}</th>"
        f"<td>{_cents(-amount if name in _PAID_OUT else amount)}</td></tr>"
        for name, amount in made.billed.items()
    )
    drivers = "".join(
        f'<tr><th class="text">{escape(one.driver)}</th><td>{len(one.stays)}</td>'
        f"<td>{one.charged_kwh:,.2f}</td><td>{one.discharged_kwh:,.2f}</td>"
        f"<td>{_cents(one.money.paid)}</td><td>{_cents(one.money.earned)}</td>"
        f"<td>{_cents(_owed(one.money))}</td></tr>"
        for one in made.statements
    )
    due = sum((_owed(one.money) for one in made.statements), Decimal())
    heads = ("Driver", "stays", "kWh in", "kWh back", "paid", "earned", "due")
    shown = made.figures
    return _sheet(
        "Operator's month",
        made.scenario,
        f"{_month(made.month)} · {made.days} day{'s' if made.days != 1 else ''}",
        f'<p class="due"><span>Profit</span><b>{_cents(made.profit)} {unit}</b></p>'
        f'<p class="said">{shown["charged_kwh"]:,.1f} kWh charged, '
        f"{shown['discharged_kwh']:,.1f} kWh returned, {shown['imported_kwh']:,.1f} kWh bought; "
        f"highest import of all hubs together {shown['highest_import_kw']:,.1f} kW.</p>",
        f"<h2>Account [{unit}]</h2>{_plain(account)}<h2>Bills posted [{unit}]</h2>{_plain(books)}"
        f"<h2>Drivers</h2>{_table(heads, drivers)}"
        f'<p class="said">All drivers together owe <b>{_cents(due)} {unit}</b>.</p>',
        "Line items are each rounded by themselves, profit once; bills posted are sums of bills in "
        "whole cents, so that they may differ from the account's by what rounding moved.",
    )


def invoice_bill(made: Invoice) -> str:
    """A live site's invoice of a month, or its statement of all months: a row a document."""
    body = "".join(_document_row(each, made) for each in made.documents)
    heads = ("Document", "kWh in", "kWh back", "paid", "earned", "due")
    total = (
        f'<tr class="sum"><th>Together</th><td>{made.charged_kwh:,.3f}</td>'
        f"<td>{made.discharged_kwh:,.3f}</td><td>{_cents(made.paid)}</td>"
        f"<td>{_cents(made.earned)}</td><td>{_cents(made.net)}</td></tr>"
    )
    words = "To pay" if made.net >= 0 else "To be paid to you"
    due = f"<span>{words}</span><b>{_cents(abs(made.net))} {escape(made.currency)}</b>"
    lines = "".join(_document_lines(each, made) for each in made.documents)
    note = (
        f"Amounts in {escape(made.currency)}; value added tax is not shown apart. A final bill is "
        "never changed: a correction takes it back and bills the stay anew. Lines are not rounded; "
        "a bill is, once."
    )
    return _sheet(
        "Invoice" if made.month else "Statement",
        made.driver.partition(":")[2] or made.driver,
        f"{made.site} · {_month(made.month) if made.month else 'all months'} · {made.number}",
        f'<p class="due">{due}</p>',
        f"<h2>Stays</h2>{_table(heads, body + total, 'stays')}{lines}",
        note,
    )


def _document_row(made: Document, of: Invoice) -> str:
    bill, sign = made.bill, made.sign
    stay = _span(*(at.astimezone(of.zone) for at in (made.billed.started_at, made.billed.ended_at)))
    kind = "" if made.kind is Kind.BILL else f"<br>{made.kind.value}: {escape(made.reason)}"
    return (
        f'<tr><th class="text">{escape(made.number)}<br>{stay}{kind}</th>'
        f"<td>{_cents(sign * round(bill.charged_kwh, 3))}</td>"
        f"<td>{_cents(sign * round(bill.discharged_kwh, 3))}</td>"
        f"<td>{_cents(sign * bill.paid)}</td><td>{_cents(sign * bill.earned)}</td>"
        f"<td>{_cents(made.net)}</td></tr>"
    )


def _document_lines(made: Document, of: Invoice) -> str:
    if made.kind is Kind.CREDIT:
        return ""
    heads = ("Slot", "kWh in", "price", "kWh back", "price", of.currency)
    body = "".join(
        f'<tr><th class="text">{_moment(line.slot_start.astimezone(of.zone))}</th>'
        f"<td>{line.charged_kwh:,.3f}</td><td>{_price(line.charge_price)}</td>"
        f"<td>{line.discharged_kwh:,.3f}</td><td>{_price(line.discharge_price)}</td>"
        f"<td>{_cents(round(line.paid - line.earned, 4))}</td></tr>"
        for line in made.lines
    )
    return f"<h2>{escape(made.number)}</h2>{_table(heads, body, 'stays')}" if body else ""


def _sheet(kind: str, name: str, of: str, above: str, body: str, note: str) -> str:
    return (
        f'<article class="bill"><p class="brand"><span aria-hidden="true"></span>Hubwise'
        f"<small>{escape(kind)}</small></p><h1>{escape(name)}</h1>"
        f'<p class="of">{escape(of)}</p>{above}{body}<p class="note">{note}</p></article>'
    )


def _due(money: Money, currency: str) -> str:
    owed = _owed(money)
    words = "To pay" if owed >= 0 else "To be paid to you"
    return f'<p class="due"><span>{words}</span><b>{_cents(abs(owed))} {escape(currency)}</b></p>'


def _owed(money: Money) -> Decimal:
    return money.paid - money.earned - money.credited


def _stay(stay: StayStatement, lines: Sequence[Line], currency: str) -> str:
    part = "takes part" if stay.participating else "does not take part"
    title = f"{stay.hub}, {_moment(stay.arrival)} to {_moment(stay.departure)}; {part}"
    body = "".join(_line(line) for line in lines)
    net = stay.money.paid - stay.money.earned
    total = f'<tr class="sum"><th>Stay {escape(stay.session)}</th><td>{_cents(net)}</td></tr>'
    total = total.replace("<td>", '<td colspan="3">') if lines else total
    heads = ("When", "kWh", f"{currency}/kWh", currency)
    table = _table(heads, body + total, "lines") if lines else "<p>Nothing flowed.</p>"
    return (
        f"<h2>{escape(title)}</h2>{table}<h2>What it comes to</h2>{_money(stay.money, currency)}"
        f"{_battery(stay)}{_why(stay.why)}{_wishes(stay.wishes)}"
    )


def _line(line: Line) -> str:
    way = "returned" if line.returned else "charged"
    price = f"{line.price:.4f}".replace("-", MINUS) + (" (mean)" if line.mean else "")
    amount = -line.amount if line.returned else line.amount
    return (
        f'<tr><th class="text">{_span(line.begins, line.ends)}, {way}</th>'
        f'<td>{line.kwh:,.3f}<span class="unit"> kWh</span></td><td data-of="at">{price}</td>'
        f"<td>{_cents(amount)}</td></tr>"
    )


def _money(money: Money, currency: str) -> str:
    unit = escape(currency)
    rows = [
        ("Paid for charging", money.paid),
        ("Earned from discharging", -money.earned),
        *([("Credited", -money.credited)] if money.credited else []),
        ("Battery wear, not billed", money.wear),
        ("Net cost, wear included", money.net_cost),
        ("Charging at once, on the reference tariff", money.reference_cost),
        ("Saving", money.saving),
    ]
    body = "".join(
        f"<tr{' class=sum' if name == 'Saving' else ''}><th>{name}</th>"
        f"<td>{_cents(amount)} {unit}</td></tr>"
        for name, amount in rows
    )
    return _plain(body)


def _battery(stay: StayStatement) -> str:
    energy, battery = stay.energy, stay.battery
    rows = [
        (
            "Battery at arrival and departure",
            f"{energy['arrival_kwh']:.1f} and {energy['departure_kwh']:.1f} kWh",
        ),
        (
            "Lowest, against the reserve",
            f"{energy['lowest_kwh']:.1f} against {energy['reserve_kwh']:.1f} kWh",
        ),
        ("Drawn from it for the grid", f"{battery['drawn_kwh'] or 0.0:.2f} kWh"),
    ]
    if (cycles := battery["equivalent_full_cycles_v2g"]) is not None:
        rows.append(("Full cycles by that", f"{cycles:.3f}"))
    if (fade := battery["fade_v2g"]) is not None:
        shown = f"{100.0 * fade:.5f}".replace("-", MINUS)
        rows.append(("Capacity that cost", f"{shown} %"))
    body = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f"<h2>Your battery</h2>{_plain(body)}"


def _why(why: Sequence[Spoken]) -> str:
    if not why:
        return ""
    body = "".join(
        f'<tr><th class="text">{_span(each.begins, each.until)}</th>'
        f'<td class="text">{escape(each.text)}</td></tr>'
        for each in told_once(why)
    )
    return f"<h2>Why your car did what it did</h2>{_table(('When', ''), body)}"


def _wishes(wishes: Sequence[Honoured]) -> str:
    if not wishes:
        return ""
    body = "".join(
        f'<tr><th class="text">{escape(wish.title)}</th><td>{escape(wish.asked_words)}</td>'
        f"<td>{escape(wish.given_words)}</td>"
        f'<td class="text">{escape(wish.notice or _kept(wish))}</td></tr>'
        for wish in wishes
    )
    heads = ("Promised", "asked", "given", "")
    return f"<h2>What was promised</h2>{_table(heads, body)}"


def _kept(wish: Honoured) -> str:
    return "kept" if wish.honoured else "not kept"


def _table(heads: Sequence[str], body: str, kind: str = "") -> str:
    top = "".join(
        f'<th scope="col"{" class=text" if k == 0 or not text else ""}>{escape(text)}</th>'
        for k, text in enumerate(heads)
    )
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _plain(body: str) -> str:
    return f"<table><tbody>{body}</tbody></table>"


def _month_row(stay: MonthStay) -> str:
    money = stay.money
    place = f"{_span(stay.arrival, stay.departure)}, {escape(stay.hub)}"
    return (
        f'<tr><th class="text">{place}{"" if stay.participating else ", does not take part"}</th>'
        f"<td>{stay.charged_kwh:,.2f}</td><td>{stay.discharged_kwh:,.2f}</td>"
        f"<td>{_cents(money.paid)}</td><td>{_cents(money.earned)}</td>"
        f"<td>{_cents(_owed(money))}</td></tr>"
    )


def _cents(amount: Decimal) -> str:
    return f"{amount + 0:,}".replace("-", MINUS)


def _price(price: Decimal) -> str:
    """A price as it was posted, with two decimals at least."""
    short = price == round(price, 2)
    return _cents(round(price, 2) if short else price.normalize())


def _moment(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


def _span(begins: datetime, ends: datetime) -> str:
    """From when to when; the day is said again where it is another."""
    near = ends - begins < timedelta(hours=24) and ends.date() == begins.date()
    last = f"{ends:%H:%M}" if near else f"{ends:%a} {ends.day} {ends:%b, %H:%M}"
    return f"{begins:%a} {begins.day} {begins:%b, %H:%M} to {last}"


def _month(name: str) -> str:
    return f"{datetime.strptime(name, '%Y-%m').date():%B %Y}"
