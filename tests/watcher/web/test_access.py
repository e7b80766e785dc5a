"""Who is served: by which name, and with which credential."""

from __future__ import annotations

import base64
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.watcher.web.test_pages import NOW
from watcher.metrics import Metrics
from watcher.secret import Secret
from watcher.settings import HttpSettings, TlsSettings
from watcher.status import Standing, Status
from watcher.web.app import build_app
from watcher.web.server import PageServer, bind

TOKEN = "0123456789abcdef0123456789abcdef"
PASSWORD = "pässword of prometheus"
BOTH = HttpSettings(token=Secret(TOKEN), username="prometheus", password=Secret(PASSWORD))


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def serving(settings: HttpSettings) -> Iterator[PageServer]:
    empty = Status(NOW, (Standing("", None, None, (), (), None, None, ()),), (), ())
    pages = PageServer(
        build_app(lambda: empty, Metrics(), lambda: True, lambda: settings), bind("127.0.0.1", 0), settings.tls
    )
    pages.start()
    yield pages
    pages.stop()


@pytest.fixture(scope="module")
def guarded() -> Iterator[PageServer]:
    with serving(BOTH) as pages:
        yield pages


REFUSED: dict[str, list[tuple[str, str]]] = {
    "none": [],
    "empty": [("Authorization", "")],
    "a scheme alone": [("Authorization", "Bearer")],
    "another token": [("Authorization", "Bearer " + TOKEN[:-1] + "e")],
    "the token and more": [("Authorization", f"Bearer {TOKEN}0")],
    "the beginning of it": [("Authorization", f"Bearer {TOKEN[:-1]}")],
    "in capitals": [("Authorization", f"Bearer {TOKEN.upper()}")],
    "without its scheme": [("Authorization", TOKEN)],
    "under another scheme": [("Authorization", f"Token {TOKEN}")],
    "twice": [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")],
    "in another header": [("X-Authorization", f"Bearer {TOKEN}")],
    "the token as a password": [("Authorization", basic("prometheus", TOKEN))],
    "another password": [("Authorization", basic("prometheus", PASSWORD + "x"))],
    "no password": [("Authorization", basic("prometheus", ""))],
    "another user": [("Authorization", basic("root", PASSWORD))],
    "no user": [("Authorization", basic("", PASSWORD))],
    "no base64": [("Authorization", "Basic !!!!")],
    "no text": [("Authorization", "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode())],
    "a colon too few": [("Authorization", "Basic " + base64.b64encode(b"prometheus").decode())],
    "no ascii": [("Authorization", "Bearer \xff\xfe")],
}


@pytest.mark.parametrize("path", ["/metrics", "/", "/none"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_tampered_or_missing_credential_is_refused(guarded: PageServer, case: str, path: str) -> None:
    headers = [(name.encode(), text.encode("latin-1")) for name, text in REFUSED[case]]
    answer = httpx.get(guarded.url + path, headers=headers, trust_env=False)
    assert (answer.status_code, answer.text) == (401, "Sign in first.\n")
    assert answer.headers.get_list("www-authenticate") == [
        'Bearer realm="claude-watcher"',
        'Basic realm="claude-watcher", charset="UTF-8"',
    ]


@pytest.mark.parametrize(
    "sent",
    [
        f"Bearer {TOKEN}",
        f"bearer  {TOKEN}",
        basic("prometheus", PASSWORD),
        basic("prometheus", PASSWORD).lower()[:5] + basic("prometheus", PASSWORD)[5:],
    ],
)
def test_the_right_one_is_served(guarded: PageServer, sent: str) -> None:
    answer = httpx.get(guarded.url + "/metrics", headers={"Authorization": sent}, trust_env=False)
    assert answer.status_code == 200
    assert "watcher_build_info" in answer.text


def test_what_says_nothing_of_anybody_is_served_to_everybody(guarded: PageServer) -> None:
    for path in ("/-/healthy", "/-/ready"):
        assert httpx.get(guarded.url + path, trust_env=False).status_code == 200


def test_one_way_alone_is_the_only_one() -> None:
    with serving(HttpSettings(token=Secret(TOKEN))) as pages:
        answer = httpx.get(pages.url + "/metrics", headers={"Authorization": basic("", "")}, trust_env=False)
        assert answer.status_code == 401
        assert answer.headers.get_list("www-authenticate") == ['Bearer realm="claude-watcher"']
    with serving(HttpSettings(username="u", password=Secret(PASSWORD))) as pages:
        answer = httpx.get(
            pages.url + "/metrics", headers={"Authorization": f"Bearer {PASSWORD}".encode()}, trust_env=False
        )
        assert answer.status_code == 401


OWN = HttpSettings("10.1.2.3", 9477, "https://watcher.example/x/", hosts=("watcher",), token=Secret(TOKEN))
EVERYWHERE = HttpSettings("0.0.0.0", 9477, token=Secret(TOKEN), behind_proxy=True)


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        (OWN, "10.1.2.3:9477", 200),
        (OWN, "watcher.example", 200),
        (OWN, "Watcher:9477", 200),
        (OWN, "localhost", 200),
        (OWN, "10.9.9.9", 400),
        (OWN, "evil.example", 400),
        (OWN, "watcher.example.evil.example", 400),
        (OWN, "watcher@evil.example", 400),
        (OWN, "", 400),
        (EVERYWHERE, "192.0.2.7:9477", 200),
        (EVERYWHERE, "[2001:db8::1]:9477", 200),
        (EVERYWHERE, "evil.example", 400),
        (EVERYWHERE, "1.2.3.4.evil.example", 400),
        (EVERYWHERE, "0x7f000001", 400),
    ],
)
def test_only_its_own_names_are_answered_to(settings: HttpSettings, host: str, status: int) -> None:
    with serving(settings) as pages:
        headers = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(pages.url + "/metrics", headers=headers, trust_env=False).status_code == status


def test_it_serves_https_with_its_own_certificate(tmp_path: Path) -> None:
    certificate, key = tmp_path / "watcher.pem", tmp_path / "watcher.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    settings = HttpSettings(token=Secret(TOKEN), tls=TlsSettings(certificate, key))
    with serving(settings) as pages:
        assert pages.url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(certificate))
        sent = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(pages.url + "/metrics", headers=sent, verify=trusted, trust_env=False).status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(pages.url.replace("https", "http") + "/metrics", trust_env=False)
