"""The data source of everything here, and queries to it in the form of its plugin."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any, Final, Self

from grafana_foundation_sdk.cog.runtime import DataqueryConfig
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import AnnotationTarget, DataSourceRef

PLUGIN: Final = "grafana-clickhouse-datasource"
PLUGIN_VERSION: Final = "4.20.0"
"""The version whose form the queries have; without one the plugin takes them for those of an older one."""
UID: Final = "segwatch"
SOURCE: Final = DataSourceRef(type_val=PLUGIN, uid=UID)
TIME_SERIES: Final = 0
TABLE: Final = 1
_QUERY_TYPES: Final = {TIME_SERIES: "timeseries", TABLE: "table"}


def _form(sql: str, shape: int, ref_id: str) -> dict[str, object]:
    return {
        "datasource": SOURCE,
        "editorType": "sql",
        "format": shape,
        "pluginVersion": PLUGIN_VERSION,
        "queryType": _QUERY_TYPES[shape],
        "rawSql": sql,
        "refId": ref_id,
    }


class Sql(Dataquery):
    """A query whose result has the shape ``TIME_SERIES`` or ``TABLE``."""

    def __init__(self, sql: str, shape: int, ref_id: str = "A") -> None:
        self.sql = sql
        self.shape = shape
        self.ref_id = ref_id

    def to_json(self) -> dict[str, object]:
        """Return the query as dashboards and alert rules hold it."""
        return _form(self.sql, self.shape, self.ref_id)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read what ``to_json`` gives."""
        return cls(data["rawSql"], data["format"], data["refId"])


def several(queries: Sequence[str], shape: int) -> list[Dataquery]:
    """Return the queries of one panel, which are called A, B and so on."""
    return [Sql(query, shape, letter) for query, letter in zip(queries, ascii_uppercase, strict=False)]


class Marks(AnnotationTarget):
    """A query for marks on the axis of time: ``time``, ``text``, and perhaps ``timeEnd`` and ``tags``."""

    def __init__(self, sql: str) -> None:
        super().__init__()
        self.sql = sql

    def to_json(self) -> dict[str, object]:
        """Return the query as annotations hold it."""
        return _form(self.sql, TABLE, "annotation")


def query_reader() -> DataqueryConfig:
    """Return how the SDK reads queries to this source."""
    return DataqueryConfig(identifier=PLUGIN, from_json_hook=Sql.from_json)
