"""The JSON object in what a model wrote. Pure."""

import json
import re
from typing import cast

_FENCED = re.compile(r"\A\s*```[ \t]*(?:json)?[ \t]*\n(?P<body>.*?)\n?[ \t]*```\s*\Z", re.DOTALL | re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read(text: str) -> dict[str, object]:
    """The object. A fence around it is taken off; anything else around it is a fault. Raises ValueError.

    NaN and infinities are refused. Of a key that comes twice the first counts: what a model adds later in the same
    object is as a rule a repetition.
    """
    if fenced := _FENCED.match(text):
        text = fenced["body"]
    if not text.strip():
        raise ValueError("the answer is empty")
    try:
        data: object = json.loads(text, parse_constant=_refuse, object_pairs_hook=_first_wins)
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the answer is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(data, dict):
        raise ValueError("the answer is JSON, but not an object")
    return cast("dict[str, object]", _storable(cast("object", data)))


def storable(text: str) -> str:
    """Without what no database column takes: U+0000 and half surrogate pairs, which JSON can spell."""
    return _UNSTORABLE.sub("", text)


def _storable(value: object) -> object:
    match value:
        case str():
            return storable(value)
        case list():
            return [_storable(one) for one in cast("list[object]", value)]
        case dict():
            return {storable(name): _storable(one) for name, one in cast("dict[str, object]", value).items()}
        case _:
            return value


def _refuse(name: str) -> object:
    raise ValueError(f"the answer holds {name}, which is no JSON")


def _first_wins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found
