"""Words, amounts and times as a reader has them: one place for all that pages say."""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "hubwise"
ENGLISH = "en"
MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NO-BREAK SPACE}"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥", "JPY": "¥", "INR": "₹", "KRW": "₩"}
# By language: decimal point, what parts thousands, and where a currency's sign stands.
FORMS = {
    "en": (".", ",", "{sign}{amount}"),
    "de": (",", ".", f"{{amount}}{NARROW}{{sign}}"),
    "nl": (",", ".", f"{{sign}}{NARROW}{{amount}}"),
    "zh": (".", ",", "{sign}{amount}"),
}


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Sentences of a language; English ones stand in the code."""
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)


@cache
def languages() -> tuple[str, ...]:
    """English, and what there are translations to."""
    found = sorted(each.parent.parent.name for each in LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return (ENGLISH, *found)


def language_of(accepted: str) -> str:
    """The language that a browser would have best (``Accept-Language``), of those there are."""
    said: list[tuple[float, str]] = []
    for each in accepted[:200].split(","):
        name, _, weight = each.strip().partition(";q=")
        try:
            said.append((-float(weight or 1.0), name.replace("-", "_")))
        except ValueError:
            continue
    for _, name in sorted(said, key=lambda it: it[0]):
        for known in languages():
            if name.lower() in (known.lower(), "*") or name[:2].lower() == known[:2].lower():
                return known
    return ENGLISH


@dataclass(frozen=True, slots=True)
class Words:
    """How one reader is spoken to.

    Parameters
    ----------
    language
        One of `languages`.
    zone
        The site's clock.
    """

    language: str
    zone: ZoneInfo

    def say(self, sentence: str, **said: object) -> str:
        """A sentence in the reader's language; ``%(name)s`` stands for what is said."""
        found = translations(self.language).gettext(sentence)
        return found % said if said else found

    def number(self, value: Decimal | float, digits: int) -> str:
        """With so many digits behind the point, and the true minus."""
        point, thousands, _ = FORMS[self.language[:2]]
        text = f"{abs(value):,.{digits}f}"
        text = text.translate({ord(","): thousands, ord("."): point})
        return (MINUS if value < 0 and any(each in "123456789" for each in text) else "") + text

    def money(self, amount: Decimal, currency: str, *, signed: bool = False) -> str:
        """An amount with all its digits; ``signed``: with a plus, too."""
        digits = max(-int(amount.as_tuple().exponent), 0)
        form = FORMS[self.language[:2]][2]
        sign = SYMBOLS.get(currency, f"{currency}{NARROW}")
        text = form.format(sign=sign, amount=self.number(abs(amount), digits))
        return (MINUS if amount < 0 else "+" if signed and amount else "") + text

    def price(self, price: Decimal, currency: str) -> str:
        """Of a kWh: at least two digits, four at most."""
        digits = min(max(-int(price.normalize().as_tuple().exponent), 2), 4)
        return self.money(round(price, digits), currency)

    def kwh(self, value: Decimal | float) -> str:
        """An energy."""
        return f"{self.number(value, 1)}{NARROW}kWh"

    def time(self, at: datetime) -> str:
        """Of day, on the site's clock."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def date(self, at: datetime) -> str:
        """On the site's clock, as ISO has it."""
        return f"{at.astimezone(self.zone):%Y-%m-%d}"

    def moment(self, at: datetime, now: datetime) -> str:
        """A time of today as such; of another day with the day."""
        local, today = at.astimezone(self.zone), now.astimezone(self.zone).date()
        if local.date() == today:
            return self.time(at)
        days = (local.date() - today).days
        if abs(days) < 7:
            return f"{self.weekday(local.weekday())} {self.time(at)}"
        return f"{self.date(at)} {self.time(at)}"

    def weekday(self, day: int) -> str:
        """In short; 0 is Monday."""
        return self.say(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day])
