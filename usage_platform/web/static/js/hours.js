/** The table: hours of a short time range, days of a long one. The export files contain the same rows. */

import { fileAddress } from "./api.js";
import { dayName, dayOf } from "./clock.js";
import { element, fill } from "./dom.js";
import { money, number, unitOfAmount, unitOfPower } from "./words.js";

const cell = (text) => element("td", {}, text);
const head = (...names) => element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))));
const row = (name, ...cells) => element("tr", {}, element("th", { scope: "row" }, name), ...cells.map(cell));

/** @param {HTMLTableElement} table */
export function showHours(table, rows, clock) {
  fill(
    table,
    head("Hour (start)", `Mean ${unitOfPower()}`, `Min ${unitOfPower()}`, `Max ${unitOfPower()}`, unitOfAmount(), "Readings"),
    element(
      "tbody",
      {},
      ...rows.map((hour) =>
        row(clock.full(hour.start), number(hour.avg_usage), number(hour.min_usage), number(hour.max_usage), number(hour.energy_kwh), `${hour.n} of ${hour.expected_n}${hour.is_final ? "" : " so far"}`),
      ),
    ),
  );
}

/** @param {HTMLTableElement} table */
export function showDays(table, days, currency) {
  fill(
    table,
    head("Day", unitOfAmount(), "Cost", `Max ${unitOfPower()}`, "Readings"),
    element(
      "tbody",
      {},
      ...days.map((day) => row(dayName(dayOf(day.day)), number(day.energy_kwh), money(day.cost, currency), number(day.peak_kw), `${day.readings} of ${day.expected_readings}`)),
    ),
  );
}

/** Links to the export files of the time range. */
export function showFiles(root, what, query) {
  const link = (format, text) => element("a", { href: fileAddress({ ...query, what, format }), download: true }, text);
  fill(root, link("csv", `${what} as CSV`), link("parquet", `${what} as Parquet`));
}
