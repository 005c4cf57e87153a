/** The list of a meter's findings: energy and cost of a year, state, the time they are about. */

import { json, setState } from "./api.js";
import { dayName, dayOf } from "./clock.js";
import { element, fill, keepingFocus } from "./dom.js";
import { count, kwh, money } from "./words.js";

const STATES = ["new", "accepted", "done"];

export class FindingList {
  /**
   * @param {{list: HTMLElement, said: HTMLElement}} parts
   * @param {{onSelect: (from: number, to: number) => void, address: (from: number, to: number) => string}} listeners
   */
  constructor(parts, listeners) {
    this.parts = parts;
    this.listeners = listeners;
    this.meter = "";
    this.loaded = null;
    this.clock = null;
  }

  /** Findings change once a night: they are loaded with their meter, and when a state was set. */
  async load(meter) {
    if (meter !== this.meter) {
      // Those of another meter are not shown meanwhile.
      this.loaded = null;
      fill(this.parts.list);
    }
    this.meter = meter;
    const loaded = await json("/api/findings", { meter });
    if (meter !== this.meter) return;
    this.loaded = loaded;
    this.draw();
  }

  /** @param {{clock: object}} shown */
  show({ clock }) {
    const isSame = clock === this.clock;
    this.clock = clock;
    if (!isSame) this.draw();
  }

  draw() {
    if (this.loaded === null || this.clock === null) return;
    const { loaded: { as_of, failed, findings }, clock } = this;
    const { list, said } = this.parts;
    keepingFocus(() => fill(list, ...findings.map((one) => this.item(one))));
    const left = findings.filter(({ state }) => state !== "done").length;
    const made = as_of === null ? "They are computed each night; none were yet." : `As of ${clock.full(as_of)}${failed ? `, which failed for this meter (${failed}): older ones are shown` : ""}.`;
    const now = `${findings.length === 1 ? "1 finding" : `${count(findings.length)} findings`}, ${count(left)} not done. ${made}`;
    // Set only on a change, so that screen readers announce it once.
    if (said.textContent !== now) said.textContent = now;
  }

  item(finding) {
    const { id, sentence, start, end, state } = finding;
    const link = element(
      "a",
      {
        href: this.listeners.address(start, end),
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          this.listeners.onSelect(start, end);
        },
      },
      sentence,
    );
    return element("li", { class: state, "data-finding": id }, element("h3", {}, link), this.facts(finding), this.states(finding));
  }

  facts({ kind, kwh: energy, kwh_per_year: perYear, cost_per_year: cost, currency, start, end, first_seen: since }) {
    const once = energy ? `${kwh(energy)} once` : null;
    const figures = [perYear === null ? once : `${kwh(perYear)} a year`, cost === null ? null : `${money(cost, currency)} a year`];
    const facts = [kind.replaceAll("_", " "), this.clock.span(start, end), `found since ${dayName(dayOf(since))}`];
    return element("p", {}, ...figures.filter(Boolean).flatMap((one) => [element("strong", {}, one), " · "]), facts.join(" · "));
  }

  states({ id, state, sentence }) {
    const wrong = element("p", { class: "wrong", role: "alert" });
    const set = async (chosen) => {
      wrong.textContent = "";
      try {
        await setState(id, chosen);
        await this.load(this.meter);
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    const button = (name) => element("button", { type: "button", id: `${name}-${id}`, "aria-pressed": String(name === state), onclick: () => set(name) }, name);
    return element("div", {}, element("div", { class: "buttons", role: "group", "aria-label": `State of: ${sentence}` }, ...STATES.map(button)), wrong);
  }
}
