"""Marks on the axis of time, which the top of a dashboard switches on and off."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from deploy.grafana.generate.queries import annotations
from deploy.grafana.generate.source import SOURCE, Marks


def _marks(name: str, colour: str, sql: str) -> AnnotationQuery:
    return AnnotationQuery(name=name, datasource=SOURCE, enable=True, icon_color=colour, target=Marks(sql))


CAPTURE_LOSS: Final = _marks("Capture loss", "orange", annotations.CAPTURE_LOSS)
SENSOR_PROBLEMS: Final = _marks("Sensor not running", "purple", annotations.SENSOR_PROBLEMS)
INJECTIONS: Final = _marks("Perhaps injected resets", "red", annotations.INJECTIONS)
CONVERSATION_EVENTS: Final = _marks("Labelled segments", "yellow", annotations.CONVERSATION_EVENTS)
