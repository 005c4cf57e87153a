/** The table of meters: a row each, sorted by a click on a column's name. */

import { element, fill } from "./dom.js";
import { sparkline } from "./sparkline.js";
import { age, count, money, share, short, signedNumber, signedShare } from "./words.js";

const FAR = 0.1;
/** 28 days: the last hours are priced at night. */
const MANY_HOURS = 28 * 24;

/** Name, sort key (none: not sortable), classes (more: not on a narrow screen; less: there without costs alone; cost: only with a tariff), content. */
const COLUMNS = [
  ["7 days", null, "", (row) => sparkline(row.line, row.unit)],
  ["At stake", "at_stake", "cost", (row) => atStake(row.cost)],
  ["Open", "episodes", "", (row) => count(row.episodes)],
  ["excess", "excess", "more", (row) => (row.episodes ? signedNumber(row.excess_kwh) : "–")],
  ["kWh 7 d", "week_kwh", "more", (row) => short(row.week.kwh)],
  ["expected", "week_expected", "more", (row) => expected(row, row.week)],
  ["over", "week_deviation", "more", (row) => signedNumber(row.week.deviation)],
  ["% over", "week_share", "", (row) => deviation(row.week.share)],
  ["Cost 30 d", "month_cost", "cost more", (row) => monthCost(row.cost)],
  ["kWh 30 d", "month_kwh", "more", (row) => short(row.month.kwh)],
  ["expected", "month_expected", "more", (row) => expected(row, row.month)],
  ["over", "month_deviation", "more", (row) => signedNumber(row.month.deviation)],
  ["% over", "month_share", "more", (row) => deviation(row.month.share)],
  ["Complete", "completeness", "more", (row) => share(row.completeness)],
  ["Newest", "newest", "less", (row, asOf) => (row.newest === null ? "over 30 d" : age(asOf - row.newest))],
  ["kWh/m²", "kwh_per_m2", "more", (row) => short(row.kwh_per_m2)],
];
const TITLES = {
  week_expected: "Expected energy of the same hours of 7 days",
  week_deviation: "Energy above the expected one, 7 days",
  week_share: "Energy above the expected one in percent, 7 days",
  month_expected: "Expected energy of the same hours of 30 days",
  month_deviation: "Energy above the expected one, 30 days",
  month_share: "Energy above the expected one in percent, 30 days",
  at_stake: "Cost above the expected energy, of the open episodes or of the last 7 days, whichever is more",
  month_cost: "Cost of the last 30 days",
  episodes: "Open episodes of the last 7 days",
  excess: "Energy of the open episodes above the expected one, kWh",
  completeness: "Share of the readings of 7 days that are there",
  newest: "Time since the newest reading",
  kwh_per_m2: "Energy of 30 days by floor area",
};

function expected(row, energy) {
  if (!row.has_model) return element("span", { class: "missing" }, "no model");
  return short(energy.expected);
}

function deviation(value) {
  const isFar = value !== null && Math.abs(value) >= FAR;
  return element("span", { class: isFar ? "over" : "" }, signedShare(value));
}

const noTariff = () => element("span", { class: "missing" }, "no tariff");

/** An amount; about: some of it is at the meter's mean price. */
function atStake(cost) {
  if (cost === null) return noTariff();
  const amount = money(cost.at_stake, cost.currency);
  return cost.is_estimate ? element("span", {}, element("span", { "aria-hidden": "true" }, "≈ "), element("span", { class: "hidden" }, "about "), amount) : amount;
}

/** An amount, and of how many days if many hours have no cost yet. */
function monthCost(cost) {
  if (cost === null) return noTariff();
  const amount = money(cost.month, cost.currency);
  if (cost.month_hours >= MANY_HOURS) return amount;
  return element("span", {}, amount, element("span", { class: "missing" }, ` of ${count(cost.month_hours / 24)} d`));
}

export const meterLink = (name) => element("a", { href: `/?${new URLSearchParams({ meter: name })}` }, name);

export class FleetTable {
  /**
   * @param {HTMLTableElement} table
   * @param {(sort: string) => void} onSort
   * @param {{has: (name: string) => boolean, toggle: (name: string, isOn: boolean) => boolean}} selected
   */
  constructor(table, onSort, selected) {
    this.table = table;
    this.onSort = onSort;
    this.selected = selected;
    this.body = element("tbody", {});
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.heads = [["Meter", "name", ""], ...COLUMNS].map(([text, sort, classes]) => this.head(text, sort, classes));
    fill(table, element("caption", { class: "hidden" }, "Meters with the figures of the last 7 and 30 days"), element("thead", {}, element("tr", {}, ...this.heads)), this.body);
  }

  head(text, sort, classes) {
    const title = TITLES[sort];
    const label = title ? `${text}: ${title}` : text;
    const inside = sort ? element("button", { type: "button", title: title ?? text, "aria-label": label, onclick: () => this.onSort(sort) }, text) : text;
    return element("th", { scope: "col", class: classes, "data-sort": sort ?? "" }, inside);
  }

  /** @param {object} page the answer of `/api/fleet` */
  show(page, place) {
    this.table.classList.toggle("costs", page.has_costs);
    for (const head of this.heads) {
      if (head.dataset.sort === page.sort) head.setAttribute("aria-sort", place.order === "desc" ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    const focused = document.activeElement?.closest?.("tr")?.dataset.meter;
    fill(this.body, ...page.rows.map((row) => this.row(row, page.as_of)));
    if (focused !== undefined) this.body.querySelector(`[data-meter="${CSS.escape(focused)}"] a`)?.focus({ preventScroll: true });
  }

  row(row, asOf) {
    const name = element("th", { scope: "row" }, this.box(row.name), meterLink(row.name), row.is_silent ? element("span", { class: "badge" }, "silent") : null, row.unit === "kW" ? null : element("span", { class: "badge", title: "Its readings are no powers: it has no kWh" }, row.unit));
    const cells = COLUMNS.map(([, , classes, content]) => element("td", { class: classes }, content(row, asOf)));
    return element("tr", { "data-meter": row.name }, name, ...cells);
  }

  /** Selects a meter for a chart of several. */
  box(name) {
    const box = element("input", { type: "checkbox", "aria-label": `Select ${name}`, onchange: () => (box.checked = this.selected.toggle(name, box.checked)) });
    box.checked = this.selected.has(name);
    return box;
  }

  /** Arrows move from meter to meter. */
  key(event) {
    const links = [...this.body.querySelectorAll("th a")];
    const at = links.indexOf(document.activeElement);
    const move = { ArrowUp: -1, ArrowDown: 1, Home: -links.length, End: links.length }[event.key];
    if (!move || at < 0) return;
    links[Math.min(Math.max(at + move, 0), links.length - 1)].focus();
    event.preventDefault();
  }
}
