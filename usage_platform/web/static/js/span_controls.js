/** The buttons that choose a time range: its length, earlier and later, in and out. */

const DAY = 86400;
const SPANS = { day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY };
const SHORTEST = 3600;
const LONGEST = 366 * DAY;

/** The range that the URL asks for; null for an end that it leaves out. @param {URLSearchParams} given */
export function spanOf(given) {
  const [from, to] = ["from", "to"].map((name) => (/^\d+$/.test(given.get(name) ?? "") ? Number(given.get(name)) : null));
  return { from, to };
}

export class SpanControls {
  /**
   * @param {() => [number, number] | null} ends the range that is shown, seconds since 1970 UTC
   * @param {(from: number, to: number) => void} onSpan
   */
  constructor(ends, onSpan) {
    this.ends = ends;
    this.onSpan = onSpan;
    for (const button of document.querySelectorAll("[data-span]")) button.addEventListener("click", () => this.preset(button.dataset.span));
    const acts = { earlier: () => this.pan(-0.5), later: () => this.pan(0.5), in: () => this.zoom(0.5), out: () => this.zoom(2) };
    for (const button of document.querySelectorAll("[data-move]")) button.addEventListener("click", () => acts[button.dataset.move]());
  }

  /** A range, not shorter than an hour and not longer than a year. */
  span(from, to) {
    const wide = Math.min(Math.max(to - from, SHORTEST), LONGEST);
    const first = Math.max(0, (from + to - wide) / 2);
    this.onSpan(Math.round(first), Math.round(first + wide));
  }

  pan(share) {
    const [from, to] = this.ends() ?? [];
    if (to) this.span(from + share * (to - from), to + share * (to - from));
  }

  /** Multiply the range by a factor around a position from 0 to 1. */
  zoom(factor, where = 0.5) {
    const [from, to] = this.ends() ?? [];
    if (!to) return;
    const at = from + where * (to - from);
    this.span(at - (at - from) * factor, at + (to - at) * factor);
  }

  preset(name) {
    const [, to] = this.ends() ?? [];
    if (to) this.span(to - SPANS[name], to);
  }

  /** Mark the button of the range that is shown. */
  mark(from, to) {
    for (const button of document.querySelectorAll("[data-span]")) button.setAttribute("aria-pressed", String(Math.abs(to - from - SPANS[button.dataset.span]) < SHORTEST));
  }
}
