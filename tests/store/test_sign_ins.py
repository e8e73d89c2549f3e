"""Browsers that are signed in, one-time links and passwords: hashed, short-lived, revocable."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hubwise.store import DRIVER_LASTS, OPERATOR_LASTS, Registry, SignIns, SiteKey, open_engine
from hubwise.store.sign_ins import LINK_LASTS
from hubwise.store.tables import links, sign_ins, users

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def doors(url):
    engine = open_engine(url)
    yield SignIns(engine, SiteKey(b"k" * 32))
    engine.dispose()


def test_a_link_lets_in_once_and_for_a_quarter_of_an_hour(doors) -> None:
    """Looking at it uses nothing up; the second use and a late one hear nothing."""
    link = doors.make_link("ann", NOW)
    assert doors.driver_of_link(link, NOW + LINK_LASTS) == "ann"
    assert doors.driver_of_link(link, NOW + LINK_LASTS + SECOND) is None
    assert doors.use_link(link, NOW + LINK_LASTS + SECOND) is None
    secret = doors.use_link(link, NOW)
    assert doors.who(secret, NOW).driver == "ann"
    assert doors.use_link(link, NOW) is None
    assert doors.use_link("made-up", NOW) is None


def test_a_driver_is_told_where_they_are_signed_in(doors) -> None:
    """What still holds, the oldest first, and of nobody else."""
    for k, driver in enumerate(("ann", "bob", "ann")):
        doors.begin("driver", driver, "", NOW + k * SECOND)
    doors.begin("operator", "", "eve", NOW)
    found = doors.all_of("ann", NOW)
    assert [each.begun_at for each in found] == [NOW.isoformat(), (NOW + 2 * SECOND).isoformat()]
    assert len(doors.all_of("ann", NOW + DRIVER_LASTS + SECOND)) == 1
    assert doors.all_of("", NOW) == []


def test_a_link_that_is_used_by_many_at_once_lets_one_in(doors) -> None:
    """Eight at the same moment: one sign-in."""
    link = doors.make_link("ann", NOW)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: doors.use_link(link, NOW), range(8)))
    assert sum(each is not None for each in found) == 1


@pytest.mark.parametrize(
    ("role", "lasts"), [("driver", DRIVER_LASTS), ("operator", OPERATOR_LASTS)]
)
def test_a_sign_in_ends_by_itself(doors, role, lasts) -> None:
    secret = doors.begin(role, "ann", "", NOW)
    assert doors.who(secret, NOW + lasts).role == role
    assert doors.who(secret, NOW + lasts + SECOND) is None


def test_a_sign_in_is_revoked(doors) -> None:
    """One browser, or all of a driver; others stay."""
    one, two, other = (doors.begin("driver", who, "", NOW) for who in ("ann", "ann", "bob"))
    doors.end(one)
    assert doors.who(one, NOW) is None
    assert doors.who(two, NOW) is not None
    assert doors.end_all(driver="ann") == 1
    assert doors.who(two, NOW) is None
    assert doors.who(other, NOW).driver == "bob"


def test_no_secret_stands_in_the_database(doors) -> None:
    """What a thief of the database reads opens nothing, as a cookie, as a link or as a password."""
    link, secret = doors.make_link("ann", NOW), doors.begin("driver", "ann", "", NOW)
    doors.put_user("eve", "correct horse battery")
    with doors.engine.connect() as connection:
        rows = [*connection.execute(select(links)), *connection.execute(select(sign_ins))]
        rows += connection.execute(select(users))
    kept = [str(value) for row in rows for value in row]
    assert not {link, secret, "correct horse battery"} & set(kept)
    assert all(doors.who(value, NOW) is None for value in kept)
    assert all(doors.use_link(value, NOW) is None for value in kept)


def test_a_password_opens_and_a_wrong_one_does_not(doors) -> None:
    """argon2id; a new password ends what the old one opened, and so does leaving."""
    doors.put_user("eve", "correct horse battery")
    with doors.engine.connect() as connection:
        assert connection.execute(select(users.c.password)).scalar().startswith("$argon2id$")
    assert doors.check_password("eve", "wrong", NOW) is None
    assert doors.check_password("mallory", "correct horse battery", NOW) is None
    secret = doors.check_password("eve", "correct horse battery", NOW)
    found = doors.who(secret, NOW)
    assert (found.role, found.name, found.driver) == ("operator", "eve", "")
    doors.put_user("eve", "another horse battery")
    assert doors.who(secret, NOW) is None
    assert doors.check_password("eve", "correct horse battery", NOW) is None
    again = doors.check_password("eve", "another horse battery", NOW)
    assert doors.drop_user("eve")
    assert doors.who(again, NOW) is None
    assert not doors.drop_user("eve")


def test_a_token_is_no_cookie_and_a_cookie_no_token(doors) -> None:
    registry = Registry(doors.engine, doors.key)
    token, secret = registry.create_token("driver", "ann"), doors.begin("driver", "ann", "", NOW)
    assert doors.who(token, NOW) is None
    assert registry.actor_of(secret, NOW) is None


def test_a_form_is_of_one_browser(doors) -> None:
    """Each form has another token, all of a browser's hold, and no other browser's do."""
    one, other = (doors.begin("driver", "ann", "", NOW) for _ in range(2))
    first, second = doors.form_token(one), doors.form_token(one)
    assert first != second
    assert doors.is_form_token(one, first)
    assert doors.is_form_token(one, second)
    for wrong in (doors.form_token(other), "", ".", first[:-1], first[1:], "x" + first):
        assert not doors.is_form_token(one, wrong), wrong


def test_a_car_is_kept_and_said_anew(doors) -> None:
    registry = Registry(doors.engine, doors.key)
    assert registry.car_of("ann") is None
    registry.put_car("ann", 60.0, 6.2)
    registry.put_car("ann", 58.0, 6.0)
    assert registry.car_of("ann") == (58.0, 6.0)
    registry.add_driver("ann", ["T2", "T1"])
    assert registry.tags_of("ann") == ["T1", "T2"]
