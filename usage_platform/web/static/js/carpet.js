/** The carpet plot: days across, time of day down, anomaly episodes ringed; a click shows a day in the chart. */

import { dateOfMonth, monthName } from "./clock.js";
import { cellBox, drawHeat } from "./heat.js";

const DAY = 86400;
const NEAR = 12;

/**
 * @typedef {object} Laid
 * @property {number} first the first day, since 1970-01-01
 * @property {number} columns
 * @property {number} rows
 * @property {Float64Array} cells
 */

/** The readings by day and time of day. @returns {Laid} */
export function laid(year, clock) {
  const rows = DAY / year.step;
  if (!year.size) return { first: 0, columns: 0, rows, cells: new Float64Array(0) };
  const first = clock.day(year.start);
  const columns = clock.day(year.end - 1) - first + 1;
  const cells = new Float64Array(columns * rows).fill(NaN);
  for (let place = 0; place < year.size; place += 1) {
    const t = year.start + place * year.step;
    const wall = clock.wall(t);
    const day = Math.floor(wall / DAY);
    const row = Math.floor((wall - day * DAY) / year.step);
    cells[row * columns + day - first] = year.columns.value[place];
  }
  return { first, columns, rows, cells };
}

export class Carpet {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{onDay: (day: number) => void, onEpisode: (name: string) => void, onPoint: (day: number | null, second: number) => void}} listeners
   */
  constructor(canvas, listeners) {
    this.canvas = canvas;
    this.listeners = listeners;
    this.chosen = null;
    canvas.addEventListener("click", (event) => this.clicked(event));
    canvas.addEventListener("pointermove", (event) => this.pointed(event));
    canvas.addEventListener("pointerleave", () => listeners.onPoint(null, 0));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.choose(null));
  }

  /** @param {{year: object, clock: object, episodes: object[], from: number, to: number, colors: object}} shown */
  show(shown) {
    if (!this.shown || this.shown.stamp !== shown.stamp || this.shown.clock !== shown.clock) {
      this.laid = laid(shown.year, shown.clock);
    }
    this.shown = shown;
    this.draw();
  }

  draw() {
    const { colors } = this.shown;
    const { first, columns, rows } = this.laid;
    const across = [];
    for (let column = 0; column < columns; column += 1) {
      if (dateOfMonth(first + column) === 1) across.push({ at: column, text: monthName(first + column) });
    }
    const down = [0, 6, 12, 18].map((hour) => ({ at: (hour / 24) * rows + rows / 40, text: `${String(hour).padStart(2, "0")}:00` }));
    const context = drawHeat(this.canvas, { ...this.laid, across, down, colors });
    if (columns) this.drawOver(context);
  }

  drawOver(context) {
    const { episodes, from, to, colors } = this.shown;
    const { clock } = this.shown;
    const box = cellBox(this.canvas);
    const wide = box.width / this.laid.columns;
    context.strokeStyle = colors.anomaly;
    context.lineWidth = 1.6;
    for (const episode of episodes) {
      const { x, y } = this.spot(episode.peak_at);
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.stroke();
    }
    const ends = [from, to].map((t) => (clock.wall(t) / DAY - this.laid.first) * wide + box.left);
    const [left, right] = ends.map((x) => Math.min(Math.max(x, box.left), box.left + box.width));
    context.strokeStyle = colors.ink;
    context.lineWidth = 1.5;
    context.strokeRect(left, box.top, Math.max(right - left, 1.5), box.height);
    if (this.chosen !== null) {
      context.fillStyle = colors.ink;
      context.fillRect(box.left + (this.chosen - this.laid.first) * wide, box.top, Math.max(wide, 2), box.height);
    }
  }

  spot(t) {
    const box = cellBox(this.canvas);
    const { clock } = this.shown;
    return {
      x: box.left + ((clock.day(t) - this.laid.first + 0.5) / this.laid.columns) * box.width,
      y: box.top + (clock.second(t) / DAY) * box.height,
    };
  }

  under(event) {
    const box = cellBox(this.canvas);
    const bounds = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const column = Math.floor(((x - box.left) / box.width) * this.laid.columns);
    const isInside = column >= 0 && column < this.laid.columns && y >= box.top && y < box.top + box.height;
    const second = ((y - box.top) / box.height) * DAY;
    return { x, y, day: isInside ? this.laid.first + column : null, second };
  }

  clicked(event) {
    const { x, y, day } = this.under(event);
    const far = ({ peak_at: at }) => Math.hypot(this.spot(at).x - x, this.spot(at).y - y);
    const near = this.shown.episodes.filter((episode) => far(episode) <= NEAR).sort((a, b) => far(a) - far(b));
    if (near.length) this.listeners.onEpisode(near[0].name);
    else if (day !== null) this.listeners.onDay(day);
  }

  pointed(event) {
    const { day, second } = this.under(event);
    this.listeners.onPoint(day, second);
  }

  choose(day) {
    this.chosen = day;
    if (this.shown) this.draw();
    this.listeners.onPoint(day, null);
  }

  key(event) {
    const { first, columns } = this.laid;
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -columns, End: columns }[event.key];
    if (move && columns) {
      const from = this.chosen ?? this.shown.clock.day(this.shown.to - 1) - move;
      this.choose(Math.min(Math.max(from + move, first), first + columns - 1));
      event.preventDefault();
    } else if (event.key === "Enter" && this.chosen !== null) {
      this.listeners.onDay(this.chosen);
    }
  }
}
