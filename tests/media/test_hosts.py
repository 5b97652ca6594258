"""What a stranger's message can make the gateway connect to: WhatsApp, what is listed, and never this network."""

import socket
from ipaddress import ip_address

import pytest

from gateway.errors import MediaUnavailable
from gateway.media.hosts import Hosts, is_public
from tests.media.conftest import Lookup

LISTED = ["s3.example.com", "*.r2.example.com", "10.0.0.7"]


@pytest.mark.parametrize(
    "url",
    [
        "https://mmg.whatsapp.net/o1/v/t24/f2/m000/x?ccb=9-4",
        "https://media-gru2-1.cdn.whatsapp.net/x",
        "https://MMG.WhatsApp.net/x",
        "https://s3.example.com/bucket/x",
        "http://s3.example.com:9000/bucket/x",
        "https://mine.r2.example.com/x",
    ],
)
def test_whatsapp_and_listed_hosts_may_be_asked(url: str) -> None:
    Hosts(LISTED).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://mmg.whatsapp.net/x",
        "https://mmg.whatsapp.net:8443/x",
        "https://whatsapp.net.evil.example/x",
        "https://evilwhatsapp.net/x",
        "https://mmg.whatsapp.net@evil.example/x",
        "https://evil.example/mmg.whatsapp.net",
        "https://r2.example.com/x",
        "https://other.example.com/x",
        "https://user:pass@s3.example.com/x",
        "http://127.0.0.1:8086/api/events",
        "http://[::1]/x",
        "http://localhost/x",
        "http://2130706433/x",
        "ftp://s3.example.com/x",
        "file:///etc/passwd",
        "//s3.example.com/x",
        "https://s3.example.com:99999/x",
        "",
    ],
)
def test_every_other_url_is_refused(url: str) -> None:
    with pytest.raises(MediaUnavailable):
        Hosts(LISTED).check(url)


def test_a_private_address_is_refused_even_where_it_is_listed() -> None:
    with pytest.raises(MediaUnavailable, match=r"10\.0\.0\.7 is no public address"):
        Hosts(LISTED).check("http://10.0.0.7/x")


def test_the_refusal_says_which_setting_allows_the_host() -> None:
    with pytest.raises(MediaUnavailable, match=r"s4\.example\.com is neither .* nor in media\.hosts"):
        Hosts(LISTED).check("https://s4.example.com/x")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.17.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 -- an address to refuse
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
    ],
)
def test_addresses_that_are_not_public_are_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["157.240.12.60", "2a03:2880:f212:c4::2", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(ip_address(address))


async def test_a_listed_name_that_leads_into_this_network_is_not_connected_to() -> None:
    resolver = Hosts(LISTED, lookup=lambda: Lookup("192.168.1.5")).resolver()

    with pytest.raises(OSError, match=r"192\.168\.1\.5 is no public address"):
        await resolver.resolve("s3.example.com", 443, socket.AF_INET)


async def test_a_public_name_is_connected_to() -> None:
    resolver = Hosts(LISTED, lookup=lambda: Lookup("157.240.12.60")).resolver()

    assert [each["host"] for each in await resolver.resolve("s3.example.com", 443)] == ["157.240.12.60"]
