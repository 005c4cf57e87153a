/** Lines, and areas between them, over time or over a week: uPlot behind one small class, by keys too. */

import { onKeys } from "./gestures.js";

const AXIS = 72;
const SMALLEST_DRAG = 4;
const NONE = { stroke: "transparent", width: 0, points: { show: false } };
const still = () => {};

/**
 * @typedef {object} Line
 * @property {string} [stroke] a colour; without one the line is not seen and only bounds an area
 * @property {number} [width]
 * @property {number[]} [dash]
 *
 * @typedef {object} Shown
 * @property {(number | null)[][]} data x, then a column a line
 * @property {Line[]} lines
 * @property {{between: [number, number], fill: string}[]} areas between the upper and the lower of two lines
 * @property {string} unit
 * @property {number} from the range of x
 * @property {number} to
 * @property {(from: number, to: number, pixels: number) => {at: number, text: string}[]} ticks
 * @property {Record<string, string>} colors
 */

export class LineChart {
  /**
   * @param {HTMLElement} root
   * @param {{onIndex: (index: number | null) => void, onSpan?: (from: number, to: number) => void, pan?: (share: number) => void, zoom?: (factor: number, where: number) => void}} listeners
   */
  constructor(root, { onIndex, onSpan = null, pan = still, zoom = still }) {
    this.root = root;
    this.listeners = { onIndex, onSpan };
    this.plot = null;
    this.shown = null;
    this.keyed = null;
    onKeys(root, { pan, zoom, step: (by) => this.step(by), toEnd: (isLast) => this.stepTo(isLast ? Infinity : 0) });
    new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = root;
      if (this.plot && width) this.plot.setSize({ width, height });
    }).observe(root);
  }

  /** @param {Shown} shown */
  show(shown) {
    this.shown = shown;
    this.keyed = null;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(), shown.data, this.root);
  }

  step(by) {
    const { length } = this.shown.data[0];
    this.stepTo(this.keyed === null ? (by < 0 ? length - 1 : 0) : this.keyed + by);
  }

  /** Put the cursor on a point, and say which. */
  stepTo(index) {
    const [xs] = this.shown?.data ?? [[]];
    if (!xs.length) return;
    this.keyed = Math.min(Math.max(index, 0), xs.length - 1);
    this.plot.setCursor({ left: this.plot.valToPos(xs[this.keyed], "x"), top: this.plot.over.clientHeight / 2 }, false);
    this.listeners.onIndex(this.keyed, true);
  }

  options() {
    const { lines, areas, unit, colors, from, to } = this.shown;
    const grid = { stroke: colors.rule, width: 1 };
    const { onSpan } = this.listeners;
    return {
      width: this.root.clientWidth,
      height: this.root.clientHeight,
      legend: { show: false },
      cursor: { drag: { x: onSpan !== null, y: false, setScale: false }, points: { show: false }, y: false },
      scales: { x: { time: false, range: () => [from, to] }, y: { range: (plot, least, most) => [Math.min(0, (least ?? 0) * 1.06), Math.max((most ?? 0) * 1.06, least < 0 ? 0 : 0.001)] } },
      axes: [
        { stroke: colors.quiet, grid, ticks: grid, splits: (plot) => this.ticks(plot).map(({ at }) => at), values: (plot, splits) => this.named(plot, splits) },
        { stroke: colors.quiet, grid, ticks: grid, size: AXIS, label: unit, labelSize: 18 },
      ],
      series: [{}, ...lines.map((line) => (line.stroke ? { width: 1.5, points: { show: false }, ...line } : NONE))],
      bands: areas.map(({ between: [upper, lower], fill }) => ({ series: [upper + 1, lower + 1], fill })),
      hooks: {
        setSelect: [(plot) => this.selected(plot)],
        setCursor: [({ cursor }) => this.listeners.onIndex(cursor.idx ?? null, false)],
      },
    };
  }

  ticks(plot) {
    const { from, to, ticks } = this.shown;
    return ticks(from, to, plot.bbox.width / devicePixelRatio);
  }

  named(plot, splits) {
    const texts = new Map(this.ticks(plot).map(({ at, text }) => [at, text]));
    return splits.map((at) => texts.get(at) ?? "");
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < SMALLEST_DRAG || !this.listeners.onSpan) return;
    const [from, to] = [left, left + width].map((x) => plot.posToVal(x, "x"));
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.listeners.onSpan(from, to);
  }
}
