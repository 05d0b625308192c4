"""Every file that is made, and its text."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.generate import links
from deploy.grafana.generate.alerts.network import NETWORK
from deploy.grafana.generate.alerts.pipeline import PIPELINE
from deploy.grafana.generate.alerts.rule import Alert
from deploy.grafana.generate.dashboards import conversation, hosts, overview, resets, sensors

FOLDER: Final = Path(__file__).resolve().parent.parent
"""Where the files lie that Grafana is given."""
ALERTS: Final = Path("provisioning/alerting/segwatch.json")
GROUPS: Final[Mapping[str, tuple[Alert, ...]]] = {"network": NETWORK, "pipeline": PIPELINE}
_DASHBOARDS: Final[tuple[Callable[[], Dashboard], ...]] = (
    overview.dashboard,
    hosts.dashboard,
    conversation.dashboard,
    resets.dashboard,
    sensors.dashboard,
)


def made() -> dict[Path, str]:
    """Return the text of each file by its place in ``FOLDER``."""
    dashboards = {str(board.uid): board for board in (make() for make in _DASHBOARDS)}
    files = {Path(f"dashboards/{uid}.json"): _text(board) for uid, board in dashboards.items()}
    return files | {ALERTS: _text(_alerts(dashboards))}


def _text(content: object) -> str:
    return JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False).encode(content) + "\n"


def _alerts(dashboards: Mapping[str, Dashboard]) -> dict[str, object]:
    groups = [
        {
            "orgId": 1,
            "name": f"segwatch {name}",
            "folder": "segwatch",
            "interval": "1m",
            "rules": [alert.in_file(_panel_id(dashboards[alert.dashboard], alert.panel)) for alert in alerts],
        }
        for name, alerts in GROUPS.items()
    ]
    return {"apiVersion": 1, "groups": groups}


def _panel_id(board: Dashboard, title: str) -> int:
    (number,) = [panel.id_val for panel in board.panels or () if panel.title == title]
    if number is None:
        raise ValueError(f"the panel {title!r} of {links.TITLES[str(board.uid)]!r} has no number")
    return number
