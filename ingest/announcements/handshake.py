"""The handshake of a SOCKS connection as Wireshark 4.0 follows it (packet-socks.c).

It looks at one segment at a time, whatever that holds. The server is where the first payload went to. A message that
ends too early, or was cut by the capture, has the effect of the part before its end.
"""

from enum import Enum, auto
from typing import Final, NamedTuple

_VERSION_4: Final = 4
_VERSION_5: Final = 5
_CONNECT: Final = 1
_BIND: Final = 2
_UDP_ASSOCIATE: Final = 3
_PING: Final = 0x80
_TRACEROUTE: Final = 0x81
_GRANTED: Final = 90
_NO_AUTHENTICATION: Final = 0
_GSS_API: Final = 1
_USER_NAME: Final = 2
_GSS_FAILURE: Final = 0xFF
_DOMAIN_NAME: Final = 3
_ADDRESS_LENGTHS: Final = {1: 4, 4: 16}
"""Octets of an address by its type; other types have none."""


class Progress(Enum):
    """How far a handshake is."""

    OPEN = auto()
    ENDED = auto()
    """Nothing that follows makes a proxied conversation."""
    PASSED_ON = auto()
    """The payload belongs to the proxied conversation."""


class _Client(Enum):
    START = auto()
    WAITS_FOR_METHOD = auto()
    COMMAND = auto()
    DONE = auto()


class _Server(Enum):
    START = auto()
    METHOD = auto()
    USER_NAME_REPLY = auto()
    GSS_API_REPLY = auto()
    COMMAND_REPLY = auto()
    BIND_REPLY = auto()
    DONE = auto()
    ERROR = auto()


_EXPECTED_REPLY: Final = {
    _NO_AUTHENTICATION: _Server.COMMAND_REPLY,
    _USER_NAME: _Server.USER_NAME_REPLY,
    _GSS_API: _Server.GSS_API_REPLY,
}
"""What the server says next, by authentication method."""


class _EndOfMessageError(Exception):
    """A byte was asked for that was not captured or not sent."""


class _Message(NamedTuple):
    """The captured bytes of a payload."""

    captured: bytes
    length: int

    def octet(self, at: int) -> int:
        if at >= len(self.captured):
            raise _EndOfMessageError
        return self.captured[at]

    def short(self, at: int) -> int:
        self.require(at + 2)
        return self.captured[at] << 8 | self.captured[at + 1]

    def require(self, end: int) -> None:
        if end > len(self.captured):
            raise _EndOfMessageError

    def has_more(self, at: int) -> bool:
        return at <= len(self.captured) and at < self.length

    def after_address(self, at: int) -> int:
        """Return where an address (RFC 1928 section 5) ends; a name need not be there, but its length must be."""
        kind = self.octet(at)
        if kind == _DOMAIN_NAME:
            return at + 2 + self.octet(at + 1)
        end = at + 1 + _ADDRESS_LENGTHS.get(kind, 0)
        self.require(end)
        return end


class Handshake:
    """The state of one handshake."""

    __slots__ = ("_client", "_command", "_done_frame", "_method", "_server", "_version", "port", "server_port")

    def __init__(self, version: int, server_port: int) -> None:
        self.server_port = server_port
        self.port = 0
        """The port that the client asked for."""
        self._version = version
        self._command = 0
        self._method = 0
        self._client = _Client.START
        self._server = _Server.START
        self._done_frame: int | None = None

    def follow(self, captured: bytes, length: int, frame: int, *, to_server: bool) -> Progress:
        """Read a payload that is ``length`` bytes long, of which the first are ``captured`` (at least one)."""
        if self._done_frame is None:
            try:
                self._read(_Message(captured, length), to_server=to_server)
            except _EndOfMessageError:
                return self._progress()
            if self._client is _Client.DONE and self._server is _Server.DONE:
                self._done_frame = frame
        if self._done_frame is not None and frame > self._done_frame and self._command not in (_PING, _TRACEROUTE):
            return Progress.PASSED_ON
        return self._progress()

    def _progress(self) -> Progress:
        hopeless = (
            self._version not in (_VERSION_4, _VERSION_5)
            or self._server in (_Server.BIND_REPLY, _Server.ERROR)
            or (self._done_frame is not None and self._command in (_PING, _TRACEROUTE))
        )
        return Progress.ENDED if hopeless else Progress.OPEN

    def _read(self, message: _Message, *, to_server: bool) -> None:
        if to_server and self._client is not _Client.DONE:
            if self._version == _VERSION_4:
                self._read_request_4(message)
            elif self._version == _VERSION_5:
                self._read_client_5(message, 0)
        elif not to_server and self._server not in (_Server.DONE, _Server.ERROR):
            if self._version == _VERSION_4:
                granted = message.octet(1) == _GRANTED
                self._server = _Server.DONE if granted else _Server.ERROR
            elif self._version == _VERSION_5:
                self._read_server_5(message)

    def _read_request_4(self, message: _Message) -> None:
        self._command = message.octet(1)
        if self._command == _CONNECT:
            self.port = message.short(2)
        message.require(4)
        self._client = _Client.DONE

    def _read_client_5(self, message: _Message, start: int) -> None:
        if self._client is _Client.START:
            self._read_methods(message)
        elif self._client is _Client.COMMAND:
            self._read_command(message, start)
        elif self._client is _Client.WAITS_FOR_METHOD and self._server is _Server.METHOD:
            # Whatever the client sends here is its authentication; the server answers next.
            self._client = _Client.COMMAND
            self._server = _EXPECTED_REPLY[self._method]

    def _read_methods(self, message: _Message) -> None:
        count = message.octet(1)
        if count > 1 or (count == 1 and message.octet(2) != _NO_AUTHENTICATION):
            self._client = _Client.WAITS_FOR_METHOD
            return
        self._client = _Client.COMMAND
        if message.has_more(2 + count):
            self._read_command(message, 2 + count)

    def _read_command(self, message: _Message, start: int) -> None:
        self._command = message.octet(start + 1)
        end = message.after_address(start + 3)
        if self._command in (_CONNECT, _UDP_ASSOCIATE):
            self.port = message.short(end)
        self._client = _Client.DONE

    def _read_server_5(self, message: _Message) -> None:
        if self._server is _Server.START:
            self._read_method(message)
        elif self._server is _Server.USER_NAME_REPLY:
            self._server = _Server.COMMAND_REPLY
        elif self._server is _Server.GSS_API_REPLY:
            if message.octet(1) == _GSS_FAILURE:
                self._server = _Server.ERROR
            elif message.short(2) == 0:
                self._server = _Server.COMMAND_REPLY
        elif self._server is _Server.COMMAND_REPLY:
            if self._command in (_CONNECT, _PING, _TRACEROUTE):
                self._server = _Server.DONE
            elif self._command == _BIND:
                self._server = _Server.BIND_REPLY

    def _read_method(self, message: _Message) -> None:
        self._method = message.octet(1)
        if self._method == _NO_AUTHENTICATION:
            self._server = _Server.COMMAND_REPLY
            self._client = _Client.COMMAND
        elif self._method in _EXPECTED_REPLY:
            self._server = _Server.METHOD
        else:
            self._server = _Server.ERROR
