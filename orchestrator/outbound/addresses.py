"""Which addresses a request may reach. An address that carries another inside (IPv6 does so in five ways) is judged by
that one too, since a router on the way may unwrap it.
"""

from ipaddress import IPv4Address, IPv6Address, ip_network

from orchestrator.outbound import targets
from orchestrator.outbound.targets import Address, Target, is_private
from orchestrator.settings import Hosts

NEVER = tuple(
    ip_network(network)
    for network in (
        "169.254.169.0/24",  # EC2's metadata, clock and DNS; other clouds' metadata
        "169.254.170.0/24",  # credentials of ECS tasks and EKS pods
        "fd00:ec2::/32",  # the same over IPv6
        "fe80::a9fe:a9fe/128",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
    )
)
"""Metadata and credentials of clouds: no request goes there, whatever the settings say."""
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
_UNICAST = ip_network("2000::/3")  # what IPv6 routes between hosts on the internet
# Special by IANA's registries; whether `ipaddress` says so depends on the version of Python.
_SPECIAL = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20"))
_TUNNELS = tuple(ip_network(network) for network in ("2002::/16", "2001::/32"))  # 6to4 and Teredo
_LOCAL = tuple(
    ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # between customers and carriers; VPCs use it as private space
        "127.0.0.0/8",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def refusal_before(target: Target, hosts: Hosts) -> tuple[str, str] | None:
    """Why requests may not go to a URL and what to do instead, as far as is known without asking DNS; else None.

    What run time would refuse of an address that the URL itself writes out is refused here.
    """
    may_be_private = is_private(target.host, hosts)
    why = "" if target.literal is None else refusal(target.literal, may_be_private=may_be_private)
    if not why and target.is_loopback and not may_be_private:
        why = "it is a private, loopback or link-local address"
    if why:
        return (
            f"no request may go to {target.host}: {why}",
            "name another address; an operator may open a private one in hosts.private of the server's settings, "
            "never one of a cloud's metadata",
        )
    return targets.refusal(target, hosts)


def refusal(address: Address, *, may_be_private: bool) -> str:
    """Why a request may not go to an address, in words; empty: it may.

    `may_be_private`: the host is one whose address may be private, loopback or link-local.
    """
    if isinstance(address, IPv6Address):
        stands_for = _stands_for(address)
        if stands_for is not None:
            return refusal(stands_for, may_be_private=may_be_private)
        if _is_isatap(address) and (why := refusal(_last(address), may_be_private=may_be_private)):
            return why
    if any(address in network for network in NEVER):
        return "a cloud's metadata or credentials are there"
    if any(address in network for network in _TUNNELS):
        return "it leads through a tunnel to another address"
    if any(address in network for network in _LOCAL):
        return "" if may_be_private else "it is a private, loopback or link-local address"
    if not _is_public(address):
        return "it is no address of a host on the internet"
    return ""


def _is_public(address: Address) -> bool:
    if any(address in network for network in _SPECIAL) or address.is_multicast or address.is_reserved:
        return False
    return address.is_global and (isinstance(address, IPv4Address) or address in _UNICAST)


def _stands_for(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address is another notation of."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    is_compatible = address in _COMPATIBLE and int(address) > 1  # :: and ::1 are addresses of their own
    return _last(address) if address in _NAT64 or is_compatible else None


def _last(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)


def _is_isatap(address: IPv6Address) -> bool:
    return int(address) >> 32 & 0xFDFFFFFF == 0x00005EFE
