"""A little language model server on loopback that answers what a test tells it to, in three wire formats."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

REPLY = {"quality": 2, "if_probe": "What happened then?", "if_advance": "How did cost come into it?"}


@dataclass
class Fault:
    """What goes wrong with one answer. Nothing set: nothing does."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None  # of an answer that is not 200
    delay: float = 0.0  # seconds before the first byte
    text: str | None = None  # instead of REPLY
    finish: str | None = "stop"  # None: the stream ends without a finish reason
    stall: float = 0.0  # seconds in the middle of the stream
    hang_up: bool = False  # in the middle of the stream
    garbage: bool = False  # a chunk that is not JSON
    refusal: str = ""
    usage: bool = True
    tool: bool = False  # the answer comes as a tool call
    thinking: str = ""


@dataclass
class ModelServer:
    """`faults` are used up one by one; then all answers are good. `asked` holds what came in."""

    faults: list[Fault] = field(default_factory=list)
    text: Callable[[Mapping[str, Any]], str] = lambda _: json.dumps(REPLY)  # of a good answer to what was asked
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    open: int = 0  # connections, now
    port: int = 0

    @property
    def url(self) -> str:
        """What AFTERWORD_LLM_URL is set to."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.open += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
        asked = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
        self.asked.append(asked)
        self.headers.append(headers)
        fault = self.faults.pop(0) if self.faults else Fault()
        await asyncio.sleep(fault.delay)
        if fault.status != 200:
            body = json.dumps(fault.body or {"error": {"message": "told to fail"}}).encode()
            more = "".join(f"{name}: {value}\r\n" for name, value in fault.headers.items())
            writer.write(
                f"HTTP/1.1 {fault.status} No\r\ncontent-type: application/json\r\n{more}"
                f"content-length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
            return True
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        path = first.split(" ")[1]
        wire = _anthropic if "/messages" in path else _google if "GenerateContent" in path else _openai
        chunks = wire(fault, self.text(asked) if fault.text is None else fault.text)
        for number, chunk in enumerate(chunks):
            if number == len(chunks) // 2:
                await writer.drain()
                await asyncio.sleep(fault.stall)
                if fault.hang_up:
                    writer.transport.abort()
                    return False
            data = chunk.encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _pieces(text: str) -> list[str]:
    size = max(12, len(text) // 40)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _openai(fault: Fault, text: str) -> Sequence[str]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if fault.thinking:
        deltas.append({"reasoning": fault.thinking})
    if fault.refusal:
        deltas.append({"refusal": fault.refusal})
    elif fault.tool:
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "reply", "arguments": ""}}
        deltas.append({"tool_calls": [call]})
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in _pieces(text)]
    else:
        deltas += [{"content": piece} for piece in _pieces(text)]
    shell = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1795473600, "model": "fake-model"}
    chunks = [{**shell, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if fault.finish is not None:
        finish = "tool_calls" if fault.tool and fault.finish == "stop" else fault.finish
        chunks.append({**shell, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if fault.usage:
        usage = {"prompt_tokens": 1200, "completion_tokens": 90, "total_tokens": 1290}
        chunks.append({**shell, "choices": [], "usage": usage})
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    if fault.garbage:
        lines.insert(len(lines) // 2, "data: {never closed\n\n")
    return [*lines, "data: [DONE]\n\n"] if fault.finish is not None else lines


def _anthropic(fault: Fault, text: str) -> Sequence[str]:
    usage = {"input_tokens": 1200, "output_tokens": 1}
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "fake-model", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    events.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    events += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        for piece in _pieces(text)
    ]
    events.append({"type": "content_block_stop", "index": 0})
    if fault.finish is not None:
        reason = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}[fault.finish]
        delta = {"stop_reason": reason, "stop_sequence": None}
        events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 90}})
        events.append({"type": "message_stop"})
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def _google(fault: Fault, text: str) -> Sequence[str]:
    chunks: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": piece}]}, "index": 0}]}
        for piece in _pieces(text)
    ]
    if fault.finish is not None:
        reason = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}[fault.finish]
        chunks[-1]["candidates"][0]["finishReason"] = reason
    usage = {"promptTokenCount": 1200, "candidatesTokenCount": 90, "totalTokenCount": 1290}
    shell = {"responseId": "resp_1", "modelVersion": "fake-model", "usageMetadata": usage}
    return [f"data: {json.dumps({**shell, **chunk})}\r\n\r\n" for chunk in chunks]


@contextlib.asynccontextmanager
async def serving(host: str = "127.0.0.1") -> AsyncGenerator[ModelServer]:
    """A server that listens."""
    told = ModelServer()
    tasks: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await told.serve(reader, writer)
        writer.close()
        tasks.discard(task)

    server = await asyncio.start_server(connection, host, 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
