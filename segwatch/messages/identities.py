"""Which sensors share a name without meaning to: their rows could not be told apart."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from segwatch.messages.status import SensorStatus


@dataclass
class _Presence:
    """When a capture session was heard: numbers of messages in the log."""

    host: str
    interface: str
    first: int
    last: int


def shared_names(statuses: Iterable[SensorStatus]) -> dict[str, list[str]]:
    """Return the hosts (one, or several) of each name that several sensors have at the same time.

    ``statuses`` as they stand in the log. A sensor that captures several interfaces has a session for each; sessions
    that take turns are of different processes where their hosts differ or their interface is the same. One that begins
    when another has ended is a restart.
    """
    heard: dict[str, dict[str, _Presence]] = defaultdict(dict)
    for number, status in enumerate(statuses):
        new = _Presence(status.host, status.interface, number, number)
        heard[status.sensor].setdefault(status.session, new).last = number
    found = {name: _hosts_at_once(list(sessions.values())) for name, sessions in heard.items()}
    return {name: hosts for name, hosts in found.items() if hosts}


def _hosts_at_once(sessions: list[_Presence]) -> list[str]:
    hosts: set[str] = set()
    running: list[_Presence] = []
    for one in sorted(sessions, key=lambda session: session.first):
        running = [other for other in running if other.last > one.first]
        for other in running:
            if other.host != one.host or other.interface == one.interface:
                hosts |= {one.host, other.host}
        running.append(one)
    return sorted(hosts)


def hosts_of_others(statuses: Iterable[SensorStatus], name: str, own: Collection[str]) -> list[str]:
    """Return the hosts on which others use the name of a sensor whose sessions are ``own``."""
    return sorted({status.host for status in statuses if status.sensor == name and status.session not in own})
