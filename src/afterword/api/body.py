"""The bytes of a request body, checked before anything reads them: size, type, encoding, JSON.

Every JSON library in Python accepts something that the next one reads differently (the last of two equal keys, NaN,
half a surrogate pair, integers that lose digits). All of it is refused here, once for all routes, with the place named.
The checked bytes are handed on, so handlers keep ordinary typed bodies; the parsed body is kept in the scope for the
Idempotency-Key's fingerprint.
"""

import asyncio
import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from afterword.errors import AfterwordError, BadRequest, PayloadTooLarge, UnsupportedMediaType

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32  # levels of nesting
MAX_KEYS = 1000  # in the whole body
GUIDE_KEYS = 20_000  # the same where a body holds an interview guide, in several languages
MAX_INTEGER = 2**53 - 1  # what every JSON reader agrees on
READ_SECONDS = 30.0  # for the whole body to arrive

_JSON_TYPE = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-?8\"?\s*)?\Z", re.IGNORECASE)
# A string that never ends is taken to the end at once: looking for its end from each quote would be quadratic.
_DEPTH = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|([\[{])|([\]}])', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")

_WITH_GUIDE = "/api/v1/interview-types"

PARSED = "afterword.body"  # where the scope keeps the parsed body


class _Fault:
    """Stands in the parsed body where something is wrong, so that a walk can say where."""

    __slots__ = ("what",)

    def __init__(self, what: str) -> None:
        self.what = what


class JsonBody:
    """Pure ASGI middleware for POST and PATCH under /api/: refuses what is not plain JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the body, then call the app with the same bytes. Raises AfterwordError."""
        if scope["type"] != "http" or scope["method"] not in {"POST", "PATCH"} or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        body = await _read(scope, receive)
        scope[PARSED] = parse(body, GUIDE_KEYS if scope["path"].startswith(_WITH_GUIDE) else MAX_KEYS)
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


async def _read(scope: Scope, receive: Receive) -> bytes:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    content_types = [value for name, value in headers if name == b"content-type"]
    if len(content_types) > 1 or (content_types and not _JSON_TYPE.match(content_types[0].decode("latin-1"))):
        raise UnsupportedMediaType("Send the body as JSON in UTF-8, with Content-Type: application/json.")
    if any(name == b"content-encoding" and value.lower() != b"identity" for name, value in headers):
        raise UnsupportedMediaType("Send the body uncompressed, without Content-Encoding.")
    declared = next((value for name, value in headers if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > MAX_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BadRequest("The connection ended before the body did.")
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                if size > MAX_BYTES:
                    raise _too_large()
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        late = BadRequest(f"The body did not arrive within {READ_SECONDS:.0f} seconds.")
        late.headers["Connection"] = "close"
        raise late from None


def _too_large() -> AfterwordError:
    error = PayloadTooLarge(f"The body must be at most {MAX_BYTES // 1024} KiB.")
    error.headers["Connection"] = "close"
    return error


def parse(body: bytes, most: int = MAX_KEYS) -> dict[str, object]:
    """The JSON object in `body`. Raises BadRequest that names what is wrong and where (`contact_context.tags[2]`)."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: byte {error.start} cannot be read.") from None
    if text.startswith("\ufeff"):
        raise BadRequest("The body starts with a byte order mark; send plain UTF-8.")
    if not text.strip():
        raise BadRequest("The body is empty; send a JSON object.")
    if _depth(body) > MAX_DEPTH:
        raise BadRequest(f"The body is nested more than {MAX_DEPTH} levels deep.")
    try:
        parsed: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=lambda name: _Fault(f"{name} is not JSON"),
        )
    except json.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    if not isinstance(parsed, dict):
        raise BadRequest("The body must be a JSON object.")
    for count, (place, fault) in enumerate(_walk(cast("dict[str, object]", parsed), ())):
        if fault is not None:
            name = _name(place)
            raise BadRequest(f"{name}: {fault}" if name else fault, fields=[(name, fault)] if name else [])
        if count > most:
            raise BadRequest(f"The body has more than {most} values.")
    return cast("dict[str, object]", parsed)


def _depth(body: bytes) -> int:
    """How deep the brackets outside of strings go. Before parsing: a parser that recurses must not see deep ones."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _DEPTH.finditer(body):
        if match[1]:
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                break
        elif match[2]:
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                made[key] = _Fault("appears twice")
            seen.add(key)
    return made


def _integer(digits: str) -> object:
    # the length first: converting a number of a million digits is itself an attack
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        return _Fault(f"is a number beyond ±{MAX_INTEGER}; send it as a string")
    return int(digits)


def _float(digits: str) -> object:
    number = float(digits)
    return number if math.isfinite(number) else _Fault("is a number too large to represent")


def _walk(value: object, place: tuple[str | int, ...]) -> Iterator[tuple[Sequence[str | int], str | None]]:
    """Every value below `value` with its place, and what is wrong with it or None."""
    if isinstance(value, _Fault):
        yield place, value.what
    elif isinstance(value, str):
        yield place, _text_fault(value)
    elif isinstance(value, dict):
        yield place, None
        for key, entry in cast("dict[str, object]", value).items():
            if fault := _text_fault(key):
                yield place, f"a key {fault}"
            yield from _walk(entry, (*place, key))
    elif isinstance(value, list):
        yield place, None
        for index, entry in enumerate(cast("list[object]", value)):
            yield from _walk(entry, (*place, index))
    else:
        yield place, None


def _text_fault(text: str) -> str | None:
    if "\x00" in text:
        return "contains the character U+0000, which cannot be stored"
    if not text.isascii() and _SURROGATE.search(text):
        return "contains half of a surrogate pair, which is not a character"
    return None


def _name(place: Sequence[str | int]) -> str:
    """`contact_context.tags[2].name`, cut to what a message can hold."""
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")
    return name.encode("utf-8", "replace").decode()[:200]
