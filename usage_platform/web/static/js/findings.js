/** The list of a meter's findings: energy and cost of a year, state, the time they are about. */

import { setState } from "./api.js";
import { dayName, dayOf } from "./clock.js";
import { element, fill, keepingFocus } from "./dom.js";
import { count, kwh, money } from "./words.js";

const STATES = ["new", "accepted", "done"];

export class FindingList {
  /**
   * @param {{list: HTMLElement, said: HTMLElement}} parts
   * @param {{onSelect: (from: number, to: number) => void, onChanged: () => Promise<void>, address: (from: number, to: number) => string}} listeners
   */
  constructor(parts, listeners) {
    this.parts = parts;
    this.listeners = listeners;
  }

  /** @param {{as_of: number | null, findings: object[], clock: object}} shown */
  show(shown) {
    const isSame = this.shown && ["as_of", "findings", "clock"].every((name) => this.shown[name] === shown[name]);
    this.shown = shown;
    if (!isSame) this.draw();
  }

  draw() {
    const { as_of, findings, clock } = this.shown;
    const { list, said } = this.parts;
    keepingFocus(() => fill(list, ...findings.map((one) => this.item(one))));
    const left = findings.filter(({ state }) => state !== "done").length;
    const made = as_of === null ? "They are computed each night; none were yet." : `Computed ${clock.full(as_of)}.`;
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
    const facts = [kind.replaceAll("_", " "), this.shown.clock.span(start, end), `found since ${dayName(dayOf(since))}`];
    return element("p", {}, ...figures.filter(Boolean).flatMap((one) => [element("strong", {}, one), " · "]), facts.join(" · "));
  }

  states({ id, state, sentence }) {
    const wrong = element("p", { class: "wrong", role: "alert" });
    const set = async (chosen) => {
      wrong.textContent = "";
      try {
        await setState(id, chosen);
        await this.listeners.onChanged();
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    const button = (name) => element("button", { type: "button", id: `${name}-${id}`, "aria-pressed": String(name === state), onclick: () => set(name) }, name);
    return element("div", {}, element("div", { class: "buttons", role: "group", "aria-label": `State of: ${sentence}` }, ...STATES.map(button)), wrong);
  }
}
