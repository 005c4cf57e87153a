/** The parts of a meter's page that load once the page can be used: forecast, comparisons, findings. */

import { guarded } from "./banner.js";
import { byId } from "./dom.js";
import { FindingList } from "./findings.js";
import { ForecastPanel } from "./forecast.js";
import { WeeksPanel } from "./weeks_panel.js";
import { YearsPanel } from "./years_panel.js";

export class MeterPanels {
  /** @param {{onSelect: (from: number, to: number) => void, address: (from: number, to: number) => string}} ofFindings */
  constructor(ofFindings) {
    this.findings = new FindingList({ list: byId("finding-list"), said: byId("findings-count") }, ofFindings);
    this.forecast = new ForecastPanel({ section: byId("forecast"), chart: byId("forecast-chart"), figures: byId("forecast-figures"), note: byId("forecast-note") });
    this.weeks = new WeeksPanel(byId("weeks"), guarded);
    this.years = new YearsPanel(byId("years"), guarded);
  }

  /** @param {{meter: string, year: string}} place @param {string} version that of the lake */
  load(place, version) {
    guarded(() => this.findings.load(place.meter));
    guarded(() => this.forecast.load(place.meter));
    this.loadComparisons(place, version);
  }

  loadComparisons(place, version) {
    guarded(() => this.weeks.load(place));
    guarded(() => this.years.load(place, version));
  }

  /** @param {{year: object, clock: object, colors: object, isPast: boolean}} shown */
  show(shown) {
    this.findings.show({ clock: shown.clock });
    this.forecast.show(shown);
    this.weeks.show(shown.colors);
    this.years.show(shown.colors);
  }
}
