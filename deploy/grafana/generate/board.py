"""A whole dashboard out of its parts."""

from collections.abc import Sequence

from grafana_foundation_sdk.models.dashboard import (
    AnnotationContainer,
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardDashboardTemplating,
    DashboardDashboardTime,
    TimePickerConfig,
    VariableModel,
)

from deploy.grafana.generate.layout import Section, arranged
from deploy.grafana.generate.links import TITLES, between_dashboards

SCHEMA_VERSION = 41
"""Form of dashboards in Grafana 11.6; later versions read it."""


def board(
    uid: str,
    description: str,
    variables: Sequence[VariableModel],
    annotations: Sequence[AnnotationQuery],
    sections: Sequence[Section],
    time_from: str = "now-6h",
) -> Dashboard:
    """Return the dashboard with this identifier; its title is in ``links.TITLES``."""
    return Dashboard(
        uid=uid,
        title=TITLES[uid],
        description=description,
        tags=["segwatch", "tcp"],
        timezone="browser",
        editable=False,
        graph_tooltip=DashboardCursorSync.CROSSHAIR,
        time=DashboardDashboardTime(from_val=time_from, to="now"),
        timepicker=TimePickerConfig(),
        refresh="1m",
        schema_version=SCHEMA_VERSION,
        panels=arranged(sections),
        templating=DashboardDashboardTemplating(list_val=list(variables)),
        annotations=AnnotationContainer(list_val=list(annotations)),
        links=between_dashboards(uid),
    )
