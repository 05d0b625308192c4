"""The language of ``--where``: from text to a tree of conditions.

Grammar (words in any case; ``and`` binds tighter than ``or``, ``not`` tighter than both)::

    condition = conjunction { "or" conjunction }
    conjunction = term { "and" term }
    term = "not" term | "(" condition ")" | test
    test = ["src" | "dst"] ("host" ADDRESS | "net" PREFIX | "port" NUMBER)
         | "label" (NAME | "any") | "reset" (CLASS | "any") | "flag" FLAG | "stream" NUMBER
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from segwatch.errors import UsageError
from segwatch.vocabulary import LABEL_NAMES, RESET_NAMES, Flag

Side = Literal["src", "dst", "either"]
_TOKEN = re.compile(r"\s*(?:([()])|([^\s()]+))")
_MAXIMUM_DEPTH = 50


@dataclass(frozen=True)
class Net:
    """Segments from or to an address of a prefix."""

    side: Side
    network: ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Port:
    """Segments from or to a port."""

    side: Side
    number: int


@dataclass(frozen=True)
class Labelled:
    """Segments with any label of a mask."""

    mask: int


@dataclass(frozen=True)
class ResetClass:
    """Segments with a class of reset; ``None``: with any."""

    number: int | None


@dataclass(frozen=True)
class Flagged:
    """Segments with a TCP flag."""

    mask: int


@dataclass(frozen=True)
class Stream:
    """Segments of a conversation."""

    number: int


@dataclass(frozen=True)
class Not:
    """Segments that do not meet a condition."""

    operand: "Condition"


@dataclass(frozen=True)
class Both:
    """Segments that meet both conditions."""

    left: "Condition"
    right: "Condition"


@dataclass(frozen=True)
class Either:
    """Segments that meet at least one of two conditions."""

    left: "Condition"
    right: "Condition"


Condition = Net | Port | Labelled | ResetClass | Flagged | Stream | Not | Both | Either


def parse(text: str) -> Condition:
    """Return the condition that ``text`` states; raise ``UsageError`` with a mark under what is wrong."""
    return _Parser(text).whole()


def _joined(kind: type[Both | Either], parts: list[Condition]) -> Condition:
    """Return a tree of ``parts``, flat even where there are thousands, as it is walked by recursion."""
    while len(parts) > 1:
        pairs: list[Condition] = [kind(left, right) for left, right in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [(match.group(1) or match.group(2), match.end()) for match in _TOKEN.finditer(text)]
        self._next = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._condition()
        if self._next < len(self._tokens):
            self._refuse('expected "and", "or" or the end')
        return condition

    def _word(self) -> str:
        """Return the next token in lower case, empty at the end."""
        return self._tokens[self._next][0].lower() if self._next < len(self._tokens) else ""

    def _taken(self, word: str) -> bool:
        if self._word() != word:
            return False
        self._next += 1
        return True

    def _refuse(self, reason: str) -> NoReturn:
        position = len(self._text)
        if self._next < len(self._tokens):
            token, end = self._tokens[self._next]
            position = end - len(token)
        shown = re.sub(r"\s", " ", self._text)
        raise UsageError(f"the filter cannot be read: {reason}\n  {shown}\n  {' ' * position}^")

    def _condition(self) -> Condition:
        parts = [self._conjunction()]
        while self._taken("or"):
            parts.append(self._conjunction())
        return _joined(Either, parts)

    def _conjunction(self) -> Condition:
        parts = [self._term()]
        while self._taken("and"):
            parts.append(self._term())
        return _joined(Both, parts)

    def _term(self) -> Condition:
        self._depth += 1
        if self._depth > _MAXIMUM_DEPTH:
            self._refuse(f"nested more than {_MAXIMUM_DEPTH} times")
        try:
            if self._taken("not"):
                return Not(self._term())
            if self._taken("("):
                inner = self._condition()
                if not self._taken(")"):
                    self._refuse('expected ")", "and" or "or"')
                return inner
            return self._test()
        finally:
            self._depth -= 1

    def _test(self) -> Condition:
        side: Side = "either"
        if self._taken("src"):
            side = "src"
        elif self._taken("dst"):
            side = "dst"
        kind = self._word()
        if side != "either" and kind not in ("host", "net", "port"):
            self._refuse("expected host, net or port")
        if kind not in ("host", "net", "port", "label", "reset", "flag", "stream"):
            self._refuse("expected host, net, port, label, reset, flag, stream, src, dst, not or (")
        self._next += 1
        match kind:
            case "host" | "net":
                return self._net(side, host=kind == "host")
            case "port":
                return Port(side, self._number(0xFFFF))
            case "label":
                return self._label()
            case "reset":
                return self._reset()
            case "flag":
                return self._flag()
            case _:
                return Stream(self._number(0x7FFF_FFFF))

    def _net(self, side: Side, *, host: bool) -> Condition:
        word = self._word()
        try:
            network = ipaddress.ip_network(word, strict=False)
        except ValueError:
            self._refuse("expected an IPv4 or IPv6 address" if host else "expected a prefix like 10.1.0.0/16")
        if host and "/" in word:
            self._refuse("expected an address without a prefix length (net takes one)")
        self._next += 1
        return Net(side, network)

    def _number(self, maximum: int) -> int:
        word = self._word()
        if not re.fullmatch(r"[0-9]{1,10}", word) or int(word) > maximum:
            self._refuse(f"expected a number from 0 to {maximum}")
        self._next += 1
        return int(word)

    def _name(self, names: tuple[str, ...], *, any_of_them: bool) -> int:
        """Return the place of the next word in ``names``, -1 for ``any``."""
        word = self._word().replace("-", "_")
        if any_of_them and word == "any":
            self._next += 1
            return -1
        if not word or word not in names:
            choices = [name for name in names if name] + ["any"] * any_of_them
            self._refuse("expected one of " + ", ".join(choices))
        self._next += 1
        return names.index(word)

    def _label(self) -> Condition:
        place = self._name(LABEL_NAMES, any_of_them=True)
        return Labelled((1 << len(LABEL_NAMES)) - 1 if place < 0 else 1 << place)

    def _reset(self) -> Condition:
        place = self._name(RESET_NAMES, any_of_them=True)
        return ResetClass(None if place < 0 else place)

    def _flag(self) -> Condition:
        names = tuple(str(flag.name).lower() for flag in Flag)
        return Flagged(list(Flag)[self._name(names, any_of_them=False)].value)
