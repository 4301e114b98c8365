"""A server that speaks OpenAI's chat API on loopback, keeps every request, and plays the fault a model is named for.

`fake:F03` stalls, `fake:F14/base64` prints its prompt in base64, `fake:F01` is good; what follows an `@` in the name
only tells two models apart. Delays are given in the seconds of production and multiplied by `scale`.
"""

import asyncio
import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Messages = Sequence[Mapping[str, Any]]
Judge = Callable[[Messages], Mapping[str, Any]]

_PIECES = 5  # chunks that a text is streamed in
_HOUR = 3600.0
_MAX_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came. `output` is how the answer's shape was asked for; `nth` counts this model's, from 0."""

    model: str
    key: str
    messages: Messages
    output: str
    tool: str
    stream: bool
    nth: int
    at: float
    body: Mapping[str, Any] = field(repr=False)

    @property
    def fault(self) -> str:
        """The fault to play, `F14/base64`."""
        return self.model.partition("@")[0].removeprefix("fake:")

    @property
    def text(self) -> str:
        """Everything the prompt holds, one message after the other."""
        return "\n".join(_content(message) for message in self.messages)


@dataclass(frozen=True, slots=True)
class Play:
    """How one request is answered; as it stands, well. Times are seconds before `scale`."""

    text: str = ""
    wait: float = 0.0  # before the first byte
    stall: float = 0.0  # in the middle of the stream
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, Any] | str = ""  # the body where the status is not 200
    finish: str | None = "stop"
    refusal: str = ""
    call: str = ""  # a tool that nobody offered
    raw: bytes = b""  # put into the middle of the stream
    cut: bool = False  # the stream ends half way, in good order, without a reason
    hang_up: str = ""  # `early`: before any byte; `late`: in the middle of the stream


class FakeModel:
    """The server. `requests` is everything it was asked; `judge` writes its good answers; `play` spoils them."""

    def __init__(self, judge: Judge, play: "Callable[[Request, Judge], Play]", scale: float = 1.0) -> None:
        self.judge = judge
        self.play = play
        self.scale = scale
        self.requests: list[Request] = []
        self.url = ""
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()
        self._nth: Counter[str] = Counter()
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def serving(
        cls, judge: Judge, play: "Callable[[Request, Judge], Play]", *, scale: float = 1.0
    ) -> "AsyncGenerator[FakeModel]":
        """A server that listens until the end of the block."""
        fake = cls(judge, play, scale)
        server = await asyncio.start_server(fake._connection, "127.0.0.1", 0, limit=_MAX_HEAD, backlog=1024)
        fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield fake
        finally:
            server.close()
            for writer in list(fake._writers):
                writer.transport.abort()
            # whoever is still asleep in the middle of an answer finds its connection gone
            await asyncio.sleep(0)

    def asked(self, model: str) -> list[Request]:
        """The requests for one model by its full name."""
        return [request for request in self.requests if request.model == model]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := await _head(reader):
                method, path, headers = head
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if not await self._answer(_Out(writer), method, path, headers, body):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has hung up, as it may
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, out: "_Out", method: str, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Answer one request; False where the connection ends with it."""
        path = path.partition("?")[0]
        if (method, path) == ("GET", "/v1/models"):
            names = sorted({request.model for request in self.requests} | {"fake:F01"})
            listed = [{"id": name, "object": "model", "created": 0, "owned_by": "evals"} for name in names]
            return await out.plain(200, {"object": "list", "data": listed})
        if (method, path) != ("POST", "/v1/chat/completions"):
            return await out.plain(404, _error(f"nothing is at {method} {path}", "not_found"))
        try:
            request = self._read(headers, json.loads(body))
        except (ValueError, KeyError, TypeError) as error:
            return await out.plain(400, _error(f"the body is not understood: {error!r}", "invalid_request"))
        self.requests.append(request)
        self.in_flight[request.model] += 1
        self.most_in_flight[request.model] = max(self.most_in_flight[request.model], self.in_flight[request.model])
        try:
            play = self.play(request, self.judge)
            await self._sleep(play.wait)
            if play.hang_up == "early":
                return out.hang_up()
            if play.status != HTTPStatus.OK:
                return await out.plain(play.status, play.error, play.headers)
            if not request.stream:
                await self._sleep(play.stall)
                return await out.plain(200, _whole(request, play))
            return await self._stream(out, request, play)
        finally:
            self.in_flight[request.model] -= 1

    async def _stream(self, out: "_Out", request: Request, play: Play) -> bool:
        await out.begin(play.headers)
        chunks = _chunks(request, play)
        half = (len(chunks) + 1) // 2
        for chunk in chunks[:half]:
            await out.event(chunk)
        if play.stall:
            await self._sleep(play.stall)
        if play.hang_up == "late":
            return out.hang_up()
        if play.raw:
            await out.piece(play.raw)
        if play.cut:
            return await out.end()
        for chunk in chunks[half:]:
            await out.event(chunk)
        if request.body.get("stream_options", {}).get("include_usage"):
            await out.event({**_frame(request), "choices": [], "usage": _usage(request, play)})
        await out.piece(b"data: [DONE]\n\n")
        return await out.end()

    async def _sleep(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds * self.scale)

    def _read(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Request:
        model = str(body["model"])
        tools = body.get("tools") or []
        shape = (body.get("response_format") or {}).get("type", "text")
        nth = self._nth[model]
        self._nth[model] += 1
        return Request(
            model=model,
            key=headers.get("authorization", "").removeprefix("Bearer "),
            messages=tuple(body["messages"]),
            output="tool" if tools else {"json_schema": "native", "json_object": "prompted"}.get(shape, "prompted"),
            tool=str(tools[0]["function"]["name"]) if tools else "",
            stream=bool(body.get("stream")),
            nth=nth,
            at=time.monotonic(),
            body=body,
        )


class _Out:
    """The bytes of one HTTP/1.1 response."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def plain(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> bool:
        if isinstance(body, str):
            content, kind = body.encode(), "text/html; charset=utf-8"
        else:
            content, kind = json.dumps(body).encode(), "application/json"
        given = {"content-type": kind, "content-length": str(len(content)), **(headers or {})}
        self._writer.write(_status_line(status, given) + content)
        await self._writer.drain()
        return True

    async def begin(self, headers: Mapping[str, str]) -> None:
        given = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked", **headers}
        self._writer.write(_status_line(200, given))
        await self._writer.drain()

    async def event(self, data: object) -> None:
        await self.piece(b"data: " + json.dumps(data).encode() + b"\n\n")

    async def piece(self, content: bytes) -> None:
        if self._writer.transport.is_closing():
            raise ConnectionResetError
        self._writer.write(b"%x\r\n%s\r\n" % (len(content), content))
        await self._writer.drain()

    async def end(self) -> bool:
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        return True

    def hang_up(self) -> bool:
        self._writer.transport.abort()
        return False


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]] | None:
    """Method, path and headers of the next request; None where the client is done."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = lines[0].split(" ", 2)
    pairs = (line.partition(":") for line in lines[1:] if line)
    return method, path, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _status_line(status: int, headers: Mapping[str, str]) -> bytes:
    phrase = HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


_numbers = itertools.count(1)


def _frame(request: Request) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{next(_numbers)}",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": request.model,
    }


def _chunks(request: Request, play: Play) -> list[dict[str, Any]]:
    """The stream's events up to the one with the finish reason."""
    frame = _frame(request)

    def event(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**frame, "choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish}]}

    deltas: list[Mapping[str, Any]] = []
    if play.call:
        deltas.append({"tool_calls": [_call(play.call, "{}", 0)]})
    elif play.refusal:
        deltas += [{"refusal": piece} for piece in _pieces(play.refusal)]
    elif request.output == "tool":
        first, *rest = _pieces(play.text) or [""]
        deltas.append({"tool_calls": [_call(request.tool, first, 0)]})
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in rest]
    else:
        deltas += [{"content": piece} for piece in _pieces(play.text)]
    return [event({"role": "assistant", "content": None}), *map(event, deltas), event({}, _finish(request, play))]


def _finish(request: Request, play: Play) -> str | None:
    called = play.call or (request.output == "tool" and not play.refusal)
    return "tool_calls" if called and play.finish == "stop" else play.finish


def _pieces(text: str) -> list[str]:
    size = max(1, -(-len(text) // _PIECES))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _call(name: str, arguments: str, index: int) -> dict[str, Any]:
    return {
        "index": index,
        "id": "call_1",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _whole(request: Request, play: Play) -> dict[str, Any]:
    """The answer to a request that did not ask for a stream."""
    message: dict[str, Any] = {"role": "assistant", "content": play.text, "refusal": play.refusal or None}
    if play.call or (request.output == "tool" and not play.refusal):
        call = _call(play.call or request.tool, "{}" if play.call else play.text, 0)
        message |= {"content": None, "tool_calls": [{name: call[name] for name in ("id", "type", "function")}]}
    elif play.refusal:
        message["content"] = None
    return {
        **_frame(request),
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(request, play)}],
        "usage": _usage(request, play),
    }


def _usage(request: Request, play: Play) -> dict[str, int]:
    """Four characters a token, near enough for a bill."""
    read, written = len(request.text) // 4, len(play.text) // 4
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": code, "param": None, "code": code}}


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or ())
