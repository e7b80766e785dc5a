from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path

import pytest

from notifiers.addresses import address_class, read_target, require_fit
from notifiers.base import DeliveryError

CLASSES = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "198.18.0.1": "private",
    "100.64.0.1": "shared (CGNAT)",
    "100.127.255.255": "shared (CGNAT)",
    "169.254.169.254": "link-local",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "192.0.0.8": "reserved",
    "192.0.2.1": "reserved",
    "203.0.113.9": "reserved",
    "192.88.99.1": "translated",
    "8.8.8.8": "public",
    "172.32.0.1": "public",
    "100.63.255.255": "public",
    "100.128.0.1": "public",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "translated",
    "::8.8.8.8": "translated",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:10.0.0.1": "private",
    "::ffff:169.254.169.254": "link-local",
    "::ffff:8.8.8.8": "public",
    "::ffff:0:127.0.0.1": "translated",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "link-local",
    "64:ff9b::808:808": "public",
    "64:ff9b:1::7f00:1": "translated",
    "2002:7f00:1::": "translated",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "translated",
    "2607:f8b0::5efe:7f00:1": "translated",
    "2607:f8b0::200:5efe:7f00:1": "translated",
    "fe80::1": "link-local",
    "fc00::1": "private",
    "fd12:3456::1": "private",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "2001:db8::1": "reserved",
    "2001:10::1": "reserved",
    "100::1": "reserved",
    "2001:0:7f00:1::": "translated",
    "64:ff9b::a00:1": "private",
    "64:ff9b::e000:1": "multicast",
    "2002:0808:0808::1": "translated",
    "4000::1": "reserved",
    "2606:4700:4700::1111": "public",
}


@pytest.mark.parametrize("text", CLASSES)
def test_an_address_is_classified_by_what_it_reaches(text: str) -> None:
    assert address_class(ip_address(text)) == CLASSES[text]


@pytest.mark.parametrize("text", CLASSES)
def test_only_public_addresses_are_reached_and_private_ones_where_allowed(text: str) -> None:
    found = CLASSES[text]
    for allow_private, fit in (
        (False, found == "public"),
        (True, found in {"public", "private", "loopback", "shared (CGNAT)"}),
    ):
        if fit:
            require_fit(ip_address(text), allow_private=allow_private)
        else:
            with pytest.raises(DeliveryError, match="is refused") as caught:
                require_fit(ip_address(text), allow_private=allow_private)
            assert not caught.value.retryable
            assert text not in caught.value.reason


def documented() -> list[tuple[str, str, str]]:
    """Each address of the table in docs/security.md, with what the page says of its class and its being reached."""
    page = Path(__file__).parents[2].joinpath("docs", "security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \| ([^|]+) \|$", page, flags=re.MULTILINE)
    return [(text, said, reached) for cell, said, reached in rows for text in re.findall(r"`([^`]+)`", cell)]


def test_the_page_says_of_each_address_what_becomes_of_it() -> None:
    assert len(documented()) >= 30
    for text, said, reached in documented():
        allowed = {"always": [False, True], "with `allow_private`": [True], "never": []}.get(reached)
        if allowed is None:
            continue  # as whatever it stands for: by the cases above and below
        host = f"[{text}]" if ":" in text else text
        for allow_private in (False, True):
            if allow_private in allowed:
                assert read_target(f"https://{host}/", allow_private=allow_private).literal is not None
            else:
                with pytest.raises(DeliveryError):
                    read_target(f"https://{host}/", allow_private=allow_private)
        if said != "another spelling":
            assert address_class(ip_address(text)) == said, text


REFUSED_EVEN_IF_PRIVATE_IS_ALLOWED = (
    "https://127.1/",
    "https://127.0.1/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0X7F.1/",
    "https://0x/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://0/",
    "https://127.0.0.1./",
    "https://256.1.1.1/",
    "https://1.2.3.4.5/",
    "https://receiver.127/",
    "https://[::1/",
    "https://[127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://0x7f000001./",
    "https://2130706433./",
    "https://0177.0.0.0x1/",
    "https://010.0.0.1/",
    "https://0000::1/",
    "https://::1/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[::ffff:0:7f00:1]/",
    "https://hooks.slack.com%2f@127.0.0.1/",
    "https://hooks.slack.com%00.evil.example/",
    "https://[::ffff:0x7f000001]/",
    "https://[::127.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2001:0:7f00:1::]/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fe80::1]/",
    "https://224.0.0.1/",
    "https://[ff02::1]/",
    "https://user@hooks.slack.com/",
    "https://user:password@hooks.slack.com/",
    "https://hooks.slack.com@127.0.0.1/",
    "https://@127.0.0.1/",
    "https://hooks.slack.com\\@127.0.0.1/",
    "https://hooks.slack.com#@127.0.0.1/",
    "https://hooks.slack.com/ path",
    "https://hooks.slack.com/\npath",
    "\thttps://hooks.slack.com/",
    "https://１２７.0.0.1/",
    "https://127。0。0。1/",
    "https://höoks.slack.com/",
    "https://%31%32%37.0.0.1/",
    "https://hooks..slack.com/",
    "https://.slack.com/",
    "https://hooks.slack.com../",
    "https://-hooks.slack.com/",
    "https://hooks.slack.com:0/",
    "https://hooks.slack.com:/",
    "https://hooks.slack.com:65536/",
    "https://hooks.slack.com:secret/",
    "https:///services/x",
    "https:hooks.slack.com/services/x",
    "//hooks.slack.com/services/x",
    "hooks.slack.com/services/x",
    "ftp://hooks.slack.com/",
    "file:///etc/passwd",
    "unix:///run/docker.sock",
    "javascript:alert(1)",
    f"https://{'a' * 64}.com/",
    f"https://{'a.' * 127}com/",
    "",
)


@pytest.mark.parametrize("url", REFUSED_EVEN_IF_PRIVATE_IS_ALLOWED)
def test_other_spellings_and_unreachable_places_are_refused(url: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        read_target(url, allow_private=True)
    assert not caught.value.retryable
    assert "secret" not in f"{caught.value!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://10.1.2.3:8443/hook",
        "https://192.168.0.7/",
        "https://100.64.0.1/",
        "https://[fd00::1]/",
        "http://hooks.example.com/",
        "http://127.0.0.1:9093/",
    ],
)
def test_private_addresses_and_http_are_accepted_only_where_allowed(url: str) -> None:
    read_target(url, allow_private=True)
    with pytest.raises(DeliveryError, match="allow_private = true would permit it"):
        read_target(url, allow_private=False)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "host_header"),
    [
        ("https://hooks.slack.com/services/T/B/X", "hooks.slack.com", 443, "/services/T/B/X", "hooks.slack.com"),
        ("HTTPS://Hooks.Slack.COM", "hooks.slack.com", 443, "/", "hooks.slack.com"),
        ("https://hooks.slack.com./x", "hooks.slack.com", 443, "/x", "hooks.slack.com"),
        ("https://hooks.slack.com:443/x", "hooks.slack.com", 443, "/x", "hooks.slack.com"),
        ("https://hooks.slack.com:8443/x", "hooks.slack.com", 8443, "/x", "hooks.slack.com:8443"),
        (
            "https://xn--hoks-5qa.example/@team?a=b@c",
            "xn--hoks-5qa.example",
            443,
            "/@team?a=b@c",
            "xn--hoks-5qa.example",
        ),
        ("https://my_host/x", "my_host", 443, "/x", "my_host"),
        ("https://1password.com/x", "1password.com", 443, "/x", "1password.com"),
        ("https://8.8.8.8/x", "8.8.8.8", 443, "/x", "8.8.8.8"),
        ("https://[2606:4700::1111]:444/x", "2606:4700::1111", 444, "/x", "[2606:4700::1111]:444"),
        ("https://[2606:4700:0:0:0:0:0:1111]/x", "2606:4700::1111", 443, "/x", "[2606:4700::1111]"),
    ],
)
def test_a_plain_url_is_taken_apart(url: str, host: str, port: int, path: str, host_header: str) -> None:
    target = read_target(url, allow_private=False)
    assert (target.host, target.port, target.path, target.host_header) == (host, port, path, host_header)
    assert host not in repr(target)
