/** Wall clocks: the building's, from the server's offsets, and UTC. Never the viewer's. */

const DAY = 86400;
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (number) => String(number).padStart(2, "0");

/** @typedef {{start: number, minutes: number, name: string}} Offset seconds since 1970 UTC */

export class Clock {
  /** @param {Offset[]} offsets ascending by start; the first one also applies before its start */
  constructor(offsets) {
    this.offsets = offsets;
    this.last = 0;
  }

  static utc() {
    return new Clock([{ start: 0, minutes: 0, name: "UTC" }]);
  }

  /** The offset at an instant; starts the search at the last result, which is fast for neighbours. */
  at(t) {
    const { offsets } = this;
    let i = this.last;
    while (i > 0 && offsets[i].start > t) i -= 1;
    while (i + 1 < offsets.length && offsets[i + 1].start <= t) i += 1;
    this.last = i;
    return offsets[i];
  }

  /** Seconds that the wall clock shows, counted as if it were UTC. */
  wall(t) {
    return t + this.at(t).minutes * 60;
  }

  /** The local day, in days since 1970-01-01. */
  day(t) {
    return Math.floor(this.wall(t) / DAY);
  }

  /** Seconds on the wall clock since the local midnight. */
  second(t) {
    return this.wall(t) - this.day(t) * DAY;
  }

  /** The first instant at which the clock shows this time; null if the clock change skips it. */
  instant(day, second) {
    const wall = day * DAY + second;
    const found = this.offsets
      .map((offset) => wall - offset.minutes * 60)
      .filter((t) => this.wall(t) === wall);
    return found.length ? Math.min(...found) : null;
  }

  /** The first instant of a local day. */
  dayStart(day) {
    const midnight = this.instant(day, 0);
    if (midnight !== null) return midnight;
    const change = this.offsets.find((offset) => this.day(offset.start) === day);
    return change ? change.start : day * DAY;
  }

  /** `Tue 5 Mar 2024`. */
  date(t) {
    return dayName(this.day(t));
  }

  /** `13:05`. */
  time(t) {
    const second = this.second(t);
    return `${two(Math.floor(second / 3600))}:${two(Math.floor((second % 3600) / 60))}`;
  }

  /** `Tue 5 Mar 2024 13:05 EST`. */
  full(t) {
    return `${this.date(t)} ${this.time(t)} ${this.at(t).name}`;
  }

  /** `Tue 5 Mar 2024, 13:05 to 15:10 EST`; both dates when they differ. */
  span(from, to) {
    const name = this.at(to - 1).name;
    const first = this.at(from).name === name ? "" : ` ${this.at(from).name}`;
    const end = this.day(from) === this.day(to - 1) ? "" : `${dayName(this.day(to - 1))} `;
    const last = this.day(to) > this.day(to - 1) ? "24:00" : this.time(to);
    return `${this.date(from)}, ${this.time(from)}${first} to ${end}${last} ${name}`;
  }
}

/** `Tue 5 Mar 2024`, of days since 1970-01-01. */
export function dayName(day) {
  const date = new Date(day * DAY * 1000);
  return `${WEEKDAYS[date.getUTCDay()]} ${shortDay(day)} ${date.getUTCFullYear()}`;
}

/** `5 Mar`. */
export function shortDay(day) {
  const date = new Date(day * DAY * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

/** `Mar`, with the year in January. */
export function monthName(day) {
  const date = new Date(day * DAY * 1000);
  const month = date.getUTCMonth();
  return month ? MONTHS[month] : `Jan ${date.getUTCFullYear()}`;
}

/** Which day of the month. */
export const dateOfMonth = (day) => new Date(day * DAY * 1000).getUTCDate();

/** 0 is Monday. */
export const weekday = (day) => (((day + 3) % 7) + 7) % 7;

/** Days since 1970-01-01 of `2024-03-05`. */
export const dayOf = (text) => Date.parse(`${text}T00:00:00Z`) / 1000 / DAY;
