"""A guide given as text: every fault is answered with its line and its place, and no text is too wild for that."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import json
import time
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afterword import paige
from afterword.paige import guide_text
from afterword.paige.guide import load_guide_text

TEXTS = {
    slug: (files("afterword.paige") / "guides" / f"{slug}.yaml").read_text("utf-8")
    for slug, _ in paige.shipped_guides()
}
LOST = TEXTS["lost-to-competitor"]


def places(text: str) -> dict[str, str]:
    """What is wrong with a text: place → message."""
    with pytest.raises(paige.GuideError) as raised:
        load_guide_text(text)
    return dict(raised.value.places)


def line_of(text: str, part: str) -> int:
    """The number of the first line that holds a part."""
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize("slug", TEXTS)
def test_what_ships_is_read_alike_from_yaml_and_from_json(slug):
    shipped = dict(paige.shipped_guides())[slug]

    assert guide_text.parse(TEXTS[slug]).data == shipped
    for written in (
        json.dumps(shipped),
        json.dumps(shipped, indent="\t", ensure_ascii=False),
        json.dumps(shipped, separators=(",", ":")),
    ):
        assert guide_text.parse(written).data == shipped
    assert load_guide_text(json.dumps(shipped, indent=2)) == paige.load_guide(shipped)


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("    priority: 2\n", "    priority: 9\n", "topics[0].priority", "9"),
        ("    max_probes: 1\n", "    max_probs: 1\n", "topics[0].max_probs", "did you mean max_probes?"),
        ("    title: The people who decided\n", "    title: 7\n", "topics[2].title", "put it in quotes"),
        ("{id: top, kind: text,", "{id: top, kind: words,", "topics[1].slots[0].kind", "must be one of"),
        ('"Put simply: what problem', '"Put simply, {frist_name}: what problem', "languages.en.topics.trigger.simpler[0]", "first_name"),
        ("            choices: [Decisive,", "            choice: [Decisive,", "languages.en.topics.verdict.slots.weight.choice", "did you mean choices?"),
        ("minutes: 13\n", "minutes: thirteen\n", "minutes", "must be integer"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_line_and_place(old: str, new: str, where: str, what: str):
    assert old in LOST
    text = LOST.replace(old, new, 1)

    told = places(text)

    place = f"line {line_of(text, new.strip())}, {where}"
    assert place in told
    assert what in told[place]


def test_what_is_missing_is_named_with_the_line_of_what_it_is_missing_from():
    told = places(LOST.replace("    intent: What happened that", "    # intent: What happened that", 1))

    assert told == {f"line {line_of(LOST, '- id: trigger')}, topics[0].intent": "is missing"}


def test_all_faults_are_told_in_the_order_of_their_lines():
    text = (
        LOST.replace("name: Lost", "nam: Lost", 1)
        .replace("priority: 1", "priority: 0")
        .replace("schema: 1", "shema: 1")
    )

    told = list(places(text))

    assert len(told) > 6
    lines = [int(place.split(",")[0].removeprefix("line ")) for place in told]
    assert lines == sorted(lines)


def test_every_unknown_and_every_missing_name_is_told():
    guide = {key: value for key, value in dict(paige.shipped_guides()[0][1]).items() if key not in ("name", "slug")}

    with pytest.raises(paige.GuideError) as raised:
        paige.load_guide({**guide, "colour": "red", "shape": "round"})

    assert {place for place, _ in raised.value.places} == {"name", "slug", "colour", "shape"}


def test_a_language_that_is_no_code_is_named():
    assert "languages.English" in {
        place.split(", ")[1] for place in places(LOST.replace("\n  en:\n", "\n  English:\n", 1))
    }


MALFORMED = {
    "nothing": ("", "guide", "must be a mapping"),
    "words": ("just words", "guide", "must be a mapping"),
    "list": ("- a\n- b\n", "guide", "must be a mapping"),
    "open bracket": ("name: x\ntopics:\n  - id: [a\n", "line 4, column 1", "cannot be read"),
    "colon in a value": ("name: a: b", "line 1, column 8", "mapping values are not allowed"),
    "indentation": ("name: x\n  slug: y\n", "line 2, column 7", "not allowed"),
    "tab": ("name: x\n\tslug: y\n", "line 2, column 1", "cannot"),
    "key twice": ("name: x\nslug: y\nname: z\n", "line 3, name", "stands twice, first in line 1"),
    "key twice in JSON": ('{"name": "x",\n "name": "y"}', "line 2, name", "stands twice, first in line 1"),
    "key twice, deep": ("a:\n  - b: 1\n    c: 2\n    b: 3\n", "line 4, a[0].b", "stands twice"),
    "python object": ("!!python/object/apply:os.system ['id']", "line 1, column 1", "tag"),
    "own tag": ("name: !secret x", "line 1, column 7", "tag"),
    "two documents": ("name: x\n---\nname: y\n", "line 2, column 1", "second document"),
    "merge": ("base: &b {a: 1}\n<<: *b\n", "line 2, column 1", "write the entries out"),
    "key that is a list": ("? [a, b]\n: c\n", "line 1, column 3", "plain text"),
    "alias of nothing": ("name: *x", "line 1, column 7", "stands for nothing"),
    "alias of itself": ("name: &x [*x]", "line 1, column 11", "stands for nothing"),
    "U+0000": ("name: a\x00b", "line 1, column 8", "U+0000"),
    "U+0000 escaped": ('name: "a\\0b"', "line 1, name", "U+0000"),
    "half a pair": ("slug: a\nname: \ud800", "line 2, column 7", "surrogate"),
    "half a pair escaped": ('name: "\\ud800"', "line 1, column 10", "cannot be read"),
    "bell": ("name: x\nslug: \x07", "line 2, column 7", "control characters"),
    "too long": ("# " + "x" * guide_text.MAX_BYTES, "guide", "256 KiB"),
    "deep lists": ("[" * 100_000, "line 1, column 33", "32 levels"),
    "deep mappings": ("{a: " * 50_000, "line 1, column 129", "32 levels"),
}


@pytest.mark.parametrize(("text", "place", "what"), MALFORMED.values(), ids=MALFORMED)
def test_text_that_is_no_guide_is_refused_with_its_place(text: str, place: str, what: str):
    told = places(text)

    assert list(told) == [place]
    assert what in told[place]


def test_aliases_cannot_multiply_beyond_measure():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 9)
    )
    chain = "a0: &a0 [x]\n" + "".join(f"a{number}: &a{number} [*a{number - 1}]\n" for number in range(1, 5000))
    started = time.process_time()

    assert "20,000 values" in next(iter(places(bomb).values()))
    assert "32 levels" in next(iter(places(chain).values()))
    assert time.process_time() - started < 2


def test_an_alias_saves_writing_a_wording_twice():
    text = LOST.replace("        simpler:\n", "        simpler: &once\n", 1).replace(
        """        simpler:
          - "Which two or three things did the new solution have to do well?"
          - "What was on your wish list?"
""",
        "        simpler: *once\n",
    )

    words = load_guide_text(text).packs["en"].topics
    assert words["criteria"].simpler == words["trigger"].simpler


def test_scalars_are_read_as_in_yaml_1_2():
    read = guide_text.parse(
        "a: Yes\nno: off\nb: 12:30\nc: 2026-01-01\nd: 010\ne: 'x'\nf: ~\ng: 1.5\nh: true\n1: one\n"
    ).data

    assert read == {
        "a": "Yes", "no": "off", "b": "12:30", "c": "2026-01-01", "d": 10, "e": "x", "f": None, "g": 1.5, "h": True, "1": "one",
    }  # fmt: skip


def test_emoji_in_json_escapes_are_read():
    assert guide_text.parse('{"a": "\\ud83d\\ude00", "b": "\\\\ud83d"}').data == {"a": "😀", "b": "\\ud83d"}


def test_warnings_have_their_lines_too():
    text = LOST.replace("To begin at the beginning: what was", "That is great. What was", 1)

    checked = paige.check_guide(text)

    assert checked.faults == ()
    [warning] = checked.warnings
    assert (warning.where, warning.rule) == ("languages.en.topics.trigger.main[0]", "praise")
    assert warning.line == line_of(text, "That is great")


def test_data_has_places_without_lines():
    checked = paige.check_guide({"schema": 1})

    assert checked.guide is None
    assert {one.line for one in checked.faults} == {None}
    assert "topics" in {one.where for one in checked.faults}


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{},\n \t\"'&*!|>?#%@`0~<", max_size=80))
def test_any_text_is_answered(text: str):
    checked = paige.check_guide(text)

    assert checked.faults
    assert all(one.message for one in checked.faults)


STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | STORABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 10_000), JSON)
def test_any_value_anywhere_in_a_guide_is_answered(slug: str, pick: int, value: object):
    data = json.loads(json.dumps(dict(paige.shipped_guides())[slug]))
    spots = list(_spots(data))
    parent, key = spots[pick % len(spots)]
    parent[key] = value

    checked = paige.check_guide(data)
    as_text = paige.check_guide(json.dumps(data))

    assert bool(checked.faults) == (checked.guide is None)
    assert {one.where for one in checked.faults} == {one.where for one in as_text.faults}
    assert all(one.line for one in as_text.faults)


def _spots(value):
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _spots(value[key])
