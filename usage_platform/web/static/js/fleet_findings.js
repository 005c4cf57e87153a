/** The costliest findings of all meters, each with a link to the time that it is about. */

import { json } from "./api.js";
import { element, fill } from "./dom.js";
import { count, kwh, money } from "./words.js";

export class FleetFindings {
  /** @param {{section: HTMLElement, list: HTMLElement, said: HTMLElement}} parts */
  constructor(parts) {
    this.parts = parts;
    this.version = null;
  }

  async load() {
    const found = await json("/api/fleet/findings");
    if (found.version === this.version) return;
    this.version = found.version;
    const { section, list, said } = this.parts;
    section.hidden = found.count === 0;
    const many = found.count === 1 ? "1 finding is" : `${count(found.count)} findings are`;
    const meters = found.meters === 1 ? "1 meter" : `${count(found.meters)} meters`;
    said.textContent = `${many} not done, at ${meters}`;
    fill(list, ...found.costliest.map(item));
  }
}

function item({ meter, sentence, start, end, kwh: energy, kwh_per_year: perYear, cost_per_year: cost, currency, state }) {
  const address = `/?${new URLSearchParams({ meter, from: start, to: end })}`;
  const figures = [
    cost === null ? null : `${money(cost, currency)} a year`,
    perYear === null ? energy && `${kwh(energy)} once` : `${kwh(perYear)} a year`,
    state === "new" ? null : state,
  ];
  return element("li", {}, element("strong", {}, meter), ": ", element("a", { href: address }, sentence), ` ${figures.filter(Boolean).join(" · ")}`);
}
