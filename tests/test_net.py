"""Where customers' URLs may lead: all spellings of a private address, a resolver that lies, a victim that counts."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace

import httpx2
import pytest

from afterword import llm, net
from afterword.llm import Model, ModelFailed, breaker
from afterword.net import guard
from afterword.net.addresses import ForbiddenAddress, allowed, fault, literal, networks
from afterword.settings import Settings
from tests.model_server import REPLY, Fault, ModelServer, serving

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
    "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "::1", "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1",
    "2002:a9fe:a9fe::1", "2002:808:808::1", "2001::1", "2001:0:7f00:1::1", "2001:db8::1", "3fff::1", "5f00::1",
    "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "ff02::1",
    "not an address", "",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1", "198.17.0.1",
    "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::1", "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_in_any_form_is_not_allowed(address: str) -> None:
    assert not allowed(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert allowed(address)


def test_the_operators_networks_are_allowed_too_and_nothing_beside_them() -> None:
    exceptions = networks(["10.1.0.0/16", "fd00:1::/32", "192.168.7.7"])

    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5", "192.168.7.7"):
        assert allowed(address, exceptions)
    for address in ("10.2.0.1", "192.168.7.8", "fd00:2::1", "127.0.0.1", "::1"):
        assert not allowed(address, exceptions)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("127.0.0.1.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("models.example.com", None),
        ("1.2.3.4.5", None),
    ],
)
def test_an_address_is_recognized_in_odd_spellings(host: str, address: str | None) -> None:
    assert literal(host) == address


# What a customer may type that would lead to 127.0.0.2 or elsewhere inside. `{}` is the victim's port.
SPELLINGS = [
    "http://127.0.0.2:{}/v1", "http://127.2:{}/v1", "http://127.0.2:{}/v1", "http://2130706434:{}/v1",
    "http://0x7f000002:{}/v1", "http://0x7f.0.0.2:{}/v1", "http://0177.0.0.2:{}/v1", "http://017700000002:{}/v1",
    "http://0x7f.2:{}/v1", "http://127.0.0.2.:{}/v1", "http://127.000.000.002:{}/v1", "http://0:{}/v1",
    "http://0.0.0.0:{}/v1", "http://localhost:{}/v1", "http://LOCALHOST:{}/v1", "http://localhost.:{}/v1",
    "http://[::1]:{}/v1", "http://[::]:{}/v1", "http://[::ffff:127.0.0.2]:{}/v1", "http://[::ffff:7f00:2]:{}/v1",
    "http://[0:0:0:0:0:ffff:7f00:2]:{}/v1", "http://[::127.0.0.2]:{}/v1", "http://[64:ff9b::7f00:2]:{}/v1",
    "http://[2002:7f00:2::]:{}/v1", "http://[fe80::1%25lo]:{}/v1", "http://①②⑦.⓪.⓪.②:{}/v1", "http://127。0。0。2:{}/v1",
    "http://１２７.0.0.2:{}/v1", "http://user@127.0.0.2:{}/v1", "http://example.com@127.0.0.2:{}/v1",
    "http://127.0.0.2:{}#@example.com/", "http://127.0.0.2:{}\\@example.com/", "http://169.254.169.254/latest/meta-data",
    "http://[fd00:ec2::254]/latest", "http://10.0.0.1:{}/v1", "http://100.100.100.200/", "http://%31%32%37.0.0.2:{}/v1",
    "http://127.0.0.2%2f@example.com:{}/", "https://127.0.0.2:{}/v1", "HTTP://127.0.0.2:{}/v1",
]  # fmt: skip


@dataclass
class Victim:
    """A server inside that nobody outside may reach."""

    port: int = 0
    connections: int = 0


@pytest.fixture
async def victim() -> AsyncGenerator[Victim]:
    found = Victim()

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.connections += 1
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.2", 0)
    found.port = server.sockets[0].getsockname()[1]
    servers = [server, await asyncio.start_server(count, "127.0.0.1", found.port)]
    with contextlib.suppress(OSError):  # a machine without IPv6
        servers.append(await asyncio.start_server(count, "::1", found.port))
    try:
        yield found
    finally:
        for one in servers:
            one.close()
            await one.wait_closed()


@contextlib.asynccontextmanager
async def guarded(allow: Sequence[str] = (), **more: object) -> AsyncGenerator[httpx2.AsyncClient]:
    transport = guard.Guarded(allow, **{"most": 100_000, **more})  # type: ignore[arg-type]  # the test's own names
    async with httpx2.AsyncClient(transport=transport, timeout=5, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_reaches_the_victim(spelling: str, victim: Victim) -> None:
    url = spelling.format(victim.port)
    async with guarded() as client:
        with pytest.raises((ForbiddenAddress, httpx2.HTTPError, httpx2.InvalidURL)):
            await client.get(url)

    assert victim.connections == 0


async def test_without_the_guard_many_of_them_would(victim: Victim) -> None:
    async with httpx2.AsyncClient(timeout=5) as client:
        for spelling in SPELLINGS[:11] + SPELLINGS[13:17]:
            with contextlib.suppress(httpx2.HTTPError, httpx2.InvalidURL):
                await client.get(spelling.format(victim.port))

    assert victim.connections >= 10


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_model_at_such_a_url_is_never_asked(
    spelling: str, victim: Victim, configure: Callable[..., Settings]
) -> None:
    configure(llm_deadline_scale=1)
    breaker.reset()
    one = Model("openai", spelling.format(victim.port), "key", "m", own=True)
    with pytest.raises(ModelFailed) as failed:
        await llm.ask(one, [{"role": "user", "content": "?"}], {"type": "object"}, seconds=8)
    await llm.close()

    assert failed.value.reason in {"forbidden_address", "connection", "server", "malformed"}
    assert failed.value.seconds < 4
    assert victim.connections == 0


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_most_of_them_are_told_at_once(spelling: str) -> None:
    assert fault(spelling.format(8080)) is not None or "%3" in spelling


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com", "", "http://", "http://x:0/", "http://x:99999/",
    "http://x/?key=1", "file:///etc/passwd", "http://exa mple.com/"])  # fmt: skip
def test_what_is_no_address_is_told_at_once(url: str) -> None:
    assert fault(url) is not None


@pytest.mark.parametrize("url", ["https://api.example.com/v1", "http://models.example.com:8000", "https://8.8.8.8/v1"])
def test_an_ordinary_address_is_fine(url: str) -> None:
    assert fault(url) is None


class Resolver:
    """Answers one after the other, as a rebinding name server does."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


@pytest.fixture
async def server() -> AsyncGenerator[ModelServer]:
    """A server that the operator allows."""
    async with serving("127.0.0.9") as one:
        yield one


async def test_the_address_that_was_checked_is_the_one_that_is_called(server: ModelServer, victim: Victim) -> None:
    resolver = Resolver(["127.0.0.9"], ["127.0.0.2"])
    url = f"http://rebinding.example:{server.port}/v1/chat/completions"
    async with guarded(["127.0.0.9/32"], look_up=resolver) as client:
        first = await client.post(url, json={}, headers={"Connection": "close"})
        assert first.status_code == 200
        assert resolver.asked == 1, "looked up once, not again when connecting"

        with pytest.raises(ForbiddenAddress):
            await client.post(f"http://rebinding.example:{victim.port}/", json={})

    assert server.connections == 1
    assert server.headers[0]["host"] == f"rebinding.example:{server.port}"
    assert victim.connections == 0


async def test_one_private_address_among_public_ones_is_enough_to_refuse(server: ModelServer) -> None:
    async with guarded(["127.0.0.9/32"], look_up=Resolver(["127.0.0.9", "127.0.0.1"])) as client:
        with pytest.raises(ForbiddenAddress):
            await client.get(f"http://mixed.example:{server.port}/")

    assert server.connections == 0


async def test_a_name_without_an_address_is_an_error_of_the_connection() -> None:
    async with guarded(look_up=Resolver([])) as client:
        with pytest.raises(ForbiddenAddress):
            await client.get("http://empty.example/")
    async with guarded() as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get("http://nowhere.invalid/")


async def test_the_second_address_of_a_name_is_tried_when_the_first_does_not_answer(server: ModelServer) -> None:
    async with guarded(["127.0.0.0/8"], look_up=Resolver(["127.0.0.8", "127.0.0.9"])) as client:
        answer = await client.post(f"http://two.example:{server.port}/v1/chat/completions", json={})

    assert answer.status_code == 200


async def test_a_redirect_is_not_followed(server: ModelServer, victim: Victim) -> None:
    server.faults = [Fault(status=307, headers={"Location": f"http://127.0.0.2:{victim.port}/"})]
    client = guard.client(["127.0.0.9"], connect=2, total=2, most=1000)
    answer = await client.post(f"http://127.0.0.9:{server.port}/", json={})
    await client.aclose()

    assert answer.status_code == 307
    assert victim.connections == 0


async def test_an_answer_is_read_to_its_limit_and_packed_ones_not_at_all(server: ModelServer) -> None:
    url = f"http://127.0.0.9:{server.port}/"
    packed = {"Content-Encoding": "gzip"}
    server.faults = [Fault(status=500, body="x" * 5000), Fault(status=500, headers=packed), Fault(status=500)]
    async with guarded(["127.0.0.9"], most=1000) as client:
        for _ in range(2):
            with pytest.raises(guard.TooMuch):
                await client.post(url, json={})
        assert (await client.post(url, json={})).status_code == 500
    assert all(headers["accept-encoding"] == "identity" for headers in server.headers)


async def test_no_proxy_of_the_environment_is_asked(
    server: ModelServer, victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{victim.port}")
    client = guard.client(["127.0.0.9"], connect=2, total=2, most=100_000)
    answer = await client.post(f"http://127.0.0.9:{server.port}/v1/chat/completions", json={})
    await client.aclose()

    assert answer.status_code == 200
    assert victim.connections == 0


async def test_nothing_is_called_inside_a_transaction(server: ModelServer) -> None:
    async with guarded(["127.0.0.9"]) as client:
        with net.forbidden(), pytest.raises(RuntimeError, match="inside a transaction"):
            await client.get(f"http://127.0.0.9:{server.port}/")
    assert server.connections == 0


async def test_an_organizations_model_answers_where_the_operator_allows_it(
    server: ModelServer, configure: Callable[..., Settings]
) -> None:
    one = Model("openai", f"http://127.0.0.9:{server.port}/v1", "key", "m", own=True)
    question = [{"role": "user", "content": "?"}]
    breaker.reset()
    configure(llm_allow="10.0.0.0/8")
    with pytest.raises(ModelFailed) as failed:
        await llm.ask(one, question, {"type": "object"}, seconds=8)
    configure(llm_allow="10.0.0.0/8, 127.0.0.9")
    answered = await llm.ask(one, question, {"type": "object"}, seconds=8)
    anywhere = await llm.ask(replace(one, own=False), question, {"type": "object"}, seconds=8)
    await llm.close()

    assert failed.value.reason == "forbidden_address"
    assert answered.data == anywhere.data == REPLY
