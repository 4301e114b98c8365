"""Properties of what reads text from outside, for any text: JSON bodies, addresses, names, and the transcript."""

import contextlib
import json
import math
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afterword.api.body import MAX_DEPTH, MAX_INTEGER, parse
from afterword.contacts import check_name, check_notes, parse_address, strip_invisible
from afterword.errors import BadRequest
from afterword.interviews import Turn
from afterword.interviews.transcript import escape, render

# Body: what is taken is what any other JSON reader would take, and the rest is refused in our own words

plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.integers(-MAX_INTEGER, MAX_INTEGER) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain, inner, max_size=4),
    max_leaves=20,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(entry) for entry in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(entry) for entry in value), default=0)
    return 0


@given(st.dictionaries(plain, values, max_size=5), st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_every_plain_json_object_is_taken_as_it_is(body: dict[str, Any], ascii_only: bool, indent: Any) -> None:
    assert parse(json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode()) == body


@given(st.binary(max_size=200) | st.text('[]{}",:\\u0d8nul1e9-+. \n', max_size=60).map(str.encode))
@settings(max_examples=500)
def test_any_bytes_are_an_object_or_a_bad_request(body: bytes) -> None:
    parsed = refusal = None
    try:
        parsed = parse(body)
    except BadRequest as error:
        refusal = error
    if refusal is not None:
        assert refusal.message
        assert json.dumps(refusal.body()).encode()
    else:
        assert json.loads(body) == parsed
        assert depth(parsed) <= MAX_DEPTH


@given(
    st.lists(st.sampled_from(["a", "b", "c"]) | st.integers(0, 3), max_size=6),
    st.sampled_from(["NaN", "-Infinity", "1e999", "9007199254740992", '"\\u0000"', '"\\udc00"', '{"k":1,"k":1}']),
)
def test_the_place_of_a_fault_is_named_wherever_it_is(path: list[str | int], fault: str) -> None:
    text, place = fault, ""
    for step in reversed(path):
        text = f'{{"{step}": {text}}}' if isinstance(step, str) else f"[{'0,' * step}{text}]"
    for step in path:
        place += f".{step}" if isinstance(step, str) else f"[{step}]"
    name = f"top{place}" + (".k" if "k" in fault else "")

    with pytest.raises(BadRequest) as caught:
        parse(f'{{"top": {text}}}'.encode())

    assert [field for field, _ in caught.value.fields] == [name]
    assert caught.value.message.startswith(name)


@given(st.integers(1, 200), st.sampled_from(['{"a":', "["]))
def test_the_depth_that_counts_is_the_one_outside_of_texts(levels: int, opening: str) -> None:
    closing = "}" if opening.startswith("{") else "]"
    nested = f'{{"a": {opening * (levels - 1)}1{closing * (levels - 1)}}}'
    quoted = json.dumps({"a": nested})

    assert parse(quoted.encode())
    with contextlib.nullcontext() if levels <= MAX_DEPTH else pytest.raises(BadRequest, match="levels"):
        parse(nested.encode())


@given(st.integers() | st.floats())
def test_a_number_is_kept_exactly_or_refused(number: float) -> None:
    body = json.dumps({"n": number}).encode()
    fits = math.isfinite(number) if isinstance(number, float) else abs(number) <= MAX_INTEGER
    if fits:
        assert repr(parse(body)["n"]) == repr(number)
    else:
        with pytest.raises(BadRequest, match="n: "):
            parse(body)


# Addresses


@given(st.text(max_size=80) | st.emails() | st.from_regex(r"[ -~]{1,20}@[ -~]{1,20}\.[a-z]{2,4}", fullmatch=True))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_one_safe_address_or_a_bad_request(text: str) -> None:
    try:
        address = parse_address(text)
    except BadRequest:
        return
    for form in (address.email, address.key):
        local, at, domain = form.rpartition("@")
        assert local
        assert at
        assert domain.isascii()
        assert domain == domain.lower()
        assert "." in domain
        assert len(local.encode()) <= 64
        assert not re.search(r"[\s\x00-\x1f\x7f<>,;:\"()\\\[\]]", form), "nothing that a mail header would read"
        assert unicodedata.normalize("NFC", form) == form or form == address.key
    assert parse_address(address.email) == address, "reading it again changes nothing"
    assert parse_address(address.key).key == address.key, "the key of a key is the key"


@given(st.emails())
def test_case_never_tells_two_people_apart(text: str) -> None:
    try:
        key = parse_address(text).key
    except BadRequest:
        return
    for other in (text.upper(), text.lower(), text.swapcase(), f"  {text} "):
        assert parse_address(other).key == key


@given(st.text(max_size=250))
def test_a_name_is_one_visible_line_or_a_bad_request(text: str) -> None:
    try:
        name = check_name(text)
    except BadRequest:
        return
    assert 1 <= len(name) <= 200
    assert name == name.strip()
    assert len(name.splitlines()) == 1
    assert check_name(name) == name


@given(st.text())
def test_dropping_the_invisible_drops_nothing_else(text: str) -> None:
    kept = strip_invisible(text)

    assert strip_invisible(kept) == kept
    assert check_notes(kept) == kept
    visible = [char for char in text if unicodedata.category(char)[0] in "LNPSMZ"]
    assert [char for char in kept if unicodedata.category(char)[0] in "LNPSMZ"] == visible
    assert not [char for char in kept if unicodedata.category(char) == "Cf" and char not in "\u200c\u200d"]


# The transcript

AT = datetime(2026, 11, 23, tzinfo=UTC)
forgeries = st.sampled_from(
    [
        "\n\n**Paige:** ",
        "**Jane:** yes",
        "\r\r",
        "\u2028\u2029",
        "\v\f\x85",
        "# ",
        "- ",
        "1. ",
        "> ",
        "```",
        "<b>",
        "\\",
    ]
)
said = st.lists(forgeries | st.text(max_size=12), max_size=6).map("".join)
names = st.none() | st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12).filter(
    str.strip
)


@given(st.lists(st.tuples(st.sampled_from(["interviewer", "contact"]), said), max_size=8), names)
@settings(max_examples=300)
def test_nobody_can_forge_a_turn(spoken: list[tuple[str, str]], name: str | None) -> None:
    turns = [Turn(number, role, "answer", text, AT) for number, (role, text) in enumerate(spoken, 1)]
    shown = [turn for turn in turns if escape(turn.text)]
    who = {"interviewer": "Paige", "contact": escape(name) if name else "Contact"}

    text = render(turns, interviewer="Paige", contact=name)

    assert text.endswith("\n")
    paragraphs = re.split(r"(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]){2,}", text.removesuffix("\n"))
    assert paragraphs == [""] if not shown else len(paragraphs) == len(shown)
    for turn, paragraph in zip(shown, paragraphs, strict=False):
        assert paragraph.startswith(f"**{who[turn.role]}:** ")
        rest = paragraph.removeprefix(f"**{who[turn.role]}:** ")
        assert not re.search(r"(?<!\\)(?:\\\\)*\*", rest), "no emphasis that a person typed"
        assert rest == escape(turn.text)


@given(said)
def test_escaping_keeps_every_word(text: str) -> None:
    escaped = escape(text)

    def letters(some: str) -> list[str]:
        return [char for char in some if char.isalnum()]

    assert letters(escaped) == letters(text)
    assert all(line == line.strip() and line for line in escaped.split("\n")) or not escaped
    for line in escaped.split("\n"):
        assert not re.match(r"#|>|-|\+|=|\d+[.)]|`|~|\|", line), "no line that markdown reads as structure"
