/** Power over time with the expected range: uPlot behind one small class. */

import { drawMark } from "./marks.js";
import { timeTicks } from "./ticks.js";
import { leastTop, unitOfPower } from "./words.js";

const DAILY_FROM = 45 * 86400;
const AXIS = 56;

/** The range of a power axis: 0 is in it, and so is the export of a net meter. */
export const powerRange = (plot, least, most) => [Math.min(0, least * 1.06), Math.max(leastTop(), most * 1.06)];

/** Whether a range is drawn as daily values: a year of readings as a line is a solid block. */
export const isDaily = (from, to) => to - from > DAILY_FROM;

/**
 * @typedef {object} Shown
 * @property {import("./year.js").Year} year
 * @property {import("./clock.js").Clock} clock
 * @property {number} from seconds since 1970 UTC
 * @property {number} to
 * @property {{at: number, kw: number, direction: string}[]} anomalies
 * @property {{at: number, kw: number, direction: string}[]} peaks the episodes' extreme readings
 * @property {{start: number, end: number} | null} selected the selected episode
 * @property {Record<string, string>} colors
 */

export class PowerChart {
  /**
   * @param {HTMLElement} root
   * @param {{onSpan: (from: number, to: number) => void, onCursor: (t: number | null) => void}} listeners
   */
  constructor(root, listeners) {
    this.root = root;
    this.listeners = listeners;
    this.plot = null;
    this.shown = null;
    this.unit = null;
    new ResizeObserver(() => this.resize()).observe(root);
  }

  /** @param {Shown} shown */
  show(shown) {
    const isOtherLook = !this.plot || this.shown.colors !== shown.colors || this.unit !== unitOfPower();
    this.shown = shown;
    if (isOtherLook) this.build();
    const data = this.data();
    this.plot.batch(() => {
      this.plot.setData(data, false);
      this.plot.setScale("x", { min: shown.from, max: shown.to });
    });
  }

  /** The drawn data: times, low, high, line, expected; also read by tests. */
  data() {
    const { year, clock, from, to } = this.shown;
    if (!isDaily(from, to)) {
      const [times, low, high, value] = year.readings(from, to);
      return [times, low, high, value, value.map(() => null)];
    }
    const [times, ...columns] = year.days(clock);
    const inside = times.flatMap((t, i) => (t >= from - 86400 && t <= to + 86400 ? [i] : []));
    return [times, ...columns].map((column) => inside.map((i) => column[i]));
  }

  /** Put the cursor on a reading; null removes it. */
  point(t) {
    if (t === null) {
      this.plot.setCursor({ left: -10, top: -10 }, false);
      return;
    }
    const left = this.plot.valToPos(t, "x");
    this.plot.setCursor({ left, top: this.plot.over.clientHeight / 2 }, false);
  }

  build() {
    this.plot?.destroy();
    const { colors } = this.shown;
    this.unit = unitOfPower();
    this.plot = new uPlot(this.options(colors), [[], [], [], [], []], this.root);
  }

  options(colors) {
    const grid = { stroke: colors.rule, width: 1 };
    const hidden = { stroke: "transparent", width: 0, points: { show: false } };
    return {
      width: this.root.clientWidth,
      height: this.root.clientHeight,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
      scales: { x: { time: false }, y: { range: powerRange } },
      axes: [
        {
          stroke: colors.quiet,
          grid,
          ticks: grid,
          splits: (plot, axis, from, to) => this.ticks(plot, from, to).map((tick) => tick.at),
          values: (plot, splits) => this.named(plot, splits),
        },
        { stroke: colors.quiet, grid, ticks: grid, size: AXIS, label: this.unit, labelSize: 18 },
      ],
      series: [
        {},
        hidden,
        hidden,
        { stroke: colors.line, width: 1.4, points: { show: false } },
        { stroke: colors.expected, width: 1.4, dash: [5, 4], points: { show: false } },
      ],
      bands: [{ series: [2, 1], fill: colors.band }],
      hooks: {
        drawClear: [(plot) => this.drawSelected(plot)],
        draw: [(plot) => this.drawAnomalies(plot)],
        setSelect: [(plot) => this.selected(plot)],
        setCursor: [(plot) => this.cursorMoved(plot)],
      },
    };
  }

  ticks(plot, from, to) {
    return timeTicks(this.shown.clock, from, to, plot.bbox.width / devicePixelRatio);
  }

  named(plot, splits) {
    const texts = new Map(this.ticks(plot, plot.scales.x.min, plot.scales.x.max).map((tick) => [tick.at, tick.text]));
    return splits.map((at) => texts.get(at) ?? "");
  }

  drawSelected(plot) {
    const { selected, colors } = this.shown;
    if (!selected) return;
    const { left, top, width, height } = plot.bbox;
    const ends = [selected.start, selected.end].map((t) => plot.valToPos(t, "x", true));
    const [from, to] = ends.map((x) => Math.min(Math.max(x, left), left + width));
    plot.ctx.fillStyle = colors.selected;
    plot.ctx.fillRect(from, top, Math.max(to - from, ends[0] >= left && ends[0] <= left + width ? 2 : 0), height);
  }

  drawAnomalies(plot) {
    const { anomalies, peaks, from, to, colors } = this.shown;
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colors.anomaly;
    for (const { at, kw, direction } of isDaily(from, to) ? peaks : anomalies) {
      if (at >= from && at <= to) {
        drawMark(ctx, plot.valToPos(at, "x", true), plot.valToPos(kw, "y", true), 4.5 * devicePixelRatio, direction);
      }
    }
    ctx.restore();
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [from, to] = [left, left + width].map((x) => plot.posToVal(x, "x"));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.listeners.onSpan(from, to);
  }

  cursorMoved(plot) {
    const { left } = plot.cursor;
    this.listeners.onCursor(left === null || left < 0 ? null : plot.posToVal(left, "x"));
  }

  resize() {
    if (this.plot && this.root.clientWidth) {
      this.plot.setSize({ width: this.root.clientWidth, height: this.root.clientHeight });
    }
  }
}
