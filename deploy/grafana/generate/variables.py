"""What one chooses at the top of a dashboard."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import (
    VariableHide,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
    VariableType,
)

from deploy.grafana.generate.queries import options
from deploy.grafana.generate.source import SOURCE

ALL: Final = "$__all"
_OF_OTHER_KINDS: Final[dict[str, None]] = {"auto": None, "auto_min": None, "auto_count": None}
"""What the SDK would give every variable, though only those of intervals have it."""


def _variable(name: str, label: str, description: str, sql: str, several: bool) -> VariableModel:
    """Return a variable that may stand for all of what there is."""
    return VariableModel(
        type_val=VariableType.QUERY,
        name=name,
        label=label,
        description=description,
        hide=VariableHide.DONT_HIDE,
        query={"queryType": "sql", "rawSql": sql, "refId": name},
        datasource=SOURCE,
        current=VariableOption(text=["All"], value=[ALL]) if several else VariableOption(text="All", value=ALL),
        multi=several,
        include_all=True,
        refresh=VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=VariableSort.DISABLED,
        regex="",
        **_OF_OTHER_KINDS,
    )


SENSOR: Final = _variable("sensor", "Sensor", "Sensors, or machines that analysed files", options.SENSOR, several=True)
NETWORK: Final = _variable(
    "network", "Network", "Conversations with an end in it: 10.1.0.0/16, 2001:db8::/32", options.NETWORK, several=False
)
HOST: Final = _variable("host", "Host", "Conversations of this address, on either side", options.HOST, several=False)
PORT: Final = _variable("port", "Server port", "Ports of the servers", options.PORT, several=True)
LABEL: Final = _variable("label", "Label", "Labels of segments, for the panel of labels", options.LABEL, several=True)
CONVERSATION: Final = VariableModel(
    type_val=VariableType.QUERY,
    name="conversation",
    label="Conversation",
    description="The one to look at; those with most trouble come first",
    hide=VariableHide.DONT_HIDE,
    query={"queryType": "sql", "rawSql": options.CONVERSATION, "refId": "conversation"},
    datasource=SOURCE,
    multi=False,
    include_all=False,
    refresh=VariableRefresh.ON_DASHBOARD_LOAD,
    sort=VariableSort.DISABLED,
    regex="",
    **_OF_OTHER_KINDS,
)
"""It is asked for at loading alone: a conversation that a link brought must stay when the range of time changes."""
PLACES: Final = (SENSOR, NETWORK, HOST, PORT)
