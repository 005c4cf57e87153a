/** Which meters are on one chart, over which time and in which unit: in the URL, so that links restore it. */

import { spanOf } from "./span_controls.js";

/** @typedef {{meters: string[], from: number | null, to: number | null, unit: string, search: string}} ComparePlace */

/** @returns {ComparePlace} */
export function readComparePlace() {
  const given = new URLSearchParams(location.search);
  return { meters: [...new Set(given.getAll("meter"))].filter(Boolean), ...spanOf(given), unit: given.get("unit") || "kW", search: given.get("search") ?? "" };
}

/** The parameters of a request. @param {ComparePlace} place */
export function compareQuery({ meters, from, to, unit }) {
  const query = new URLSearchParams(meters.map((meter) => ["meter", meter]));
  if (from !== null && to !== null) for (const [name, value] of [["from", from], ["to", to]]) query.append(name, String(Math.round(value)));
  if (unit !== "kW") query.append("unit", unit);
  return query;
}

/** @param {ComparePlace} place */
export function writeComparePlace(place) {
  history.replaceState(null, "", `/compare?${compareQuery(place)}`);
}
