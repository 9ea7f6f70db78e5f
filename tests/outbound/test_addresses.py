"""Addresses that a host may turn out to have, and whether a request may go there."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.outbound.addresses import refusal

PUBLIC = (
    "93.184.216.34",
    "8.8.8.8",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
)
PRIVATE = (
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::7f00:1",
    "fe80::5efe:8.8.8.8",
)
NEVER = (
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "::ffff:0.0.0.0",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.7",
    "2001:db8::1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fe80::a9fe:a9fe",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2002:0a00:0001::1",
    "2002:0808:0808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2606:2800:220:1:0:5efe:169.254.169.254",
    "64:ff9b:1::a00:1",
    "fec0::1",
    "100::1",
    "192.0.0.8",
    "192.88.99.1",
    "3fff::1",
    "4000::1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert refusal(ip_address(address), may_be_private=False) == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_reached_only_where_the_settings_say_so(address: str) -> None:
    assert refusal(ip_address(address), may_be_private=False)
    assert refusal(ip_address(address), may_be_private=True) == ""


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    assert refusal(ip_address(address), may_be_private=False)
    assert refusal(ip_address(address), may_be_private=True)


@given(st.ip_addresses(v=4))
def test_an_address_in_another_notation_is_judged_alike(address: object) -> None:
    plain = refusal(ip_address(str(address)), may_be_private=False)
    for prefix in ("::ffff:", "64:ff9b::"):
        assert refusal(ip_address(f"{prefix}{address}"), may_be_private=False) == plain


@given(st.ip_addresses())
def test_whatever_is_refused_to_a_private_host_is_refused_to_all(address: object) -> None:
    judged = ip_address(str(address))
    if refusal(judged, may_be_private=True):
        assert refusal(judged, may_be_private=False)
