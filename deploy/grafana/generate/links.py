"""Ways from one dashboard to the next: they keep the range of time and what the variables choose."""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.models.dashboard import DashboardLink, DashboardLinkType

OVERVIEW: Final = "segwatch-overview"
HOST: Final = "segwatch-host"
CONVERSATION: Final = "segwatch-conversation"
RESETS: Final = "segwatch-resets"
SENSORS: Final = "segwatch-sensors"
TITLES: Final = {
    OVERVIEW: "segwatch: Overview",
    HOST: "segwatch: Host and service",
    CONVERSATION: "segwatch: Conversation",
    RESETS: "segwatch: Resets",
    SENSORS: "segwatch: Sensors and pipeline",
}
"""Titles of the dashboards, in the order in which one goes through them."""


def between_dashboards(here: str) -> list[DashboardLink]:
    """Return the links at the top of a dashboard to all others."""
    return [
        DashboardLink(
            title=title.removeprefix("segwatch: "),
            type_val=DashboardLinkType.LINK,
            icon="dashboard",
            tooltip=title,
            url=f"/d/{uid}",
            include_vars=True,
            keep_time=True,
        )
        for uid, title in TITLES.items()
        if uid != here
    ]


def from_row(uid: str, kept: Sequence[str] = (), **columns: str) -> dict[str, object]:
    """Return the link of a table's cell: variables that are kept, and variables that take a column of the row."""
    chosen = [f"${{{name}:queryparam}}" for name in kept if name not in columns]
    chosen += [f"var-{name}=${{__data.fields.{column}}}" for name, column in columns.items()]
    return {
        "title": f"{TITLES[uid].removeprefix('segwatch: ')} of this row",
        "url": f"/d/{uid}?{'&'.join(['${__url_time_range}', *chosen])}",
        "targetBlank": False,
    }
