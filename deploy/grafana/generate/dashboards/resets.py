"""Who ends connections, how, and where."""

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.generate import annotations, links, variables
from deploy.grafana.generate.board import board
from deploy.grafana.generate.fields import NUMBER, PERCENT, WHOLE, Column
from deploy.grafana.generate.layout import Section
from deploy.grafana.generate.panels import bars, lines, number, rows
from deploy.grafana.generate.queries import resets as queries

_KEPT = ("sensor", "network", "host", "port")
_HOST = links.from_row(links.HOST, _KEPT, host="host")
_SERVICE = links.from_row(links.HOST, ("sensor",), host="host", port="port")
_SERVER = links.from_row(links.HOST, ("sensor",), host="server", port="port")
_CLIENT = links.from_row(links.HOST, ("sensor",), host="client")
_OPENED = links.from_row(links.CONVERSATION, _KEPT, conversation="conversation")


def _now() -> Section:
    return Section(
        "Now",
        [
            number("Resets", "Segments with RST.", NUMBER, queries.count()),
            number(
                "Refused",
                "SYNs that were answered by a reset: nobody listens on that port, or a firewall says so.",
                NUMBER,
                queries.count("refused"),
                (1, 20),
            ),
            number(
                "Aborted in the middle",
                "Conversations that a side broke off while data was going to and fro.",
                NUMBER,
                queries.count("aborted_by_client", "aborted_by_server"),
                (10, 100),
            ),
            number(
                "After silence",
                (
                    "Resets after a minute of silence, or after keep-alives that nobody answered: middleboxes that "
                    "forget, hosts that are gone."
                ),
                NUMBER,
                queries.count("after_idle", "keep_alive_failure", "half_open"),
                (10, 100),
            ),
            number(
                "Perhaps injected",
                "Resets outside the window of the other side (class off_sequence), which a real end would hardly send.",
                NUMBER,
                queries.count("off_sequence"),
                (1, 10),
            ),
            number(
                "Conversations reset",
                "Share of the conversations in the range of time that had any reset.",
                PERCENT,
                queries.SHARE,
            ),
        ],
    )


def _how() -> Section:
    return Section(
        "How",
        [
            lines(
                "Resets by class",
                "Segments with RST by what they mean; docs/labels.md has the rule of each class.",
                NUMBER,
                queries.BY_CLASS,
                by="reset",
                stacked=True,
                least_interval=None,
            ),
            lines("Pace", "Resets a minute, from the counters of every conversation.", NUMBER, queries.PACE),
            bars(
                "By class and side",
                "Who sent them: the side that opened the conversation (client) or the side that was asked (server).",
                NUMBER,
                queries.BY_SIDE,
            ),
            rows(
                "How conversations ended",
                "Conversations by their first reset; finished: closed by FIN and without any; open: neither was seen.",
                queries.ENDS,
                {"reason": Column("ended"), "conversations": Column("conversations", NUMBER)},
                width=12,
            ),
        ],
    )


def _who() -> Section:
    return Section("Who and where", [_senders(), _refused(), _pairs(), _injected()])


def _senders() -> Panel:
    return rows(
        "Who ends connections",
        ("Senders of resets. One host with many peers is a server in trouble, a scanner's target or a middlebox."),
        queries.SENDERS,
        {
            "host": Column("sender", links=[_HOST]),
            "resets": Column("resets", NUMBER),
            "conversations": Column("conversations", NUMBER),
            "peers": Column("peers", NUMBER),
            "classes": Column("classes", width=220),
            "last": Column("last", "dateTimeAsIso"),
        },
        width=12,
    )


def _refused() -> Panel:
    return rows(
        "Refused ports",
        (
            "Ports where nobody listens though clients ask. Many ports of one server are a scan, one port of "
            "many clients a service that is down."
        ),
        queries.REFUSED,
        {
            "host": Column("server", links=[_SERVICE]),
            "port": Column("port"),
            "refused": Column("refused", NUMBER, (1, 20)),
            "clients": Column("clients", NUMBER),
            "first": Column("first", "dateTimeAsIso"),
            "last": Column("last", "dateTimeAsIso"),
        },
        width=12,
    )


def _pairs() -> Panel:
    return rows(
        "Between whom",
        "Pairs of client and service, and the class of their resets.",
        queries.PAIRS,
        {
            "client": Column("client", links=[_CLIENT]),
            "server": Column("server", links=[_SERVER]),
            "port": Column("port"),
            "reset": Column("class"),
            "resets": Column("resets", NUMBER),
            "by_client": Column("by the client", NUMBER),
            "conversations": Column("conversations", NUMBER),
        },
        width=12,
    )


def _injected() -> Panel:
    return rows(
        "Segments that may be injected",
        (
            "Resets outside the window of the other side. Compare their TTL and IP identification with those "
            "of the side in whose name they come: another TTL means another machine."
        ),
        queries.INJECTED,
        {
            "time": Column("time", "dateTimeAsIso"),
            "conversation": Column("conversation", links=[_OPENED], width=120),
            "client": Column("client", links=[_CLIENT]),
            "server": Column("server", links=[_SERVER]),
            "port": Column("port"),
            "in_the_name_of": Column("in the name of"),
            "seq": Column("seq", WHOLE),
            "ack": Column("ack", WHOLE),
            "ttl": Column("TTL", WHOLE),
            "ip_id": Column("IP id", WHOLE),
            "window": Column("window", WHOLE),
            "frame": Column("frame", WHOLE),
        },
        width=12,
    )


def dashboard() -> Dashboard:
    """Return the dashboard."""
    return board(
        links.RESETS,
        "Who ends connections, how and where; refused ports; resets that may be injected.",
        list(variables.PLACES),
        [annotations.CAPTURE_LOSS, annotations.INJECTIONS],
        [_now(), _how(), _who()],
    )
