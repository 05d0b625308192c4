"use strict";
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const light_colors = ["#0969da", "#8c959f", "#cf222e", "#bc4c00", "#8250df", "#1a7f37"];
  const dark_colors = ["#4493f8", "#768390", "#f85149", "#f0883e", "#bc8cff", "#3fb950"];
  const kinds = ["sent", "acknowledged", "sent again", "out of order", "duplicate ACK", "window 0"];
  const kept = [];

  const number = (value) => value === null || value === undefined ? "" :
    Math.abs(value) >= 1e9 ? (value / 1e9).toPrecision(3) + " G" :
    Math.abs(value) >= 1e6 ? (value / 1e6).toPrecision(3) + " M" :
    Math.abs(value) >= 1e4 ? (value / 1e3).toPrecision(3) + " k" : String(+value.toPrecision(4));

  const moment = (plot, value) => value === null || value === undefined ? "" :
    plot.clock ? new Date(value * 1e3).toISOString().slice(0, 19).replace("T", " ") : value.toFixed(6);

  const clock = (_, splits) => splits.map((value) => {
    const step = splits.length > 1 ? splits[1] - splits[0] : 60;
    const text = new Date(value * 1e3).toISOString();
    return step < 60 ? text.slice(11, 19) : step < 86400 ? text.slice(11, 16) : text.slice(5, 10);
  });

  // A bin lasts until the next one begins; the last one ends, too.
  const drawn_data = (plot) => plot.kind !== "lines" ? plot.data :
    plot.data.map((column, place) => [...column, column.at(-1) + (place ? 0 : plot.width)]);

  const series = (plot, colors) => plot.names.map((name, place) => {
    const points = plot.kind === "points";
    const color = colors[(points ? kinds.indexOf(name) : place) % colors.length];
    return {
      label: name,
      stroke: color,
      width: 1.5,
      paths: points ? () => null : uPlot.paths.stepped({align: 1}),
      points: points ? {show: true, size: kinds.indexOf(name) < 2 ? 4 : 7, fill: color, stroke: color} : {show: false},
      value: (_, value, __, row) => value === null || value === undefined || row === null ? "" :
        points ? value.toLocaleString("en") + " (frame " + plot.frames[row] + ")" : number(value),
    };
  });

  const draw = (figure) => {
    const plot = plots[+figure.dataset.plot];
    const colors = dark.matches ? dark_colors : light_colors;
    const style = getComputedStyle(document.documentElement);
    const axis = {stroke: style.getPropertyValue("--quiet"), grid: {stroke: style.getPropertyValue("--line"), width: 0.5}};
    const width = () => Math.max(figure.clientWidth, 280);
    figure.replaceChildren();
    const drawn = new uPlot({
      title: plot.title,
      width: width(),
      height: plot.kind === "points" ? 360 : 220,
      scales: {
        x: {time: plot.clock},
        y: plot.kind === "lines" ? {range: (_, low, high) => [0, high > 0 ? 1.05 * high : 1]} : {},
      },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      series: [{label: plot.clock ? "time (UTC)" : "seconds", value: (_, value) => moment(plot, value)}, ...series(plot, colors)],
      axes: [plot.clock ? {...axis, values: clock} : axis, {...axis, size: 64, values: (_, values) => values.map(number)}],
      padding: [null, 28, null, null],
      cursor: {points: {show: plot.kind !== "points"}},
    }, drawn_data(plot), figure);
    kept.push({figure, drawn, width});
  };

  const draw_all = () => {
    kept.splice(0).forEach(({drawn}) => drawn.destroy());
    document.querySelectorAll("figure.plot").forEach(draw);
  };
  draw_all();
  dark.addEventListener("change", draw_all);
  addEventListener("resize", () => kept.forEach(({drawn, width}) => drawn.setSize({width: width(), height: drawn.height})));
})();
