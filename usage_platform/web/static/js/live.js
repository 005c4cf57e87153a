/** Server-sent events of a meter; the browser reconnects by itself after an outage. */

/**
 * @typedef {object} Heard
 * @property {(readings: {at: number, kw: number}[]) => void} onReadings
 * @property {(anomalies: object[]) => void} onAnomalies
 * @property {(episodes: object[]) => void} onEpisodes
 * @property {(standing: {brokers: string, lake: string, version: string}) => void} onStanding
 * @property {() => void} onReset missed events are no longer buffered: everything must be reloaded
 * @property {(isConnected: boolean) => void} onConnection
 */

export class Live {
  /** @param {Heard} heard */
  constructor(heard) {
    this.heard = heard;
    this.source = null;
  }

  /** Subscribe to a meter, and unsubscribe from the previous one. */
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
