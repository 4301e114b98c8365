"""HTTP to URLs that customers give: each connection goes to an address that was looked up once and found allowed.

The name is resolved here and the checked address is what is connected to, so that a resolver that changes its mind
(DNS rebinding) changes nothing. TLS still verifies the name. No redirect is followed, no proxy of the environment used.
"""

import asyncio
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import cast

import httpcore2
import httpx2

from afterword import net
from afterword.net.addresses import ForbiddenAddress, allowed, networks

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_MOST_ADDRESSES = 4  # of one name that are tried
_KEEP_ALIVE = 60.0  # seconds; the turns of an interview are closer than that


class TooMuch(httpx2.ReadError):
    """The answer is longer than whoever asked wants to read, or packed so that nobody can tell."""


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the machine's resolver gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@functools.cache
def tls() -> ssl.SSLContext:
    """One for all: reading the machine's certificates takes 20 ms."""
    return httpx2.create_ssl_context()


class _Backend(httpcore2.AsyncNetworkBackend):
    """Opens connections to allowed addresses only."""

    def __init__(self, allow: Sequence[str], look_up: Resolve) -> None:
        self._exceptions = networks(allow)
        self._resolve = look_up
        self._plain = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the library's name)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, check every address, connect to the first that answers. Raises ForbiddenAddress."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
                # one bad address spoils the name: an honest one has no reason to mix them
                if not addresses or not all(allowed(one, self._exceptions) for one in addresses):
                    raise ForbiddenAddress(f"{host} is not at a public address")
                return await self._first(addresses[:_MOST_ADDRESSES], port, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} did not answer in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} was not found") from error

    async def _first(
        self,
        addresses: Sequence[str],
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        for address in addresses[:-1]:
            try:
                return await self._plain.connect_tcp(address, port, None, local_address, socket_options)
            except httpcore2.ConnectError:
                continue
        return await self._plain.connect_tcp(addresses[-1], port, None, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  (the library's name)
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Never."""
        raise ForbiddenAddress("a socket of this machine is not a public address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Guarded(httpx2.AsyncHTTPTransport):
    """A transport for customers' URLs. `allow` lists networks beside the public ones, `most` bytes are read at most."""

    def __init__(self, allow: Sequence[str] = (), *, most: int, look_up: Resolve = resolve) -> None:
        context = tls()
        super().__init__(verify=context)
        self._most = most
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=_KEEP_ALIVE,
            network_backend=_Backend(allow, look_up),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, outside any transaction."""
        net.check(f"{request.method} {request.url.host}")
        request.headers["Accept-Encoding"] = "identity"
        response = await super().handle_async_request(request)
        packed = response.headers.get("Content-Encoding", "identity") != "identity"
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Limited(response.stream, 0 if packed else self._most)
        return response


class _Limited(httpx2.AsyncByteStream):
    """The body, until it is too long."""

    def __init__(self, inner: httpx2.AsyncByteStream, most: int) -> None:
        self._inner = inner
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooMuch("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def client(allow: Sequence[str] = (), *, connect: float, total: float, most: int) -> httpx2.AsyncClient:
    """A client for customers' URLs: seconds to connect and between two reads, bytes of an answer. Close it."""
    return httpx2.AsyncClient(
        transport=Guarded(allow, most=most),
        timeout=httpx2.Timeout(total, connect=connect),
        follow_redirects=False,
        trust_env=False,
    )
