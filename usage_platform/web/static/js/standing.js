/** What the server says of the brokers and the lake, in the banner. */

import { showProblem } from "./banner.js";

const NO_ANSWER = "The page's server does not respond; retrying.";

/** @param {{brokers: string, lake: string}} standing */
export function showStanding({ brokers, lake }) {
  showProblem("brokers", brokers && `No live data: ${brokers}. Showing data from the lake.`);
  showProblem("lake", lake);
}

/** @param {boolean} isConnected */
export function showConnection(isConnected) {
  showProblem("connection", isConnected ? "" : NO_ANSWER);
}

/**
 * Show it as it changes, on a page without live readings.
 *
 * @param {(version: string) => void} onVersion receives the version of the lake each time
 */
export function hearStanding(onVersion = () => {}) {
  const source = new EventSource("/api/standing");
  source.addEventListener("standing", (event) => {
    const standing = JSON.parse(event.data);
    showStanding(standing);
    onVersion(standing.version);
  });
  source.addEventListener("open", () => showConnection(true));
  source.addEventListener("error", () => showConnection(false));
}
