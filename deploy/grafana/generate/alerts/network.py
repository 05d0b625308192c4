"""Rules about the network: somebody's connections are in trouble."""

from typing import Final

from deploy.grafana.generate import links
from deploy.grafana.generate.alerts.rule import Alert
from deploy.grafana.generate.queries import alerts

NETWORK: Final = (
    Alert(
        uid="segwatch-retransmission-rate",
        title="Retransmission rate over baseline",
        query=alerts.RETRANSMISSION_RATE,
        reach=7 * 24 * 3600 + 3600,
        limit=3,
        pending="10m",
        severity="warning",
        summary='{{ $labels.sensor }} sees {{ printf "%.1f" $values.A.Value }} times as many retransmissions as usual',
        meaning=(
            "More than three times the share of segments is sent again than in the week before, and more than 0.5 %. "
            "A usual share below 0.1 %, or none yet, counts as 0.1 %."
        ),
        steps=(
            "Look at the alert Capture loss first: a sensor that loses frames makes retransmissions look like others.",
            "Dashboard Overview, section Where: is it one subnet, one host, one service, or all of them?",
            (
                "One host or service: open it, and see which side sends again. All peers of one host: its link, its "
                "card, its driver. All hosts of one subnet: the switch port or the uplink, look for errors and full "
                "queues."
            ),
            "Everything: the path that all share, or a change of the last hours.",
            "If traffic rose together with it, a link is full: compare the panel Traffic with the speed of the link.",
        ),
        dashboard=links.OVERVIEW,
        panel="Segments sent again",
    ),
    Alert(
        uid="segwatch-refused",
        title="Refused connections",
        query=alerts.REFUSED,
        reach=600,
        limit=20,
        pending="5m",
        severity="critical",
        summary=(
            "{{ $labels.server }} refused {{ $values.A.Value }} connections to port {{ $labels.port }} in ten minutes"
        ),
        meaning="Clients ask for a port on which nobody listens.",
        steps=(
            (
                "Dashboard Resets, panel Refused ports: one port of one server means that a service is down: start "
                "it, and look into its log for why it ended."
            ),
            "Many ports of one server, asked by one client: somebody scans. Find out who that client is.",
            (
                "One client alone, for a service that others reach: its configuration names a wrong port, or a "
                "firewall answers in the name of the server (compare the TTL of the resets in the dashboard "
                "Conversation)."
            ),
            "A service that was moved: update the clients, or the name that they use.",
        ),
        dashboard=links.RESETS,
        panel="Refused ports",
    ),
    Alert(
        uid="segwatch-window-closed",
        title="Zero-window time",
        query=alerts.WINDOW_CLOSED,
        reach=600,
        limit=60,
        pending="5m",
        severity="warning",
        summary=(
            'Conversations of {{ $labels.server }} port {{ $labels.port }} stood still for {{ printf "%.0f" '
            "$values.A.Value }} seconds in ten minutes"
        ),
        meaning=(
            "A receiver does not read, so that its window is closed and the sender must wait. "
            "The network is not at fault."
        ),
        steps=(
            "Dashboard Host and service, panel Windows closed: is it the server that does not read, or its clients?",
            (
                "The server: its application is busy, blocked (disk, database, locks) or out of memory. Look at its "
                "load at the time of the first closed window."
            ),
            (
                "The clients: they take data more slowly than it comes; usual for backups and reports, a fault for "
                "anything that people wait for."
            ),
            "Small windows all the time: the receive buffer of the host is too small for the distance.",
        ),
        dashboard=links.HOST,
        panel="Windows closed over time",
    ),
    Alert(
        uid="segwatch-reset-storm",
        title="Reset storm",
        query=alerts.RESET_STORM,
        reach=300,
        limit=100,
        pending="2m",
        severity="critical",
        summary='{{ $labels.sensor }} sees {{ printf "%.0f" $values.A.Value }} resets a minute',
        meaning="Many connections end by a reset, those after a FIN and repeated ones not counted.",
        steps=(
            "Dashboard Resets, panel Resets by class. Refused: see the alert Refused connections.",
            (
                "Aborted by the server: panel Who ends connections names the host; its service was restarted, or hit "
                "a limit (connections, file descriptors, memory)."
            ),
            (
                "Aborted by the client: clients give up, often because the server is slow; look at Windows closed "
                "and Round trip time of that server."
            ),
            (
                "After idle, half open: a firewall or load balancer was restarted, or forgets too soon; compare its "
                "idle timeout with that of the applications."
            ),
            (
                "Off sequence, many at once: somebody, or some middlebox, injects resets; panel Segments that may be "
                "injected shows their TTL, which tells how far away the injector is."
            ),
        ),
        dashboard=links.RESETS,
        panel="Resets by class",
    ),
)
