/** The list of anomaly episodes with their expected range and reviews. */

import { review } from "./api.js";
import { element, fill, keepingFocus } from "./dom.js";
import { SHAPES } from "./marks.js";
import { count, duration, kw, range, signed, unitOfAmount, unitOfPower } from "./words.js";

const SHOWN_FIRST = 12;
const LABELS = { true: "true anomaly", false: "false alarm", planned: "planned" };

export class EpisodeList {
  /**
   * @param {{list: HTMLElement, said: HTMLElement, more: HTMLElement, openOnly: HTMLInputElement}} parts
   * @param {{onSelect: (name: string) => void, onReviewed: () => Promise<void>, address: (name: string) => string}} listeners
   */
  constructor(parts, listeners) {
    this.parts = parts;
    this.listeners = listeners;
    this.limit = SHOWN_FIRST;
    this.notes = new Map();
    this.open = new Set();
    parts.more.addEventListener("click", () => {
      this.limit += SHOWN_FIRST;
      this.draw();
    });
    parts.openOnly.addEventListener("change", () => this.draw());
  }

  /** @param {{episodes: object[], clock: object, selected: string | null}} shown */
  show(shown) {
    const isSame = this.shown && ["episodes", "clock", "selected"].every((name) => this.shown[name] === shown[name]);
    this.shown = shown;
    // An unchanged list is not redrawn, so that text being typed is not disturbed.
    if (!isSame) this.draw();
  }

  draw() {
    const { episodes, selected } = this.shown;
    const { list, said, more, openOnly } = this.parts;
    const wanted = episodes.filter((one) => !openOnly.checked || one.review.acknowledged_at === null);
    // An episode that a link names is shown even if it is far down the list.
    const at = wanted.findIndex((one) => one.name === selected);
    if (at >= this.limit) this.limit = at + 1;
    keepingFocus(() => fill(list, ...wanted.slice(0, this.limit).map((one) => this.item(one))));
    more.hidden = wanted.length <= this.limit;
    const text = episodes.length === 1 ? "1 episode" : `${count(episodes.length)} episodes`;
    const seen = episodes.filter((one) => one.review.acknowledged_at !== null).length;
    const now = `${text}, ${count(seen)} acknowledged`;
    // Set only on a change, so that screen readers announce it once.
    if (said.textContent !== now) said.textContent = now;
  }

  item(episode) {
    const { clock, selected } = this.shown;
    const link = element(
      "a",
      {
        href: this.listeners.address(episode.name),
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          this.listeners.onSelect(episode.name);
        },
      },
      clock.span(episode.start, episode.end),
    );
    return element(
      "li",
      { "aria-current": episode.name === selected ? "true" : null, "data-episode": episode.name },
      element("h3", {}, link),
      this.facts(episode),
      this.state(episode),
      this.details(episode),
    );
  }

  facts(episode) {
    const long = duration(episode.end - episode.start);
    const expected = episode.expected_kw === null ? "" : `, expected ${range(episode.expected_low_kw, episode.expected_high_kw)}`;
    const size = episode.expected_kw === null ? "" : `; ${signed(episode.deviation_kw, unitOfPower())}${episode.excess_kwh === null ? "" : `, ${signed(episode.excess_kwh, unitOfAmount())}`}`;
    return element(
      "p",
      {},
      element("span", { class: `severity ${episode.severity}` }, element("span", { "aria-hidden": "true" }, `${SHAPES[episode.direction] ?? "■"} `), `${episode.severity} severity`),
      ` · ${episode.kind.replace("_", " ")} for ${long} · extreme reading ${kw(episode.peak_kw)}${expected}${size}`,
    );
  }

  state({ review: { acknowledged_at: seen, says } }) {
    if (seen === null) return null;
    return element("p", { class: "state" }, `✓ acknowledged${says ? `, labelled ${LABELS[says]}` : ""}`);
  }

  details(episode) {
    const { name } = episode;
    const made = element("details", { ontoggle: () => (made.open ? this.open.add(name) : this.open.delete(name)) });
    if (this.open.has(name)) made.open = true;
    const notes = episode.review.reviews.filter((one) => one.note).length;
    const about = notes ? ` (${count(notes)} ${notes === 1 ? "note" : "notes"})` : "";
    made.append(
      element("summary", { id: `review-${name}` }, `Review${about}`, element("span", { class: "hidden" }, ` the episode of ${this.shown.clock.full(episode.start)}`)),
      ...episode.review.reviews.map((one) => this.said(one)),
      this.form(episode),
    );
    return made;
  }

  said({ at, act, says, note }) {
    const what = { acknowledge: "acknowledged", comment: "note", label: `labelled ${LABELS[says] ?? ""}` }[act];
    return element("p", { class: "said" }, `${this.shown.clock.full(at)}: ${what}${note ? ` – ${note}` : ""}`);
  }

  form(episode) {
    const { name } = episode;
    const wrong = element("p", { class: "wrong", role: "alert" });
    const note = element("input", { maxlength: 1000, autocomplete: "off", id: `note-${name}`, value: this.notes.get(name) ?? "", oninput: () => this.notes.set(name, note.value) });
    const keep = async (act, says) => {
      wrong.textContent = "";
      try {
        await review({ meter: episode.meter, episode: name, act, says, note: note.value });
        this.notes.delete(name);
        await this.listeners.onReviewed();
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    const button = (text, act, says = null) => element("button", { type: "button", id: `${act}-${says ?? ""}-${name}`, onclick: () => keep(act, says) }, text);
    return element(
      "div",
      {},
      element(
        "div",
        { class: "acts" },
        element("label", {}, "Note", note),
        button("Acknowledge", "acknowledge"),
        button("Save note", "comment"),
        ...Object.entries(LABELS).map(([says, text]) => button(`Label: ${text}`, "label", says)),
      ),
      wrong,
    );
  }
}
