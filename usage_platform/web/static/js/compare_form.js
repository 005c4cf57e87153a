/** From a meter's page to a chart of several meters, with the words to search for. */

import { byId } from "./dom.js";

/** @param {() => string} meter gives the meter of the page */
export function listenToCompare(meter) {
  byId("compare-with").addEventListener("submit", (event) => {
    event.preventDefault();
    const search = byId("compare-with-search").value.trim();
    location.assign(`/compare?${new URLSearchParams({ meter: meter(), ...(search ? { search } : {}) })}`);
  });
}
