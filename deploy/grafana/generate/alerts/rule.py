"""An alert rule out of its description, in the form of provisioning files."""

from dataclasses import dataclass
from typing import Final, Literal

from grafana_foundation_sdk.models.alerting import Query, RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.expr import (
    ExprTypeThresholdConditions,
    ExprTypeThresholdConditionsEvaluator,
    TypeThreshold,
)

from deploy.grafana.generate.source import TABLE, UID, Sql

EXPRESSION: Final = "__expr__"
"""Grafana's name for its own arithmetic as a data source."""


@dataclass(frozen=True)
class Alert:
    """A rule: every row of its query is an alert of its own while its number is above the limit."""

    uid: str
    title: str
    query: str
    reach: int
    """Seconds that the query looks back."""
    limit: float
    pending: str
    """How long a number must be above the limit before anybody is told."""
    severity: Literal["critical", "warning"]
    summary: str
    """One line, with the names and the number of the row."""
    meaning: str
    steps: tuple[str, ...]
    """What one does; docs/dashboards.md says the same under the title."""
    dashboard: str
    panel: str
    """Title of the panel that shows it."""
    no_data: Literal["OK", "NoData"] = "OK"
    """No row at all is health, except for what ought always to be there."""

    def runbook(self) -> str:
        """Return what the alert means, and what to do, step by step."""
        return "\n".join([self.meaning, *(f"{number}. {step}" for number, step in enumerate(self.steps, 1))])

    def in_file(self, panel_id: int) -> dict[str, object]:
        """Return the rule as Grafana reads it from a file."""
        return {
            "uid": self.uid,
            "title": self.title,
            "condition": "B",
            "data": [self._question(), self._condition()],
            "dashboardUid": self.dashboard,
            "panelId": panel_id,
            "noDataState": self.no_data,
            "execErrState": "Error",
            "for": self.pending,
            "annotations": {
                "summary": self.summary,
                "description": self.runbook(),
                "__dashboardUid__": self.dashboard,
                "__panelId__": str(panel_id),
            },
            "labels": {"severity": self.severity, "service": "segwatch"},
            "isPaused": False,
        }

    def _question(self) -> Query:
        return Query(
            ref_id="A",
            datasource_uid=UID,
            relative_time_range=RelativeTimeRange(from_val=self.reach, to=0),
            model=Sql(self.query, TABLE, "A"),
        )

    def _condition(self) -> Query:
        above = ExprTypeThresholdConditionsEvaluator(params=[self.limit], type_val="gt")
        model = TypeThreshold(
            ref_id="B",
            expression="A",
            conditions=[ExprTypeThresholdConditions(evaluator=above)],
            datasource=DataSourceRef(type_val=EXPRESSION, uid=EXPRESSION),
        )
        return Query(
            ref_id="B",
            datasource_uid=EXPRESSION,
            relative_time_range=RelativeTimeRange(from_val=self.reach, to=0),
            model=model,
        )
