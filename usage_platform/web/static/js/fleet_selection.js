/** The meters that are selected in the table, on whichever page of it, and the way to their chart. */

import { byId, element, fill } from "./dom.js";

/** So many meters fit on one chart; the server refuses more (`core/load/overlay.py`). */
export const MOST_METERS = 8;

export class FleetSelection {
  /** @param {HTMLElement} root where it says which are selected */
  constructor(root) {
    this.root = root;
    this.names = new Set();
    this.draw();
  }

  has(name) {
    return this.names.has(name);
  }

  /** Select a meter or not. @returns {boolean} whether it is selected now */
  toggle(name, isOn) {
    if (!isOn) this.names.delete(name);
    else if (this.names.size < MOST_METERS) this.names.add(name);
    else {
      byId("selection-said").textContent = `At most ${MOST_METERS} meters fit on one chart; clear one first.`;
      return false;
    }
    this.draw();
    return isOn;
  }

  clear() {
    this.names.clear();
    for (const box of document.querySelectorAll("#meters-table input:checked")) box.checked = false;
    this.draw();
    byId("meters").focus({ preventScroll: true });
  }

  draw() {
    const names = [...this.names];
    this.root.hidden = !names.length;
    byId("selection-said").textContent = names.length ? `${names.length} of at most ${MOST_METERS} selected: ${names.join(", ")}` : "";
    const address = `/compare?${new URLSearchParams(names.map((name) => ["meter", name]))}`;
    fill(byId("selection-acts"), element("a", { href: address }, "Show on one chart"), element("button", { type: "button", onclick: () => this.clear() }, "Clear"));
  }
}
