/** What happens now, heard from the server; the browser comes back by itself after an outage. */

/**
 * @typedef {object} Heard
 * @property {(readings: {at: number, kw: number}[]) => void} onReadings
 * @property {(anomalies: object[]) => void} onAnomalies
 * @property {(episodes: object[]) => void} onEpisodes
 * @property {(standing: {brokers: string, lake: string, version: string}) => void} onStanding
 * @property {() => void} onReset what was missed is gone: all must be loaded anew
 * @property {(isConnected: boolean) => void} onConnection
 */

export class Live {
  /** @param {Heard} heard */
  constructor(heard) {
    this.heard = heard;
    this.source = null;
  }

  /** Listen to a meter, and to no other any more. */
  listen(meter) {
    this.source?.close();
    const source = new EventSource(`/api/stream?${new URLSearchParams({ meter })}`);
    this.source = source;
    const on = (name, call) => source.addEventListener(name, (event) => call(JSON.parse(event.data)));
    on("usage", ({ items }) => this.heard.onReadings(items));
    on("anomaly", ({ items }) => this.heard.onAnomalies(items));
    on("episode", ({ items }) => this.heard.onEpisodes(items));
    on("standing", (standing) => this.heard.onStanding(standing));
    on("reset", () => this.heard.onReset());
    source.addEventListener("open", () => this.heard.onConnection(true));
    source.addEventListener("error", () => this.heard.onConnection(false));
  }
}
