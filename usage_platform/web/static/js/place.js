/** The page's state in its URL, so that links restore it. */

const NUMBERS = ["from", "to"];

/** @typedef {{meter: string, year: string, from: number | null, to: number | null, episode: string | null, tz: string}} Place */

/** @returns {Place} */
export function readPlace() {
  const given = new URLSearchParams(location.search);
  const place = { meter: given.get("meter") ?? "", year: given.get("year") ?? "", episode: given.get("episode"), tz: given.get("tz") ?? "" };
  for (const name of NUMBERS) {
    const value = Number(given.get(name));
    place[name] = given.get(name) && Number.isFinite(value) ? value : null;
  }
  return place;
}

/** The URL of a state. @param {Place} place */
export function addressOf(place) {
  const known = Object.entries(place).filter(([, value]) => value !== null && value !== "");
  const rounded = known.map(([name, value]) => [name, typeof value === "number" ? Math.round(value) : value]);
  return `?${new URLSearchParams(rounded)}`;
}

/** @param {Place} place */
export function writePlace(place, isNew = false) {
  history[isNew ? "pushState" : "replaceState"](null, "", addressOf(place));
}
