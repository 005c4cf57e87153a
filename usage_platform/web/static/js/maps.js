/** Two heat maps: mean power by weekday and time of day, and daily energy by week. */

import { dateOfMonth, dayOf, monthName, weekday } from "./clock.js";
import { cellBox, drawHeat } from "./heat.js";

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const NAMES = WEEKDAYS.map((text, row) => ({ at: row + 0.5, text }));
const filled = (values) => Float64Array.from(values, (value) => value ?? NaN);

/** @param {{bucket_minutes: number, kw: (number | null)[][]}} week */
export function drawWeek(canvas, week, colors) {
  const columns = week.kw[0].length;
  const across = [0, 6, 12, 18].map((hour) => ({ at: (hour * 60) / week.bucket_minutes, text: `${String(hour).padStart(2, "0")}:00` }));
  drawHeat(canvas, { columns, rows: 7, cells: filled(week.kw.flat()), across, down: NAMES, colors });
}

export class Calendar {
  /** @param {{onDay: (day: number) => void, onPoint: (day: object | null) => void}} listeners */
  constructor(canvas, listeners) {
    this.canvas = canvas;
    this.days = new Map();
    canvas.addEventListener("click", (event) => {
      const found = this.under(event);
      if (found) listeners.onDay(dayOf(found.day));
    });
    canvas.addEventListener("pointermove", (event) => listeners.onPoint(this.under(event)));
    canvas.addEventListener("pointerleave", () => listeners.onPoint(null));
  }

  /** @param {{day: string, energy_kwh: number, readings: number}[]} days one per local day */
  show(days, colors) {
    this.days = new Map(days.map((day) => [dayOf(day.day), day]));
    const numbers = [...this.days.keys()];
    this.monday = numbers.length ? numbers[0] - weekday(numbers[0]) : 0;
    this.columns = numbers.length ? Math.floor((numbers.at(-1) - this.monday) / 7) + 1 : 0;
    const cells = new Float64Array(this.columns * 7).fill(NaN);
    const across = [];
    for (const [number, day] of this.days) {
      const [column, row] = [Math.floor((number - this.monday) / 7), weekday(number)];
      if (day.readings) cells[row * this.columns + column] = day.energy_kwh;
      if (dateOfMonth(number) === 1) across.push({ at: column, text: monthName(number) });
    }
    drawHeat(this.canvas, { columns: this.columns, rows: 7, cells, across, down: NAMES, colors, space: 1.5 });
  }

  under(event) {
    const box = cellBox(this.canvas);
    const bounds = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - bounds.left - box.left) / box.width) * this.columns);
    const row = Math.floor(((event.clientY - bounds.top - box.top) / box.height) * 7);
    const isInside = column >= 0 && column < this.columns && row >= 0 && row < 7;
    return (isInside && this.days.get(this.monday + column * 7 + row)) || null;
  }
}
