"""A guide as text, YAML or JSON: its data, and the line and column at which each part of it stands.

Scalars are read as YAML 1.2 and JSON have them: `Yes` and `12:30` are text, a date is text. PyYAML's own loader reads
YAML 1.1, knows no line afterwards, takes the last of two equal keys, and multiplies aliases without end.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32  # levels of nesting
MAX_VALUES = 20_000  # with aliases written out

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TAGS = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map"))
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_LAST_PART = re.compile(r"(?:\.[^.\[\]]*|\[\d+\])\Z")

Mark = tuple[int, int]  # line and column, both from 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say of a guide: where, in which line and column of a text, and what. `rule` is a craft rule's."""

    where: str
    message: str
    line: int | None = None
    column: int | None = None
    rule: str = ""

    @property
    def place(self) -> str:
        """`line 41, languages.en.topics.trigger.main[0]`, as far as it is known."""
        if self.line is None:
            return self.where
        return f"line {self.line}, {self.where if self.where != 'guide' else f'column {self.column}'}"


class TextError(ValueError):
    """Text that cannot be read as one mapping. `findings` say where and why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{one.place}: {one.message}" for one in self.findings))


@dataclass(frozen=True, slots=True)
class GuideText:
    """What was read: the mapping, and where each part of it stands."""

    data: dict[str, Any]
    marks: Mapping[str, Mark]

    def find(self, where: str) -> Mark:
        """Line and column of a place such as `topics[2].priority`; of what it is missing from when it is missing."""
        while where and where not in self.marks:
            shorter = _LAST_PART.sub("", where)
            where = shorter if shorter != where else ""
        return self.marks.get(where, (1, 1))


def parse(text: str) -> GuideText:
    """The mapping in a text with its places. Raises TextError, whatever the text is."""
    _refuse_unreadable(text)
    plain = text.removeprefix("\ufeff")
    if plain.lstrip().startswith("{"):
        # Two things that JSON allows and YAML does not: tabs between the values, and escapes in pairs.
        plain = _PAIR.sub(lambda pair: pair[1] + json.loads(f'"{pair[2]}"'), plain.replace("\t", " "))
    reader = _Reader()
    try:
        for event in cast("Iterator[Any]", yaml.parse(plain, Loader=_LOADER)):  # pyright: ignore[reportUnknownMemberType]  # the library has no types
            reader.take(event)
    except yaml.YAMLError as error:
        raise TextError([_syntax_fault(error, plain)]) from None
    if not isinstance(reader.root, _Map):
        raise TextError([Finding("guide", "must be a mapping with topics and languages")])
    writer = _Writer()
    data = writer.write(reader.root, "", 1)
    if writer.faults:
        raise TextError(writer.faults)
    return GuideText(data, writer.marks)


def _refuse_unreadable(text: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise TextError([Finding("guide", f"is longer than {MAX_BYTES // 1024} KiB")])
    at, what = text.find("\x00"), "holds the character U+0000, which cannot be stored"
    if at < 0 and not text.isascii() and (half := _SURROGATE.search(text)):
        at, what = half.start(), "holds half of a surrogate pair, which is not a character"
    if at >= 0:
        raise TextError([Finding("guide", what, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))])


def _syntax_fault(error: yaml.YAMLError, text: str) -> Finding:
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = [str(part) for name in ("context", "problem", "reason") if (part := getattr(error, name, None))]
    what = "cannot be read: " + (", ".join(said) or str(error).partition("\n")[0])
    if mark is not None:
        return Finding("guide", what, mark.line + 1, mark.column + 1)
    at = getattr(error, "position", None)
    if isinstance(at, int):
        before = text.encode()[:at].decode(errors="replace")
        return Finding("guide", what, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Finding("guide", what)


@dataclass(slots=True)
class _Scalar:
    value: object
    mark: Mark


@dataclass(slots=True)
class _List:
    mark: Mark
    anchor: str | None
    items: list["_Node"] = field(default_factory=list["_Node"])


@dataclass(slots=True)
class _Map:
    mark: Mark
    anchor: str | None
    entries: list[tuple[str, Mark, "_Node"]] = field(default_factory=list[tuple[str, Mark, "_Node"]])
    key: tuple[str, Mark] | None = None


_Node = _Scalar | _List | _Map


class _Reader:
    """Builds the nodes from the parser's events, without recursion, so that no nesting is too deep to be refused."""

    def __init__(self) -> None:
        self.root: _Node | None = None
        self._open: list[_List | _Map] = []
        self._anchors: dict[str, _Node] = {}

    def take(self, event: Any) -> None:
        """One event. Raises TextError."""
        mark = (event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case yaml.ScalarEvent():
                node = _Scalar(_value(event, mark), mark)
                # a key is what is written, even where it reads like a number or a truth
                self._add(_Scalar(event.value, mark) if self._at_key() else node, mark, plain=not event.style)
                if event.anchor:
                    self._anchors[event.anchor] = node
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise _fault(f"the alias *{event.anchor} stands for nothing that ends before it", mark)
                self._add(self._anchors[event.anchor], mark)
            case yaml.MappingStartEvent():
                self._begin(_Map(mark, event.anchor), event)
            case yaml.SequenceStartEvent():
                self._begin(_List(mark, event.anchor), event)
            case yaml.CollectionEndEvent():
                node = self._open.pop()
                if node.anchor:
                    self._anchors[node.anchor] = node
            case yaml.DocumentStartEvent() if self.root is not None:
                raise _fault("a second document begins here; a guide is one", mark)
            case _:
                pass

    def _begin(self, node: _List | _Map, event: Any) -> None:
        if event.tag not in (None, "!", *_TAGS):
            raise _fault(f"has the tag {event.tag}, which means nothing here", node.mark)
        self._add(node, node.mark)
        self._open.append(node)
        if len(self._open) > MAX_DEPTH:
            raise _fault(f"is nested more than {MAX_DEPTH} levels deep", node.mark)

    def _at_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], _Map) and self._open[-1].key is None

    def _add(self, node: _Node, mark: Mark, *, plain: bool = False) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent, _List):
            parent.items.append(node)
        elif parent.key is not None:
            parent.entries.append((*parent.key, node))
            parent.key = None
        elif not isinstance(node, _Scalar) or not isinstance(node.value, str):
            raise _fault("a key must be plain text", mark)
        elif node.value == "<<" and plain:
            raise _fault("`<<` is not known here; write the entries out", mark)
        else:
            parent.key = (node.value, mark)


class _Writer:
    """Turns nodes into plain data, noting where each value stands and what is wrong with it."""

    def __init__(self) -> None:
        self.marks: dict[str, Mark] = {}
        self.faults: list[Finding] = []
        self._count = 0

    def write(self, node: _Node, where: str, depth: int) -> Any:
        """The data of a node. Raises TextError for what aliases have multiplied beyond measure."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise _fault(f"holds more than {MAX_VALUES:,} values, aliases written out", node.mark)
        if depth > MAX_DEPTH:
            raise _fault(f"is nested more than {MAX_DEPTH} levels deep, aliases written out", node.mark)
        self.marks.setdefault(where, node.mark)
        match node:
            case _Scalar():
                if isinstance(node.value, str) and (unfit := _unfit(node.value)):
                    self._fault(where, unfit, node.mark)
                return node.value
            case _List():
                return [self.write(item, f"{where}[{number}]", depth + 1) for number, item in enumerate(node.items)]
            case _Map():
                return self._mapping(node, where, depth)

    def _mapping(self, node: _Map, where: str, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, mark, value in node.entries:
            here = f"{where}.{key}".removeprefix(".")
            if key in lines:
                self._fault(here, f"stands twice, first in line {lines[key]}", mark)
                continue
            if unfit := _unfit(key):
                self._fault(where, f"a key {unfit}", mark)
            lines[key] = mark[0]
            # a list or mapping begins on the line after its key, but its key is what one looks for
            self.marks[here] = value.mark if isinstance(value, _Scalar) else mark
            data[key] = self.write(value, here, depth + 1)
        return data

    def _fault(self, where: str, what: str, mark: Mark) -> None:
        self.faults.append(Finding(where or "guide", what, *mark))


def _value(event: Any, mark: Mark) -> object:
    """A scalar as YAML 1.2's core schema and JSON read it."""
    text: str = event.value
    if event.tag not in (None, "!", *_TAGS):
        raise _fault(f"has the tag {event.tag}, which means nothing here", mark)
    if event.style or event.tag in _TEXT_TAGS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _unfit(text: str) -> str:
    if "\x00" in text:
        return "holds the character U+0000, which cannot be stored"
    return "holds half of a surrogate pair" if _SURROGATE.search(text) else ""


def _fault(what: str, mark: Mark) -> TextError:
    return TextError([Finding("guide", what, *mark)])
