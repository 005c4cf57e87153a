/** The forecast: the next 24 hours with their range after the last ones, the month's energy, cost and peak. */

import { json } from "./api.js";
import { element, fill } from "./dom.js";
import { timeTicks } from "./ticks.js";
import { kw, kwh, leastTop, money, share, unitOfPower } from "./words.js";

const DAY = 86400;
const AXIS = 56;

export class ForecastPanel {
  /** @param {{section: HTMLElement, chart: HTMLElement, figures: HTMLElement, note: HTMLElement}} parts */
  constructor(parts) {
    this.parts = parts;
    this.plot = null;
    this.meter = "";
    this.loaded = null;
    new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = parts.chart;
      if (this.plot && width) this.plot.setSize({ width, height });
    }).observe(parts.chart);
  }

  /** The server makes a forecast once an hour. */
  async load(meter) {
    if (meter !== this.meter) {
      // That of another meter is not shown meanwhile.
      this.loaded = null;
      this.draw();
    }
    this.meter = meter;
    const { forecast } = await json("/api/forecast", { meter });
    if (meter !== this.meter || JSON.stringify(forecast) === JSON.stringify(this.loaded)) return;
    this.loaded = forecast;
    this.draw();
  }

  /** @param {{year: object, clock: object, colors: object, isPast: boolean}} shown */
  show(shown) {
    const isSame = this.shown && ["clock", "colors", "isPast"].every((name) => this.shown[name] === shown[name]);
    this.shown = shown;
    if (!isSame) this.draw();
  }

  draw() {
    if (!this.shown) return;
    const { isPast, clock } = this.shown;
    const forecast = this.loaded;
    const { section, figures, note } = this.parts;
    // A forecast follows the newest reading, which a selected calendar year does not show.
    section.hidden = isPast || forecast === null;
    if (section.hidden) return;
    const [first, end] = [forecast.at[0], forecast.at.at(-1) + (forecast.at[1] - forecast.at[0])];
    note.textContent = `Made at ${clock.full(forecast.made_at)} for the 24 hours ${clock.span(first, end)}.`;
    fill(figures, ...day(forecast), ...month(forecast), ...peak(forecast), ...warning(forecast, clock));
    this.drawChart();
    this.parts.chart.setAttribute("aria-label", `Power of the last 24 hours and forecast of the next 24 hours: ${kwh(forecast.energy_kwh)}, at most ${kw(Math.max(...forecast.kw))}`);
  }

  /** The drawn data: times, low, high, readings, forecast; also read by tests. */
  data() {
    const { loaded: forecast, shown: { year } } = this;
    const [times, , , values] = year.readings(forecast.at[0] - DAY, forecast.at[0] - 1);
    const none = (column) => column.map(() => null);
    return [
      [...times, ...forecast.at],
      [...none(times), ...forecast.low],
      [...none(times), ...forecast.high],
      [...values, ...none(forecast.at)],
      [...none(times), ...forecast.kw],
    ];
  }

  drawChart() {
    const { colors } = this.shown;
    const { chart } = this.parts;
    this.plot?.destroy();
    const grid = { stroke: colors.rule, width: 1 };
    const hidden = { stroke: "transparent", width: 0, points: { show: false } };
    const ticks = (plot, from, to) => timeTicks(this.shown.clock, from, to, plot.bbox.width / devicePixelRatio);
    const named = (plot, splits) => {
      const texts = new Map(ticks(plot, plot.scales.x.min, plot.scales.x.max).map(({ at, text }) => [at, text]));
      return splits.map((at) => texts.get(at) ?? "");
    };
    const options = {
      width: chart.clientWidth,
      height: chart.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: (plot, least, most) => [Math.min(0, least), Math.max(leastTop(), most * 1.06)] } },
      axes: [
        { stroke: colors.quiet, grid, ticks: grid, splits: (plot, axis, from, to) => ticks(plot, from, to).map(({ at }) => at), values: named },
        { stroke: colors.quiet, grid, ticks: grid, size: AXIS, label: unitOfPower(), labelSize: 18 },
      ],
      series: [
        {},
        hidden,
        hidden,
        { stroke: colors.line, width: 1.4, points: { show: false } },
        { stroke: colors.expected, width: 1.6, dash: [5, 4], points: { show: false } },
      ],
      bands: [{ series: [2, 1], fill: colors.band }],
    };
    this.plot = new uPlot(options, this.data(), chart);
  }
}

const fact = (name, figure, ...lines) => element("div", { class: "tile" }, element("h3", {}, name), element("p", { class: "figure" }, figure), ...lines.filter(Boolean).map((line) => element("p", {}, line)));

const day = ({ energy_kwh: energy, kw: powers }) => [fact("Next 24 hours", kwh(energy), `up to ${kw(Math.max(...powers))}`)];

function month({ month: name, used_kwh: used, month_energy: energy, month_cost: cost }) {
  const soFar = `${kwh(used)} so far`;
  if (energy === null) return [fact(`Month ${name}`, "–", soFar, "too little history for its end")];
  const within = `90% range ${kwh(energy.low_kwh)} to ${kwh(energy.high_kwh)}`;
  const made = [fact(`Month ${name} at its end`, kwh(energy.kwh), within, soFar)];
  if (cost === null) return made;
  const between = `${money(cost.low, cost.currency)} to ${money(cost.high, cost.currency)} in that range`;
  return [...made, fact(`Bill of ${name}`, money(cost.cost, cost.currency), between, "by the tariff, with all charges")];
}

function peak({ peak_kw: power, peak_probability: probability }) {
  if (power === null) return [fact("Month's peak so far", "–", "no reading in this month yet")];
  const chance = probability === null ? "too little history for a probability" : `${share(probability)} probability that the next 24 hours exceed it`;
  return [fact("Month's peak so far", kw(power), chance)];
}

const OUTCOMES = { exceeded: "new peak", held: "no new peak", unknown: "not known" };

function warning({ peak_warning: one }, clock) {
  if (one === null) return [];
  const soFar = `${kw(one.peak_kw)} was the month's peak before that day`;
  if (one.status === "closed") {
    const highest = one.highest_kw === null ? "no reading came" : kw(one.highest_kw);
    return [fact("Peak warning is over", OUTCOMES[one.outcome], highest, soFar)];
  }
  const range = `${kw(one.expected_low_kw)} to ${kw(one.expected_high_kw)}, highest about ${clock.full(one.expected_at)}`;
  const cost = one.cost === null ? null : `${money(one.cost, one.currency)} more demand charges`;
  return [fact("Peak warning", kw(one.expected_kw), range, `${share(one.probability)} probability of a new peak`, soFar, cost)];
}
