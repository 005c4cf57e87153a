/** This week over the four or eight weeks before, on the building's wall clock. */

import { json } from "./api.js";
import { dayName, dayOf } from "./clock.js";
import { element, fill } from "./dom.js";
import { LineChart } from "./line_chart.js";
import { compared, count, kw, kwh, number, share, unitOfPower } from "./words.js";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY_MINUTES = 1440;
const WEEK_HOURS = 168;

export class WeeksPanel {
  /** @param {HTMLElement} section @param {(act: () => Promise<void>) => Promise<void>} guarded */
  constructor(section, guarded) {
    this.section = section;
    this.before = "4";
    this.loaded = null;
    this.asked = "";
    this.chart = new LineChart(this.part("weeks-chart"), { onIndex: (index, isKeyed) => this.point(index, isKeyed) });
    for (const button of section.querySelectorAll("[data-before]")) {
      button.addEventListener("click", () => {
        this.before = button.dataset.before;
        guarded(() => this.load(this.place));
      });
    }
  }

  part(id) {
    return this.section.querySelector(`#${id}`);
  }

  /** @param {{meter: string, year: string}} place */
  async load(place) {
    this.place = place;
    const asked = JSON.stringify([place.meter, place.year, this.before]);
    if (asked !== this.asked) {
      // Those of another meter are not shown meanwhile.
      this.loaded = null;
      this.draw();
    }
    this.asked = asked;
    const { weeks } = await json("/api/weeks", { meter: place.meter, year: place.year, before: this.before });
    if (asked !== this.asked || JSON.stringify(weeks) === JSON.stringify(this.loaded)) return;
    this.loaded = weeks;
    this.draw();
  }

  /** @param {Record<string, string>} colors */
  show(colors) {
    if (this.colors === colors) return;
    this.colors = colors;
    this.draw();
  }

  draw() {
    const { loaded, colors } = this;
    this.section.hidden = loaded === null || !colors;
    for (const button of this.section.querySelectorAll("[data-before]")) button.setAttribute("aria-pressed", String(button.dataset.before === this.before));
    if (this.section.hidden) return;
    const minutes = loaded.power.map((power, at) => at * loaded.step_minutes);
    this.chart.show({
      data: [minutes, loaded.low, loaded.high, loaded.usual, loaded.power],
      lines: [{}, {}, { stroke: colors.expected, dash: [5, 4] }, { stroke: colors.line, width: 1.8 }],
      areas: [{ between: [1, 0], fill: colors.band }],
      unit: unitOfPower(),
      from: 0,
      to: 7 * DAY_MINUTES,
      ticks: () => DAYS.map((text, day) => ({ at: day * DAY_MINUTES, text })),
      colors,
    });
    const now = loaded.weeks.at(-1);
    const others = loaded.weeks.filter((week) => week.is_compared).length;
    const there = share(now.to_date_readings / now.due_readings);
    const without = others ? "not compared, as too many of its readings are missing" : "no week before has enough readings to compare with";
    const usual = loaded.usual_kwh === null ? without : `${compared(now.to_date_kwh, loaded.usual_kwh)} ${kwh(loaded.usual_kwh)}, the median of ${count(others)} weeks up to the same time`;
    this.part("weeks-said").textContent = `Week of ${dayName(dayOf(now.monday))} so far: ${kwh(now.to_date_kwh)} (${there} of its readings so far), ${usual}.`;
    this.part("weeks-chart").setAttribute("aria-label", `Power of the week of ${dayName(dayOf(now.monday))} over the range of the ${this.before} weeks before`);
    this.drawTable();
  }

  drawTable() {
    const row = ({ monday, hours, energy_kwh: energy, to_date_kwh: toDate, to_date_readings: readings, due_readings: due, is_compared: isCompared }, at, weeks) => {
      const isNow = at === weeks.length - 1;
      const length = hours === WEEK_HOURS ? "168" : element("strong", {}, count(hours), " (clock change)");
      const counts = isNow ? "this week" : isCompared ? "yes" : "no: readings are missing";
      const cells = [length, kwh(toDate), isNow ? "–" : kwh(energy), `${share(readings / due)} of ${count(due)}`, counts];
      return element("tr", {}, element("th", { scope: "row" }, dayName(dayOf(monday))), ...cells.map((text) => element("td", {}, text)));
    };
    const heads = ["Week from", "hours", "up to the same time", "whole week", "readings up to then", "compared"];
    fill(
      this.part("weeks-table"),
      element("caption", { class: "hidden" }, "Energy of this week and of the weeks before"),
      element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...this.loaded.weeks.map(row).reverse()),
    );
  }

  point(index, isKeyed) {
    const { loaded } = this;
    const text = index === null || !loaded ? "" : this.words(index);
    this.part("weeks-reading").textContent = text;
    if (isKeyed) this.part("weeks-spoken").textContent = text;
  }

  words(index) {
    const { step_minutes: step, power, low, high, usual } = this.loaded;
    const minute = index * step;
    const clock = `${DAYS[Math.floor(minute / DAY_MINUTES)]} ${String(Math.floor((minute % DAY_MINUTES) / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
    const before = usual[index] === null ? "nothing to compare with" : `before ${number(low[index])} to ${number(high[index])}, median ${kw(usual[index])}`;
    return `${clock}: ${power[index] === null ? "no reading" : kw(power[index])}; ${before}`;
  }
}
