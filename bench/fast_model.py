"""A language model that takes no time: it judges every other answer as vague and words what the guide would say."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator

_EXAMPLE = re.compile(r"^(if_probe|if_advance): .*?The guide would say: (.+)$", re.MULTILINE)
_PIECE = 12  # characters in a chunk: about three tokens
_SHELL = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1795473600, "model": "fast"}


class FastModel:
    """Speaks OpenAI's chat completions, streamed. `asked` counts what came in."""

    def __init__(self) -> None:
        self.asked = 0
        self.url = ""
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def serving(cls) -> AsyncGenerator["FastModel"]:
        """A model that listens until the end of the block."""
        model = cls()
        server = await asyncio.start_server(model._connection, "127.0.0.1", 0)
        model.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield model
        finally:
            server.close()
            for writer in list(model._writers):
                writer.transport.abort()
            await asyncio.sleep(0.1)  # until the connections have seen it

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = re.search(rb"\r\ncontent-length: *(\d+)", head)
                body = json.loads(await reader.readexactly(int(length[1]) if length else 0))
                self.asked += 1
                writer.write(_answer(str(body["messages"][-1]["content"]), self.asked))
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


def _answer(turn: str, number: int) -> bytes:
    examples = dict(_EXAMPLE.findall(turn))
    reply = {
        "quality": 1 + number % 2,
        "slots": [],
        "flags": [],
        "lang": "en",
        "if_probe": examples.get("if_probe", ""),
        "if_advance": examples.get("if_advance", ""),
    }
    text = json.dumps(reply)
    choices = [
        {"index": 0, "delta": {"content": text[start : start + _PIECE]}, "finish_reason": None}
        for start in range(0, len(text), _PIECE)
    ]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    usage = {"prompt_tokens": len(turn) // 4, "completion_tokens": len(text) // 4, "total_tokens": 0}
    chunks = [{**_SHELL, "choices": [choice]} for choice in choices] + [{**_SHELL, "choices": [], "usage": usage}]
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    data = events.encode()
    head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data
