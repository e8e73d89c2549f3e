"""Ways in for browsers: who gets which page, and what does not get in."""

from __future__ import annotations

import time
from importlib import import_module
from pkgutil import iter_modules

import httpx
import pytest

from driver_site import living
from hubwise.web import pages
from live_site import here

PASSWORD = "correct horse battery"
# By route: what nobody, a driver and an operator hear. A route that is not named here fails.
HEAR = {
    "GET /": (401, 303, 303),
    "GET /me": (401, 200, 403),
    "GET /me/check": (401, 200, 403),
    "GET /me/privacy": (401, 200, 403),
    "POST /me/sign-out": (401, 403, 403),
    "GET /me/statements": (401, 200, 403),
    "POST /me/wishes": (401, 403, 403),
    "POST /me/override": (401, 403, 403),
    "GET /operator": (401, 403, 200),
    "GET /operator/feeder": (401, 403, 404),  # this site names no feeder
    "GET /operator/money": (401, 403, 200),
    "GET /operator/prices": (401, 403, 200),
    "POST /operator/prices": (401, 403, 403),
    "POST /operator/prices/withdraw": (401, 403, 403),
    "GET /operator/stations": (401, 403, 200),
    "GET /in/{link}": (410, 410, 410),
    "POST /in": (410, 410, 410),
    "GET /sign-in": (200, 200, 200),
    "POST /sign-in": (403, 403, 403),
    "GET /static/{mark}/{name}": (404, 404, 404),
    "POST /sign-out": (401, 200, 200),
}
OWN = [
    f"/api/v1/me/{name}" for name in ("stay", "stay/live", "statements", "statements.csv", "export")
]
BODIES = {
    "/in": {"link": "made-up"},
    "/sign-in": {"name": "nobody", "password": PASSWORD},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doors") / "site"
    drivers = {"ann": ["A1"], "bob": ["B1"]}
    with living(folder, ["CP1", "CP2"], drivers) as made:
        made.ann = made.stay("CP1", "A1", [(40, 0, 0), (20, 2, 0), (1, 3.5, 0)])
        made.bob = made.stay("CP2", "B1", [(30, 0, 0), (1, 2, 0)])
        word = folder / "password"
        word.write_text(PASSWORD)
        here("user", "add", folder, "eve", "--password-file", word)
        yield made


def form_of(client: httpx.Client, path: str) -> str:
    text = client.get(path).text
    return text.partition('name="form" value="')[2].partition('"')[0]


def test_every_page_asks_who_and_whether(site) -> None:
    """A walk of all routes of pages, for nobody, a driver and an operator."""
    routes = [
        f"{verb} {each.path}"
        for found in iter_modules(pages.__path__, "hubwise.web.pages.")
        if hasattr(module := import_module(found.name), "router")
        for each in module.router.routes
        for verb in each.methods
    ]
    assert sorted(routes) == sorted(HEAR)
    nobody = httpx.Client(base_url=site.base, timeout=20, headers={"Origin": site.base})
    clients = (nobody, site.cookie("ann"), site.cookie(name="eve"))
    for route, right in HEAR.items():
        verb, _, path = route.partition(" ")
        url = path.replace("{link}", "made-up").replace("{mark}/{name}", "0/hubwise.css")
        for who, client in enumerate(clients):
            body = BODIES.get(path)
            if path == "/sign-out" and who:
                body = {"form": form_of(client, ("/me", "/operator")[who - 1])}
            answer = client.request(verb, url, data=body, headers={"Accept": "text/html"})
            assert answer.status_code == right[who], (route, who)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    for client in clients:
        client.close()


def test_a_stay_of_others_is_not_there(site) -> None:
    """By page, by API and by stream: 404 for whoever it is not, as for one that is not there."""
    with site.cookie("ann") as ann:
        assert ann.get("/me", params={"stay": site.ann}).status_code == 200
        for stay in (site.bob, "CP9:T9"):
            assert ann.get("/me", params={"stay": stay}).status_code == 404
            for path in ("/api/v1/me/stay", "/api/v1/me/stay/live"):
                assert ann.get(path, params={"session": stay}).status_code == 404
        assert ann.get("/api/v1/me/stay").json()["session"] == site.ann
        months = ann.get("/api/v1/me/statements").json()["items"]
        assert [each["session"] for one in months for each in one["stays"]] == [site.ann]
        for path in ("/me/statements", "/api/v1/me/statements.csv", "/api/v1/me/export"):
            assert site.bob not in ann.get(path).text
            assert site.ann in ann.get(path).text
    with site.cookie(name="eve") as eve:
        for path in OWN:
            assert httpx.get(site.base + path).status_code == 401
            assert eve.get(path).status_code == 403


def test_a_token_is_no_cookie_and_a_cookie_no_token(site) -> None:
    """Each opens its own door alone."""
    token = here("token", "create", site.served.folder, "--role", "driver", "--driver", "ann")
    bearer = {"Authorization": f"Bearer {token.strip()}"}
    url = f"{site.base}/api/v1/me/stay"
    assert httpx.get(url, headers=bearer).json()["session"] == site.ann
    assert httpx.get(url, cookies={"hubwise": token.strip()}).status_code == 401
    assert httpx.get(f"{site.base}/me", headers=bearer).status_code == 401
    with site.cookie("ann") as ann:
        secret = {"Authorization": f"Bearer {ann.cookies['hubwise']}"}
        for path in ("/me/stay", "/sessions", "/prices"):
            assert httpx.get(f"{site.base}/api/v1{path}", headers=secret).status_code == 401
        # A cookie opens nothing of the machines' API beside what pages need.
        assert ann.get("/api/v1/sessions").status_code == 401


def test_what_changes_something_comes_from_our_own_pages(site) -> None:
    """Another origin, none at all, or a form of another browser: 403, and nothing happens."""
    with site.cookie("ann") as ann, site.cookie("ann") as second:
        form = form_of(ann, "/me")
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": site.base, "Sec-Fetch-Site": "cross-site"},
            {"Origin": site.base, "Sec-Fetch-Site": "same-site"},
        ):
            answer = ann.post("/sign-out", data={"form": form}, headers=headers)
            assert answer.status_code == 403, headers
        del ann.headers["Origin"]
        assert ann.post("/sign-out", data={"form": form}).status_code == 403
        ann.headers["Origin"] = site.base
        assert ann.post("/sign-out", data={}).status_code == 403
        assert ann.post("/sign-out", data={"form": form_of(second, "/me")}).status_code == 403
        assert ann.get("/me").status_code == 200
        link = site.link("bob").rpartition("/")[2]
        evil = {"Origin": "https://evil.example"}
        assert ann.post("/in", data={"link": link}, headers=evil).status_code == 403
        assert ann.post("/sign-out", data={"form": form}).status_code == 200
        assert ann.get("/me").status_code == 401
        assert second.get("/me").status_code == 200


def test_a_sign_in_changes_the_secret(site) -> None:
    """Whoever knew the cookie before knows nothing after (session fixation)."""
    with httpx.Client(base_url=site.base, timeout=20, headers={"Origin": site.base}) as ann:
        link = site.link("ann").rpartition("/")[2]
        ann.post("/in", data={"link": link})
        before, link = ann.cookies["hubwise"], site.link("ann").rpartition("/")[2]
        answer = ann.post("/in", data={"link": link})
        after = ann.cookies["hubwise"]
        said = answer.headers["set-cookie"].lower()
        assert "httponly" in said
        assert "samesite=lax" in said
        assert before != after
        assert httpx.get(f"{site.base}/me", cookies={"hubwise": before}).status_code == 401
        assert ann.post("/in", data={"link": link}).status_code == 410


def test_a_link_is_looked_at_without_being_used(site) -> None:
    """A mail scanner that opens it takes nothing away."""
    link = site.link("ann")
    for _ in range(3):
        assert "ann" in httpx.get(link).text
    with httpx.Client(base_url=site.base, headers={"Origin": site.base}) as client:
        assert client.post("/in", data={"link": link.rpartition("/")[2]}).status_code == 303


def test_a_stream_ends_when_its_browser_is_signed_out(site) -> None:
    """Nothing is said any more, and within seconds it is over."""
    with site.cookie("ann") as ann:
        secret = {"hubwise": ann.cookies["hubwise"]}
        url = f"{site.base}/api/v1/me/stay/live"
        with httpx.stream("GET", url, cookies=secret, timeout=30) as stream:
            lines = stream.iter_lines()
            assert any(line.startswith("data:") for line in lines)
            ann.post("/sign-out", data={"form": form_of(ann, "/me")})
            began = time.monotonic()
            assert not any(line.startswith("data:") for line in lines)
            assert time.monotonic() - began < 8


def test_a_password_opens_the_operators_page(site) -> None:
    with httpx.Client(base_url=site.base, timeout=20, headers={"Origin": site.base}) as client:
        answer = client.post("/sign-in", data={"name": "eve", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        found = client.get("/", follow_redirects=True)
        assert (found.status_code, found.url.path) == (200, "/operator")


def test_errors_are_pages_for_people_and_problems_for_machines(site) -> None:
    """A sentence and a next step; JSON where nobody asked for HTML."""
    page = httpx.get(f"{site.base}/nowhere", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "There is nothing here" in page.text
    assert 'href="/"' in page.text
    problem = httpx.get(f"{site.base}/nowhere")
    assert problem.headers["content-type"] == "application/problem+json"
    api = httpx.get(f"{site.base}/api/v1/prices", headers={"Accept": "text/html"})
    assert api.headers["content-type"] == "application/problem+json"


def test_files_are_kept_by_what_is_in_them(site) -> None:
    """For ever under their mark, packed where the browser takes it, and nothing else from disk."""
    page = httpx.get(f"{site.base}/sign-in").text
    place = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    found = httpx.get(site.base + place)
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert found.headers["content-encoding"] == "gzip"
    assert ":root" in found.text
    for wrong in ("/static/0/../templates/base.html", place + "x", "/static/x/__init__.py"):
        assert httpx.get(site.base + wrong).status_code == 404


def test_sign_ins_that_fail_hear_429(site) -> None:
    """Five of an account within a minute, then none; last, since this address is held up after."""
    with httpx.Client(base_url=site.base, headers={"Origin": site.base}, timeout=20) as client:
        said = {"name": "eve", "password": "a wrong password"}
        codes = [client.post("/sign-in", data=said).status_code for _ in range(7)]
        assert codes.count(403) <= 5
        assert codes[-1] == 429
