/** Ticks and labels of the time axis: whole hours, days, months of a wall clock. */

import { dateOfMonth, monthName, shortDay, weekday } from "./clock.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const WITHIN_A_DAY = [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
const DAYS = [1, 2, 3, 4, 7, 14];
const MONTHS = [1, 2, 3, 6];
const LEAST_PIXELS = 76;

/** @typedef {{at: number, text: string}} Tick */

/**
 * @param {import("./clock.js").Clock} clock
 * @param {number} from seconds since 1970 UTC
 * @param {number} to
 * @param {number} width in pixels
 * @returns {Tick[]}
 */
export function timeTicks(clock, from, to, width) {
  const apart = ((to - from) / Math.max(width, 1)) * LEAST_PIXELS;
  const step = WITHIN_A_DAY.find((seconds) => seconds >= apart);
  if (step) return within(withinDays(clock, from, to, step), from, to);
  const days = DAYS.find((count) => count * DAY >= apart);
  const months = MONTHS.find((count) => count * 30 * DAY >= apart) ?? 12;
  const isTick = days ? byDays(days) : byMonths(months);
  const text = days ? shortDay : monthName;
  const ticks = [];
  for (let day = clock.day(from); day <= clock.day(to); day += 1) {
    if (isTick(day)) ticks.push({ at: clock.dayStart(day), text: text(day) });
  }
  return within(ticks, from, to);
}

function withinDays(clock, from, to, step) {
  const ticks = [];
  for (let day = clock.day(from); day <= clock.day(to); day += 1) {
    for (let second = 0; second < DAY; second += step) {
      const at = second ? clock.instant(day, second) : clock.dayStart(day);
      // The clock change in spring skips an hour.
      if (at !== null) ticks.push({ at, text: second ? clock.time(at) : shortDay(day) });
    }
  }
  return ticks;
}

const byDays = (count) => (day) => (count < 7 ? day % count === 0 : weekday(day) === 0 && (day + 3) % count === 0);

function byMonths(count) {
  return (day) => dateOfMonth(day) === 1 && new Date(day * DAY * 1000).getUTCMonth() % count === 0;
}

const within = (ticks, from, to) => ticks.filter((tick) => tick.at >= from && tick.at <= to);
