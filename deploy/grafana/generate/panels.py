"""Kinds of panels. Each has a title, a description, a unit, and the queries that it shows."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.models import barchart, common, stat, table, text, timeseries, xychart
from grafana_foundation_sdk.models.dashboard import (
    DashboardFieldConfigSourceOverrides,
    FieldColor,
    FieldColorModeId,
    FieldConfig,
    FieldConfigSource,
    GridPos,
    Panel,
)

from deploy.grafana.generate.fields import NUMBER, SECONDS, Column, column_override, override, thresholds
from deploy.grafana.generate.source import SOURCE, TABLE, TIME_SERIES, several

HALF: Final = 12
WHOLE_WIDTH: Final = 24
LOW: Final = 4
USUAL: Final = 8
HIGH: Final = 12
A_MINUTE: Final = "1m"
"""Least interval of panels that show minutes: counters are stored by the minute."""
_LEGEND: Final = common.VizLegendOptions(
    display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=True, calcs=[]
)
_TOOLTIP: Final = common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)


def _panel(
    kind: str,
    title: str,
    description: str,
    queries: Sequence[str],
    shape: int,
    size: tuple[int, int],
    fields: FieldConfigSource,
    options: object,
) -> Panel:
    return Panel(
        type_val=kind,
        title=title,
        description=description,
        datasource=SOURCE,
        targets=several(queries, shape),
        grid_pos=GridPos(w=size[0], h=size[1]),
        field_config=fields,
        options=options,
    )


def number(title: str, description: str, unit: str, query: str, limits: Sequence[float] = (), width: int = 4) -> Panel:
    """Return a panel with one large number, or one for each column."""
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE if limits else common.BigValueColorMode.NONE,
        justify_mode=common.BigValueJustifyMode.AUTO,
        text_mode=common.BigValueTextMode.AUTO,
        reduce_options=common.ReduceDataOptions(calcs=["lastNotNull"], fields="", values=False),
        orientation=common.VizOrientation.AUTO,
    )
    defaults = FieldConfig(unit=unit, thresholds=thresholds(limits), no_value="nothing")
    return _panel(
        "stat", title, description, [query], TABLE, (width, LOW), FieldConfigSource(defaults=defaults), options
    )


def lines(
    title: str,
    description: str,
    unit: str,
    *queries: str,
    limits: Sequence[float] = (),
    stacked: bool = False,
    by: str | None = None,
    least_interval: str | None = A_MINUTE,
    width: int = HALF,
) -> Panel:
    """Return curves over time, or with ``stacked`` bars upon one another; what is called last_week is dashed.

    ``by`` is the column of text, if there is one, whose values are the curves.
    """
    style = common.GraphThresholdsStyleMode.DASHED if limits else common.GraphThresholdsStyleMode.OFF
    custom = common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.BARS if stacked else common.GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=80 if stacked else 10,
        show_points=common.VisibilityMode.NEVER if stacked else common.VisibilityMode.AUTO,
        span_nulls=False,
        stacking=common.StackingConfig(
            mode=common.StackingMode.NORMAL if stacked else common.StackingMode.NONE, group="A"
        ),
        thresholds_style=common.GraphThresholdsStyleConfig(mode=style),
    )
    defaults = FieldConfig(
        display_name=f"${{__field.labels.{by}}}" if by else None,
        unit=unit,
        min_val=0,
        thresholds=thresholds(limits),
        color=FieldColor(mode=FieldColorModeId.PALETTE_CLASSIC_BY_NAME),
        custom=custom,
    )
    fields = FieldConfigSource(defaults=defaults, overrides=[_dashed("last_week")])
    options = timeseries.Options(legend=_LEGEND, tooltip=_TOOLTIP)
    panel = _panel("timeseries", title, description, queries, TIME_SERIES, (width, USUAL), fields, options)
    panel.interval = least_interval
    return panel


def _dashed(name: str) -> DashboardFieldConfigSourceOverrides:
    return override(
        name,
        displayName="a week before",
        custom__lineStyle={"fill": "dash", "dash": [6, 6]},
        custom__fillOpacity=0,
        color={"mode": "fixed", "fixedColor": "text"},
    )


def rows(
    title: str,
    description: str,
    query: str,
    columns: Mapping[str, Column],
    width: int = WHOLE_WIDTH,
    height: int = USUAL,
) -> Panel:
    """Return a table; ``columns`` has every column of the query."""
    options = table.Options(show_header=True, cell_height=common.TableCellHeight.SM)
    custom = common.TableFieldOptions(align=common.FieldTextAlignment.AUTO)
    fields = FieldConfigSource(
        defaults=FieldConfig(unit=NUMBER, thresholds=thresholds(()), custom=custom),
        overrides=[column_override(name, column) for name, column in columns.items()],
    )
    return _panel("table", title, description, [query], TABLE, (width, height), fields, options)


def bars(title: str, description: str, unit: str, query: str, width: int = HALF) -> Panel:
    """Return horizontal bars: the first column of the query names them, each other one is a part of them."""
    options = barchart.Options(
        orientation=common.VizOrientation.HORIZONTAL,
        stacking=common.StackingMode.NORMAL,
        show_value=common.VisibilityMode.AUTO,
        legend=_LEGEND,
        tooltip=_TOOLTIP,
    )
    defaults = FieldConfig(
        unit=unit,
        min_val=0,
        thresholds=thresholds(()),
        color=FieldColor(mode=FieldColorModeId.PALETTE_CLASSIC),
        custom=barchart.FieldConfig(),
    )
    return _panel(
        "barchart", title, description, [query], TABLE, (width, USUAL), FieldConfigSource(defaults=defaults), options
    )


def points(title: str, description: str, unit: str, query: str, x: str, series: Mapping[str, str]) -> Panel:
    """Return points over a column ``x``; ``series`` has the colour of each column of heights."""
    options = xychart.Options(
        mapping=xychart.SeriesMapping.MANUAL,
        legend=_LEGEND,
        tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE, sort=common.SortOrder.NONE),
        series=[_series(x, name) for name in series],
    )
    custom = xychart.FieldConfig(
        show=xychart.XYShowMode.POINTS, point_size=xychart.XychartFieldConfigPointSize(fixed=4), fill_opacity=70
    )
    defaults = FieldConfig(unit=unit, thresholds=thresholds(()), custom=custom)
    coloured = [
        override(name, displayName=name.replace("_", " "), color={"mode": "fixed", "fixedColor": colour})
        for name, colour in series.items()
    ]
    fields = FieldConfigSource(defaults=defaults, overrides=[override(x, unit=SECONDS), *coloured])
    return _panel("xychart", title, description, [query], TABLE, (HALF, HIGH), fields, options)


def _series(x: str, y: str) -> xychart.XYSeriesConfig:
    def by_name(name: str) -> xychart.MatcherConfig:
        return xychart.MatcherConfig(id_val="byName", options=name)

    return xychart.XYSeriesConfig(
        name=xychart.XychartXYSeriesConfigName(fixed=y.replace("_", " ")),
        frame=xychart.XychartXYSeriesConfigFrame(matcher=xychart.MatcherConfig(id_val="byIndex", options=0)),
        x=xychart.XychartXYSeriesConfigX(matcher=by_name(x)),
        y=xychart.XychartXYSeriesConfigY(matcher=by_name(y)),
    )


def words(title: str, description: str, markdown: str, width: int = WHOLE_WIDTH, height: int = LOW) -> Panel:
    """Return a panel of text."""
    options = text.Options(mode=text.TextMode.MARKDOWN, content=markdown)
    return Panel(
        type_val="text",
        title=title,
        description=description,
        grid_pos=GridPos(w=width, h=height),
        options=options,
    )
