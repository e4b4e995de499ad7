/* Time-series charts, drawn by uPlot in every `<figure class="chart" data-chart-src>`.

   The first data stand in the figure itself, later ones come from the address: {"series": [{"label", "unit", "points": [[unix seconds, value or null], ...]}], "from", "to",
   "step"?, "threshold"?: {"value", "label"}, "marks"?: [{"at", "label"}]}.
   A live message of the figure's topic may carry "points": {label: [[unix seconds, value], ...]}, which is appended;
   without it the address is read again. With "grows": true in the data the range keeps its start, and two points become
   one when there are too many. At most 4 drawings a second; the table below shows the same numbers. */

const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3], [12, 4], [4, 2], [8, 2, 2, 2], [1, 3]];
const DRAW_MS = 250, RELOAD_MS = 5_000, HEIGHT = 200, SYNC = "page";
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const POWERS = Array.from({ length: 50 }, (_, power) => 2 ** power);
const MOST_POINTS = 2000;
const charts = new Set();
const zone = document.documentElement.dataset.zone || "UTC";
let zoom = null; // [from, to] in unix seconds, shared by all charts of the page

const significant = (value) =>
  value.toLocaleString("en-US", Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });

function written(value, unit) {
  if (value === null || value === undefined) return "no data";
  if (unit === "B" || unit === "B/s") {
    let step = 0;
    while (Math.abs(value) >= 1024 && step < BINARY.length - 1) { value /= 1024; step += 1; }
    return `${significant(value)} ${BINARY[step]}${unit.slice(1)}`;
  }
  if (unit === "ms" && Math.abs(value) >= 1000) return `${significant(value / 1000)} s`;
  return `${significant(value)} ${unit}`.trim();
}

/* The colour that a token has in the theme of now; canvas cannot read `var()`. */
function colour(name) {
  const property = name === "surface" ? "backgroundColor" : "color"; // forced colours treat the two differently
  const probe = document.createElement("i");
  probe.style[property] = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe)[property];
  probe.remove();
  return found;
}

/* Points as one table [xs, ys, ys, …]. A hole in time gets a null, so that the line breaks there. */
function aligned({ series, step }) {
  const tables = series.map(({ points }) => {
    const gaps = points.slice(1).map(([at], number) => at - points[number][0]).sort((a, b) => a - b);
    const usual = step || gaps[Math.floor(gaps.length / 2)] || Infinity;
    const xs = [], ys = [];
    points.forEach(([at, value], number) => {
      if (number && at - points[number - 1][0] > usual * 2.5) { xs.push(at - usual); ys.push(null); }
      xs.push(at); ys.push(value);
    });
    return [xs, ys];
  });
  return tables.length ? uPlot.join(tables) : [[]];
}

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.plot = figure.querySelector(".chart-plot");
    this.legend = figure.querySelector(".chart-legend");
    this.back = figure.querySelector("[data-back-to-live]");
    this.hidden = new Set();
    this.back.addEventListener("click", backToLive);
    this.plot.addEventListener("pointerenter", () => { this.held = true; });
    this.plot.addEventListener("pointerleave", () => { this.held = false; this.draw(); });
    figure.querySelector("details").addEventListener("toggle", () => this.table());
    const { chartTopic } = figure.dataset;
    if (chartTopic) document.addEventListener(`live:${chartTopic}`, (event) => this.live(event.detail));
    document.addEventListener("live:refetch", () => this.load());
    new ResizeObserver(() => this.u?.setSize({ width: this.plot.clientWidth, height: HEIGHT })).observe(this.plot);
    const first = figure.querySelector("script[type='application/json']");
    if (first) this.take(JSON.parse(first.textContent));
    else this.load();
  }

  async load() {
    if (this.loading || !this.figure.isConnected || this.figure.dataset.chartSrc[0] === "#") return;
    this.loading = true;
    this.loadedAt = Date.now();
    try {
      const answer = await fetch(this.figure.dataset.chartSrc, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(20_000) });
      if (!answer.ok) throw new Error(`answer ${answer.status}`);
      this.take(await answer.json());
    } catch (error) {
      this.say(`This chart could not be read (${error.message}). The table has the last numbers.`);
    } finally {
      this.loading = false;
    }
  }

  take(data) {
    const labels = (of) => of?.series.map((one) => one.label).join();
    const same = labels(this.data) === labels(data);
    this.data = data;
    this.loadedAt = Date.now();
    this.say("");
    if (same) this.draw();
    else this.build();
  }

  say(text) {
    this.plot.querySelector(".message")?.remove();
    if (text) this.plot.append(Object.assign(document.createElement("p"), { className: "message tone-bad", textContent: text }));
  }

  live(message) {
    if (!this.data) return;
    if (!message.points) {
      clearTimeout(this.reload);
      this.reload = setTimeout(() => { if (!document.hidden) this.load(); }, Math.max(0, RELOAD_MS - (Date.now() - this.loadedAt)));
      return;
    }
    const range = this.data.to - this.data.from;
    for (const one of this.data.series) {
      const last = one.points.at(-1)?.[0] ?? -Infinity;
      const fresh = (message.points[one.label] || []).filter(([at]) => at > last);
      one.points.push(...fresh);
      if (fresh.length) this.data.to = Math.max(this.data.to, fresh.at(-1)[0]);
    }
    if (this.data.grows) {
      this.thin();
    } else {
      this.data.from = this.data.to - range;
      for (const one of this.data.series) one.points = one.points.filter(([at]) => at >= this.data.from);
    }
    this.draw();
  }

  thin() {
    if (this.data.series.every(({ points }) => points.length <= MOST_POINTS)) return;
    for (const one of this.data.series) {
      one.points = one.points.flatMap(([at, value], number, all) => {
        if (number % 2 === 0) return number === all.length - 1 ? [[at, value]] : [];
        const other = all[number - 1][1];
        return [[at, value === null || other === null ? value ?? other : (value + other) / 2]];
      });
    }
    this.data.step = 2 * (this.data.step || 1);
  }

  /* At most 4 times a second; not while the pointer is on the chart, the page is zoomed or hidden. */
  draw() {
    if (this.timer || !this.u || document.hidden || this.held || zoom) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (!this.held && !zoom) this.redraw();
    }, Math.max(0, DRAW_MS - (Date.now() - (this.drawnAt || 0))));
  }

  redraw() {
    this.drawnAt = Date.now();
    this.u.setData(aligned(this.data), true);
    this.values();
    this.table();
  }

  build() {
    this.u?.destroy();
    const [text, line, muted, bad, surface] = ["text", "line", "muted", "bad", "surface"].map(colour);
    const unit = this.figure.dataset.unit || this.data.series[0]?.unit || "";
    const axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui" };
    this.u = new uPlot({
      width: this.plot.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
      cursor: { sync: { key: SYNC }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => zoom || [this.data.from, this.data.to] },
        y: { range: (_, low, high) => this.rangeY(low, high, unit) },
      },
      axes: [
        { ...axis, size: 28, space: (_, __, from, to, width) => (to - from < 600 ? 76 : Math.max(50, to - from > 2e5 && (width * 86399) / (to - from))), values: [[86400, "{D} {MMM}"], [3600, "{HH}:{mm}"], [60, "{HH}:{mm}"], [1, "{HH}:{mm}:{ss}"]]
          .map(([size, format]) => [size, format, null, null, null, null, null, null, 1]) },
        { ...axis, ...(unit.startsWith("B") && { incrs: POWERS }), size: (_, texts) => 16 + 7 * Math.max(4, ...(texts || []).map((text) => text.length)),
          values: (_, splits) => splits.map((value) => written(value, unit)) },
      ],
      series: [{}, ...this.data.series.map((one, number) => ({
        label: one.label, stroke: colour(`series-${(number % 8) + 1}`), dash: DASHES[number % 8], width: 1.5,
        spanGaps: false, show: !this.hidden.has(one.label), points: { show: (u, place) => u.data[place].length < 3, size: 5 },
      }))],
      hooks: {
        draw: [(u) => this.extras(u, { bad, text, surface })],
        setCursor: [() => this.values()],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          zoomTo(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
      },
    }, aligned(this.data), this.plot);
    this.buildLegend();
    this.values();
    this.table();
    this.back.hidden = !zoom;
  }

  /* Amounts start at 0; the threshold is always in view; a percentage never shows room above 100. */
  rangeY(low, high, unit) {
    const top = Math.max(high ?? 0, this.data.threshold?.value ?? 0) * 1.1 || 1;
    return [Math.min(0, low ?? 0), unit === "%" && (high ?? 0) <= 100 ? Math.min(top, 100) : top];
  }

  /* The dashed threshold and the marks of events, over the lines. */
  extras(u, { bad, text, surface }) {
    const { ctx, bbox: { left, top, width, height } } = u;
    const ratio = devicePixelRatio;
    const say = (label, x, y, style, align) => {
      const size = ctx.measureText(label).width;
      ctx.fillStyle = surface;
      ctx.fillRect(align === "right" ? x - size : x, y - 11 * ratio, size, 14 * ratio);
      ctx.fillStyle = style;
      ctx.textAlign = align;
      ctx.fillText(label, x, y);
    };
    const stroke = (style, dash, from, to) => {
      ctx.beginPath();
      ctx.strokeStyle = style;
      ctx.setLineDash(dash.map((length) => length * ratio));
      ctx.lineWidth = 1.5 * ratio;
      ctx.moveTo(...from);
      ctx.lineTo(...to);
      ctx.stroke();
    };
    ctx.save();
    ctx.font = `${12 * ratio}px system-ui`;
    const { threshold } = this.data;
    if (threshold) {
      const y = u.valToPos(threshold.value, "y", true);
      stroke(bad, [6, 4], [left, y], [left + width, y]);
      say(threshold.label, left + width, y < top + 20 * ratio ? y + 16 * ratio : y - 6 * ratio, bad, "right");
    }
    const rows = []; // where the last label of each row ends: labels of moments close to each other stand below each other
    for (const { at, label } of this.data.marks || []) {
      const x = u.valToPos(at, "x", true);
      if (x < left || x > left + width) continue;
      stroke(text, [2, 2], [x, top], [x, top + height]);
      const size = ctx.measureText(label).width, right = x > left + width * 0.8;
      const from = right ? x - size - 4 * ratio : x + 4 * ratio;
      let row = rows.findIndex((end) => end < from);
      if (row < 0) row = rows.length;
      if (row > 3) continue; // the line is there, the word is in the list of events
      rows[row] = from + size + 6 * ratio;
      say(label, from, top + (12 + 15 * row) * ratio, text, "left");
    }
    ctx.restore();
  }

  buildLegend() {
    this.legend.replaceChildren(...this.data.series.map((one, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!this.hidden.has(one.label)));
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      for (const [name, value] of Object.entries({ width: 24, height: 8, "aria-hidden": "true" })) svg.setAttribute(name, value);
      path.setAttribute("d", "M0 4H24");
      path.setAttribute("stroke", colour(`series-${(number % 8) + 1}`));
      path.setAttribute("stroke-dasharray", DASHES[number % 8].join(" "));
      svg.append(path);
      button.append(svg, `${one.label} `, document.createElement("span"));
      button.addEventListener("click", () => {
        const off = !this.hidden.delete(one.label) && this.hidden.add(one.label);
        button.setAttribute("aria-pressed", String(!off));
        this.u.setSeries(number + 1, { show: !off });
      });
      return button;
    }));
  }

  /* The legend tells the value under the pointer, else the newest one. */
  values() {
    if (!this.u) return;
    const { idx } = this.u.cursor;
    [...this.legend.children].forEach((button, number) => {
      const ys = this.u.data[number + 1] || [];
      const value = idx === null || idx === undefined ? this.data.series[number].points.at(-1)?.[1] : ys[idx];
      button.lastChild.textContent = written(value, this.data.series[number].unit);
    });
  }

  /* The table and the sentence for screen readers follow the drawing. */
  table() {
    if (!this.data) return;
    const { title, subtitle } = this.figure.dataset;
    const parts = this.data.series.map(({ label, unit, points }) => {
      const known = points.map((point) => point[1]).filter((value) => value !== null);
      if (!known.length) return `${label} no data`;
      const [low, high] = known.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
      return `${label} lowest ${written(low, unit)}, highest ${written(high, unit)}, now ${written(known.at(-1), unit)}`;
    });
    const sentence = `${[title, subtitle].filter(Boolean).join(", ")}: ${parts.join("; ") || "no data"}.`;
    this.plot.setAttribute("aria-label", sentence);
    if (!this.figure.querySelector("details").open) return;
    const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const columns = this.data.series.map(({ points }) => new Map(points));
    const moments = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => b - a);
    const cell = (tag, text, className) => Object.assign(document.createElement(tag), { textContent: text, className });
    const table = this.figure.querySelector("table");
    table.caption.textContent = sentence;
    table.tHead.rows[0].replaceChildren(table.tHead.rows[0].cells[0], ...this.data.series.map(({ label }) =>
      Object.assign(cell("th", label, "num"), { scope: "col" })));
    table.tBodies[0].replaceChildren(...moments.map((at) => {
      const row = document.createElement("tr");
      row.append(Object.assign(cell("th", time.format(at * 1000), ""), { scope: "row" }),
        ...columns.map((column, number) => cell("td", written(column.get(at), this.data.series[number].unit), "num")));
      return row;
    }));
  }
}

function zoomTo(from, to) {
  zoom = [from, to];
  for (const chart of charts) {
    chart.u?.setScale("x", { min: from, max: to });
    chart.back.hidden = false;
  }
}

function backToLive() {
  zoom = null;
  for (const chart of charts) {
    chart.back.hidden = true;
    chart.held = false;
    chart.draw();
  }
}

function find(within) {
  for (const chart of charts) if (!chart.figure.isConnected) { chart.u?.destroy(); charts.delete(chart); }
  for (const figure of within.querySelectorAll("figure.chart[data-chart-src]")) {
    if (![...charts].some((chart) => chart.figure === figure)) charts.add(new Chart(figure));
  }
}

find(document);
document.addEventListener("htmx:load", () => find(document));
document.addEventListener("themechange", () => charts.forEach((chart) => chart.data && chart.build()));
document.addEventListener("visibilitychange", () => charts.forEach((chart) => chart.draw()));
