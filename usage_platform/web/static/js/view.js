/** The time range and everything that depends on it: chart, carpet plot, load profile, table. */

import { json } from "./api.js";
import { Carpet } from "./carpet.js";
import { dayName, dayOf } from "./clock.js";
import { byId, element, fill } from "./dom.js";
import { DurationChart } from "./duration_chart.js";
import { onGestures, onKeys } from "./gestures.js";
import { showDays, showFiles, showHours } from "./hours.js";
import { Calendar, drawWeek } from "./maps.js";
import { SHAPES } from "./marks.js";
import { isDaily, PowerChart } from "./power_chart.js";
import { kw, kwh, range, unitOfAmount, unitOfPower } from "./words.js";

const DAY = 86400;
const SPANS = { day: DAY, week: 7 * DAY, month: 30 * DAY };
const HOURS_SHOWN = 31 * DAY;
const SETTLED_MS = 250;
const LEAST_PLACES = 12;
const POINT_AT_A_DAY = "Point at a day for its values.";

export class View {
  /**
   * @param {object} state the page's state
   * @param {{onEpisode: (name: string) => void, onSpan: () => void}} listeners
   */
  constructor(state, listeners) {
    this.state = state;
    this.listeners = listeners;
    this.cursor = null;
    this.asked = "";
    this.timer = null;
    this.chart = new PowerChart(byId("power-chart"), {
      onSpan: (from, to) => this.span(from, to),
      onCursor: (t) => this.point(t),
    });
    this.carpet = new Carpet(byId("carpet"), {
      onDay: (day) => this.toDay(day),
      onEpisode: listeners.onEpisode,
      onPoint: (day, second) => this.pointCarpet(day, second),
    });
    this.calendar = new Calendar(byId("calendar"), {
      onDay: (day) => this.toDay(day),
      onPoint: (day) => {
        byId("calendar-reading").textContent = day ? `${dayName(dayOf(day.day))}: ${kwh(day.energy_kwh)}, ${day.readings} of ${day.expected_readings} readings` : POINT_AT_A_DAY;
      },
    });
    this.duration = new DurationChart(byId("duration-chart"));
    this.listen();
  }

  listen() {
    const moves = {
      pan: (share) => this.pan(share),
      zoom: (factor, where) => this.zoom(factor, where),
      step: (by) => this.step(by),
      toEnd: (last) => this.stepTo(last ? this.state.place.to - 1 : this.state.place.from),
    };
    onGestures(byId("power-chart"), moves);
    onKeys(byId("power-chart"), moves);
    const acts = {
      earlier: () => this.pan(-0.5),
      later: () => this.pan(0.5),
      in: () => this.zoom(0.5, 0.5),
      out: () => this.zoom(2, 0.5),
      newest: () => this.toNewest(this.state.place.to - this.state.place.from),
    };
    for (const button of document.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => acts[button.dataset.move]());
    }
    for (const button of document.querySelectorAll("[data-span]")) {
      button.addEventListener("click", () => this.preset(button.dataset.span));
    }
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth !== width && this.state.year) this.drawStill();
      width = innerWidth;
    });
  }

  /** The range of a link, or the last week. */
  setEnds() {
    const { place, year } = this.state;
    if (place.from === null || place.to === null || place.to <= place.from) this.toNewest(SPANS.week, false);
    else [place.from, place.to] = this.within(place.from, place.to);
    if (!year.size) [place.from, place.to] = [0, SPANS.week];
  }

  within(from, to) {
    const { year } = this.state;
    const most = Math.max(year.end - year.start, LEAST_PLACES * year.step);
    const wide = Math.min(Math.max(to - from, LEAST_PLACES * year.step), most);
    const middle = (from + to) / 2;
    const first = Math.min(Math.max(middle - wide / 2, year.start), year.end - wide);
    return [first, first + wide];
  }

  /** Show a range, limited to the readings. */
  span(from, to) {
    const { place, year } = this.state;
    if (!year?.size) return;
    [place.from, place.to] = this.within(from, to);
    this.drawSpan();
    this.listeners.onSpan();
  }

  pan(share) {
    const { from, to } = this.state.place;
    const by = share * (to - from);
    this.span(from + by, to + by);
  }

  zoom(factor, where) {
    const { from, to } = this.state.place;
    const at = from + where * (to - from);
    this.span(at - (at - from) * factor, at + (to - at) * factor);
  }

  preset(name) {
    const { place, year } = this.state;
    if (name === "year") this.span(year.start, year.end);
    else if (this.isAtNewest()) this.toNewest(SPANS[name]);
    else this.span((place.from + place.to - SPANS[name]) / 2, (place.from + place.to + SPANS[name]) / 2);
  }

  isAtNewest() {
    const { place, year } = this.state;
    return place.to >= year.end - 2 * year.step;
  }

  /** Keep the newest reading at the right end, the span as long as it was. */
  follow() {
    const { place, year } = this.state;
    const wide = place.to - place.from;
    [place.from, place.to] = this.within(year.end - wide, year.end);
  }

  toNewest(wide, isDrawn = true) {
    const { place, year } = this.state;
    const newest = year.newest();
    const end = newest ? newest.at + year.step : year.end;
    if (isDrawn) this.span(end - wide, end);
    else [place.from, place.to] = this.within(end - wide, end);
  }

  toDay(day) {
    const { clock } = this.state;
    this.span(clock.dayStart(day), clock.dayStart(day + 1));
    byId("power-title").scrollIntoView({ block: "nearest" });
  }

  /** Show an episode with enough context to see the normal load. */
  toEpisode(name) {
    const { place, year } = this.state;
    const found = this.state.episodes.find((one) => one.name === name);
    if (!found || !year.size) return;
    const around = Math.max(DAY / 2, found.end - found.start);
    [place.from, place.to] = this.within(found.start - around, found.end + around);
  }

  draw() {
    const { place, colors, overview, stamp } = this.state;
    this.drawSpan();
    const isSame = this.still && this.still.stamp === stamp && this.still.colors === colors && this.still.days === overview.days;
    if (!isSame) this.drawStill();
    showFiles(byId("episode-files"), "episodes", { meter: place.meter, year: place.year });
  }

  /** Draw what does not depend on the range. */
  drawStill() {
    const { colors, overview, stamp } = this.state;
    this.still = { stamp, colors, days: overview.days };
    this.calendar.show(overview.days, colors);
    fill(byId("calendar-legend"), ramp(), `low to high ${unitOfAmount()} `, key("gap"), "no reading. Click a day to show it in the chart.");
    if (this.shape) this.drawShape();
  }

  drawSpan() {
    const { place, year, clock, episodes, anomalies, colors, stamp } = this.state;
    const selected = episodes.find((one) => one.name === place.episode) ?? null;
    const peaks = episodes.map(({ peak_at: at, peak_kw, direction }) => ({ at, kw: peak_kw, direction }));
    this.chart.show({ year, clock, from: place.from, to: place.to, anomalies, peaks, selected, colors });
    this.carpet.show({ year, clock, episodes, from: place.from, to: place.to, colors, stamp });
    this.drawLegends();
    for (const button of document.querySelectorAll("[data-span]")) {
      const wide = SPANS[button.dataset.span] ?? year.end - year.start;
      button.setAttribute("aria-pressed", String(Math.abs(place.to - place.from - wide) < 2 * year.step));
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), SETTLED_MS);
  }

  drawLegends() {
    const { place, year, clock } = this.state;
    const daily = isDaily(place.from, place.to);
    fill(
      byId("power-legend"),
      key("line"),
      daily ? "daily mean" : "reading",
      key("band"),
      daily ? "daily minimum to maximum" : "expected range",
      ...(daily ? [key("expected"), "expected daily mean"] : []),
      element("span", { class: "shape", "aria-hidden": "true" }, `${SHAPES.above} ${SHAPES.below} ${SHAPES.at}`),
      "anomaly: above, below, or flatline. Drag to zoom, or Ctrl and wheel.",
    );
    fill(byId("carpet-legend"), ramp(), `low to high ${unitOfPower()}`, key("gap"), "no reading", element("span", { class: "shape", "aria-hidden": "true" }, "○"), "anomaly episode. The frame marks the range of the chart above; click a day to show it there.");
    const span = year.size ? clock.span(place.from, place.to) : "no readings yet";
    byId("power-chart").setAttribute("aria-label", `Power over time, ${span}`);
    if (this.cursor === null) byId("power-reading").textContent = span;
  }

  /** The reading under the mouse. */
  point(t) {
    const { year } = this.state;
    this.cursor = t;
    byId("power-reading").textContent = t === null ? "" : this.words(year.place(t));
    if (t === null) this.drawLegends();
  }

  words(place) {
    const { year, clock } = this.state;
    if (place < 0 || place >= year.size) return "";
    const { at, kw: power, low, high } = year.at(place);
    if (Number.isNaN(power)) return `${clock.full(at)}: no reading`;
    const mark = this.state.anomalies.some((one) => one.at === at) ? ", anomaly" : "";
    return `${clock.full(at)}: ${kw(power)}, expected ${range(low, high)}${mark}`;
  }

  step(by) {
    const { place, year } = this.state;
    const from = this.keyed ?? year.place(place.to - 1) + (by < 0 ? 1 : 0);
    this.stepTo(year.start + (from + by) * year.step);
  }

  stepTo(t) {
    const { place, year } = this.state;
    if (!year?.size) return;
    const at = Math.min(Math.max(year.place(t), 0), year.size - 1);
    this.keyed = at;
    const instant = year.start + at * year.step;
    if (instant < place.from) this.span(instant, instant + place.to - place.from);
    else if (instant >= place.to) this.span(instant + year.step - (place.to - place.from), instant + year.step);
    this.chart.point(instant);
    byId("power-said").textContent = this.words(at);
    byId("power-reading").textContent = this.words(at);
  }

  pointCarpet(day, second) {
    const { year, clock, overview } = this.state;
    let text = "";
    if (day !== null && second === null) {
      const found = overview.days.find((one) => dayOf(one.day) === day);
      text = `${dayName(day)}${found ? `: ${kwh(found.energy_kwh)}, maximum ${kw(found.peak_kw)}` : ""}`;
      byId("power-said").textContent = text;
    } else if (day !== null) {
      const at = clock.instant(day, Math.floor(second / year.step) * year.step);
      text = at === null ? "" : this.words(year.place(at));
    }
    byId("carpet-reading").textContent = text || POINT_AT_A_DAY;
  }

  /** Request the data of the range once it has settled. */
  async settle() {
    const { place, year, stamp } = this.state;
    if (!year.size) {
      byId("hours-note").textContent = "No readings yet: they appear here as they arrive.";
      return;
    }
    const [from, to] = [Math.floor(place.from), Math.ceil(place.to)];
    const asked = `${place.meter} ${place.year} ${from} ${to} ${stamp} ${place.tz}`;
    if (asked === this.asked) return;
    this.asked = asked;
    const query = { meter: place.meter, year: place.year, from, to };
    const isShort = to - from <= HOURS_SHOWN;
    const [shape, hours] = await Promise.all([json("/api/shape", query), isShort ? json("/api/hours", query) : null]).catch(() => {
      this.asked = "";
      return [null, null];
    });
    if (!shape || asked !== this.asked) return;
    this.shape = shape;
    this.drawShape();
    this.drawTable(hours, query);
  }

  drawShape() {
    const { colors, clock, place } = this.state;
    const { shape, week, duration } = this.shape;
    byId("shape-span").textContent = `range of the chart above: ${clock.span(place.from, place.to)}; building time`;
    drawWeek(byId("week-map"), week, colors);
    this.duration.show(duration, colors);
    fill(byId("week-legend"), ramp(), `low to high ${unitOfPower()}`, key("gap"), "no reading");
    byId("duration-legend").textContent = `base load ${kw(shape.base_kw)}, near peak ${kw(shape.near_peak_kw)}, peak ${kw(shape.peak_kw)}, mean ${kw(shape.mean_kw)}, ${kwh(shape.energy_kwh)}`;
  }

  drawTable(hours, query) {
    const { clock, currency, overview, local, place } = this.state;
    if (hours) {
      showHours(byId("hours"), hours.rows, clock);
    } else {
      const [first, last] = [local.day(place.from), local.day(place.to - 1)];
      showDays(byId("hours"), overview.days.filter(({ day }) => dayOf(day) >= first && dayOf(day) <= last), currency);
    }
    byId("hours-note").textContent = hours ? "Hours in the range of the chart. The files contain the same rows, with local and UTC times." : "Days in the range of the chart; a range of up to a month shows hours.";
    showFiles(byId("hour-files"), "hours", query);
    const readings = element("span", {});
    showFiles(readings, "readings", query);
    byId("hour-files").append(...readings.childNodes);
  }
}

const key = (name) => element("span", { class: `key ${name}`, "aria-hidden": "true" });
const ramp = () => key("ramp");
