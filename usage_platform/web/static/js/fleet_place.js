/** What is chosen on the page of all meters, in its URL, so that links and "back" restore it. */

/** Without a sort the server chooses: by cost at stake where there are tariffs. */
const DEFAULTS = { search: "", show: "all", sort: "", order: "desc", page: "1" };

/** @typedef {{search: string, show: string, sort: string, order: string, page: string}} FleetPlace */

/** @returns {FleetPlace} */
export function readFleetPlace() {
  const given = new URLSearchParams(location.search);
  return Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, given.get(name) || value]));
}

/** @param {FleetPlace} place */
export function writeFleetPlace(place) {
  const chosen = Object.entries(place).filter(([name, value]) => value !== DEFAULTS[name]);
  const query = new URLSearchParams(chosen).toString();
  history.replaceState(null, "", query ? `/fleet?${query}` : location.pathname);
}
