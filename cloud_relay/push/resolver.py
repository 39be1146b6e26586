"""Names to addresses for the push sender: never to an address of our own network."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from typing_extensions import override

from cloud_relay.push.endpoints import PushHosts


class PrivateAddressError(OSError):
    """A push service's name leads to an address that is not public."""


class PublicResolver(AbstractResolver):
    """Resolves names at each new connection and refuses every address that is not public.

    Must be made inside a running event loop.
    """

    def __init__(self, hosts: PushHosts, resolver: AbstractResolver | None = None) -> None:
        self._hosts = hosts
        self._resolver = resolver if resolver is not None else ThreadedResolver()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve ``host``.

        Raises:
            PrivateAddressError: one of its addresses is private, loopback, link-local or reserved.
            OSError: it does not resolve.

        """
        results = await self._resolver.resolve(host, port, family)
        if not self._hosts.allows_private(host):
            for result in results:
                if not is_public(result["host"]):
                    raise PrivateAddressError(f"{host} leads to an address that is not public")
        return results

    @override
    async def close(self) -> None:
        await self._resolver.close()


def is_public(address: str) -> bool:
    """Say whether an address literal is one of the public internet; also inside mapped and 6to4 ones."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return inner.is_global
    return ip.is_global and not ip.is_multicast
