/** This year over last by day or week, each day beside the one 52 weeks before, and what differs in all. */

import { json } from "./api.js";
import { Clock, dayName, dayOf } from "./clock.js";
import { element, fill } from "./dom.js";
import { LineChart } from "./line_chart.js";
import { timeTicks } from "./ticks.js";
import { count, kwh, short, signed, signedShare, unitOfAmount } from "./words.js";

const DAY = 86400;
const DAYS_APART = 364;
const NEAR = "400px";
const calendar = Clock.utc();

export class YearsPanel {
  /** @param {HTMLElement} section @param {(act: () => Promise<void>) => Promise<void>} guarded */
  constructor(section, guarded) {
    this.section = section;
    this.by = "weeks";
    this.loaded = null;
    this.asked = "";
    this.place = null;
    this.version = "";
    this.key = "";
    this.isNear = false;
    this.chart = new LineChart(this.part("years-chart"), { onIndex: (index, isKeyed) => this.point(index, isKeyed) });
    for (const button of section.querySelectorAll("[data-by]")) {
      button.addEventListener("click", () => {
        this.by = button.dataset.by;
        this.draw();
      });
    }
    // Two years of hours are read only once somebody comes near.
    const near = ([{ isIntersecting }]) => {
      this.isNear = isIntersecting;
      if (isIntersecting && this.place) guarded(() => this.load(this.place, this.version));
    };
    new IntersectionObserver(near, { rootMargin: NEAR }).observe(section);
  }

  part(id) {
    return this.section.querySelector(`#${id}`);
  }

  /** @param {{meter: string, year: string}} place @param {string} version that of the lake */
  async load(place, version) {
    this.place = place;
    this.version = version;
    const key = JSON.stringify([place.meter, place.year]);
    if (key !== this.key) this.forget();
    this.key = key;
    const asked = `${key} ${version}`;
    if (asked === this.asked || !this.isNear) return;
    this.asked = asked;
    const years = await this.fetched(place, asked);
    if (asked !== this.asked) return;
    this.loaded = years;
    this.draw(years === null ? "No hour of this year yet." : "");
  }

  /** After an error the same is asked again next time. */
  async fetched(place, asked) {
    try {
      return (await json("/api/years", { meter: place.meter, year: place.year })).years;
    } catch (error) {
      if (asked === this.asked) this.asked = "";
      throw error;
    }
  }

  /** What was loaded of another meter or year is not shown meanwhile. */
  forget() {
    this.asked = "";
    this.loaded = null;
    this.draw();
  }

  /** @param {Record<string, string>} colors */
  show(colors) {
    if (this.colors === colors) return;
    this.colors = colors;
    this.draw();
  }

  draw(otherwise = "") {
    const { loaded, colors } = this;
    this.part("years-shown").hidden = loaded === null || !colors;
    for (const button of this.section.querySelectorAll("[data-by]")) button.setAttribute("aria-pressed", String(button.dataset.by === this.by));
    this.part("years-said").textContent = loaded === null ? otherwise : this.difference();
    if (loaded === null || !colors) return;
    const { xs, kwh: energy, before_kwh: before } = this.columns();
    this.chart.show({
      data: [xs.map((day) => day * DAY), before, energy],
      lines: [{ stroke: colors.expected, dash: [5, 4], width: 1.6 }, { stroke: colors.line, width: 1.8 }],
      areas: [],
      unit: `${unitOfAmount()} a ${this.by === "weeks" ? "week" : "day"}`,
      from: xs[0] * DAY,
      to: Math.max(xs.at(-1), xs[0] + 1) * DAY,
      ticks: (from, to, pixels) => timeTicks(calendar, from, to, pixels),
      colors,
    });
    this.part("years-chart").setAttribute("aria-label", `Energy by ${this.by === "weeks" ? "week" : "day"}, ${this.year()} over the year before. ${this.difference()}`);
    this.drawTable();
  }

  year() {
    return this.loaded.first_day.slice(0, 4);
  }

  columns() {
    const { first_day: first, days, weeks } = this.loaded;
    if (this.by === "weeks") return { xs: weeks.mondays.map(dayOf), ...weeks };
    return { xs: days.kwh.map((energy, at) => dayOf(first) + at), ...days };
  }

  difference() {
    const { compared_days: days, compared_kwh: energy, compared_before_kwh: before, difference_kwh: difference } = this.loaded;
    const all = this.loaded.days.kwh.length;
    if (!days) return `No day of ${this.year()} and of the year before has its readings in both.`;
    const left = all > days ? ` ${count(all - days)} of ${count(all)} days lack readings in one of the years and are left out.` : "";
    const part = before > 0 ? ` (${signedShare(difference / before)})` : "";
    return `${this.year()} so far: ${signed(difference, unitOfAmount())}${part} in ${count(days)} days, ${kwh(energy)} beside ${kwh(before)} in the days 52 weeks before.${left}`;
  }

  drawTable() {
    const { mondays, kwh: energy, before_kwh: before } = this.loaded.weeks;
    const known = (at) => energy[at] !== null;
    let sum = 0;
    const rows = mondays.map((monday, at) => {
      sum += known(at) ? energy[at] - before[at] : 0;
      const cells = known(at) ? [short(energy[at]), short(before[at]), signed(energy[at] - before[at], unitOfAmount()), signed(sum, unitOfAmount())] : ["–", "–", "–", signed(sum, unitOfAmount())];
      return element("tr", {}, element("th", { scope: "row" }, dayName(dayOf(monday))), ...cells.map((text) => element("td", {}, text)));
    });
    const heads = ["Week from", unitOfAmount(), `${unitOfAmount()} 52 weeks before`, "difference", "since January"];
    fill(
      this.part("years-table"),
      element("caption", { class: "hidden" }, "Energy of the compared days by week"),
      element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows.reverse()),
    );
  }

  point(index, isKeyed) {
    const text = index === null || !this.loaded ? "" : this.words(index);
    this.part("years-reading").textContent = text;
    if (isKeyed) this.part("years-spoken").textContent = text;
  }

  words(index) {
    const { xs, kwh: energy, before_kwh: before } = this.columns();
    const day = xs[index];
    const name = this.by === "weeks" ? "Week from " : "";
    return `${name}${dayName(day)}: ${kwh(energy[index])}; ${dayName(day - DAYS_APART)}: ${kwh(before[index])}`;
  }
}
