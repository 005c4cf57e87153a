/** Tiles by energy, coloured by deviation; colour is never the only cue: the deviation is written. */

import { element, fill } from "./dom.js";
import { kwh, signedShare } from "./words.js";

const STEPS = [0.03, 0.1, 0.25];
const LEGEND = [
  ["below-3", "below −25%"],
  ["below-2", "−10% to −25%"],
  ["below-1", "−3% to −10%"],
  ["near", "within 3%"],
  ["above-1", "3% to 10%"],
  ["above-2", "10% to 25%"],
  ["above-3", "above 25% more than expected"],
  ["unknown", "no model yet"],
];
const LEAST_WIDTH = 56;
const LEAST_HEIGHT = 34;

/** The class of a deviation. */
export function stepOf(share) {
  if (share === null) return "unknown";
  const step = STEPS.filter((limit) => Math.abs(share) >= limit).length;
  return step ? `${share < 0 ? "below" : "above"}-${step}` : "near";
}

/**
 * Lay out rectangles of given areas, as square as possible (Bruls, Huizing, van Wijk: Squarified
 * Treemaps, 2000).
 * @param {number[]} sizes above 0, the largest first
 * @returns {{x: number, y: number, width: number, height: number}[]} in their order, filling the box
 */
export function squarified(sizes, width, height) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const areas = sizes.map((size) => (size / total) * width * height);
  const placed = [];
  let box = { x: 0, y: 0, width, height };
  let from = 0;
  while (from < areas.length) {
    const side = Math.min(box.width, box.height);
    let to = from + 1;
    while (to < areas.length && worst(areas.slice(from, to + 1), side) <= worst(areas.slice(from, to), side)) to += 1;
    const row = areas.slice(from, to);
    box = place(row, box, placed);
    from = to;
  }
  return placed;
}

/** The worst ratio of sides in a row along a side. */
function worst(row, side) {
  const sum = row.reduce((all, area) => all + area, 0);
  const thick = sum / side;
  return Math.max(...row.map((area) => Math.max(thick ** 2 / area, area / thick ** 2)));
}

function place(row, box, placed) {
  const sum = row.reduce((all, area) => all + area, 0);
  const isUpright = box.width >= box.height;
  const thick = sum / (isUpright ? box.height : box.width);
  let at = isUpright ? box.y : box.x;
  for (const area of row) {
    const long = area / thick;
    placed.push(isUpright ? { x: box.x, y: at, width: thick, height: long } : { x: at, y: box.y, width: long, height: thick });
    at += long;
  }
  return isUpright
    ? { x: box.x + thick, y: box.y, width: box.width - thick, height: box.height }
    : { x: box.x, y: box.y + thick, width: box.width, height: box.height - thick };
}

export class Treemap {
  /** @param {HTMLElement} root */
  constructor(root, legend) {
    this.root = root;
    this.legend = legend;
    this.shown = null;
    root.addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => this.draw());
  }

  /** @param {{tiles: {name: string, kwh: number, share: number | null}[], others: {meters: number, kwh: number}}} shown */
  show(shown) {
    this.shown = shown;
    this.draw();
    const steps = LEGEND.map(([name, text]) => element("span", {}, element("span", { class: `step ${name}`, "aria-hidden": "true" }), text));
    fill(this.legend, "Area: kWh. Colour: deviation.", ...steps);
  }

  draw() {
    if (!this.shown) return;
    const { tiles, others } = this.shown;
    const all = others.meters && others.kwh > 0 ? [...tiles, { ...others, name: null, share: null }] : tiles;
    const [width, height] = [this.root.clientWidth, this.root.clientHeight];
    const order = [...all].sort((one, other) => other.kwh - one.kwh);
    const boxes = squarified(order.map((tile) => tile.kwh), width, height);
    fill(this.root, ...(order.length ? order.map((tile, i) => drawn(tile, boxes[i], i)) : [element("p", { class: "note" }, "No readings of the last 7 days.")]));
  }

  key(event) {
    const tiles = [...this.root.querySelectorAll("a")];
    const at = tiles.indexOf(document.activeElement);
    const move = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -tiles.length, End: tiles.length }[event.key];
    if (!move || at < 0) return;
    const to = Math.min(Math.max(at + move, 0), tiles.length - 1);
    tiles[at].tabIndex = -1;
    tiles[to].tabIndex = 0;
    tiles[to].focus();
    event.preventDefault();
  }
}

function drawn(tile, box, i) {
  const isOthers = tile.name === null;
  const name = isOthers ? `${tile.meters} other meters` : tile.name;
  const text = `${name}: ${kwh(tile.kwh)}${isOthers ? "" : `, ${tile.share === null ? "no model yet" : signedShare(tile.share)}`}`;
  const fits = box.width >= LEAST_WIDTH && box.height >= LEAST_HEIGHT;
  const inside = fits ? [element("b", {}, name), isOthers ? kwh(tile.kwh) : tile.share === null ? "no model" : signedShare(tile.share)] : [];
  const made = isOthers
    ? element("span", { class: "near", title: text }, ...inside)
    : element("a", { class: stepOf(tile.share), href: `/?${new URLSearchParams({ meter: name })}`, title: text, "aria-label": text, tabindex: i ? -1 : 0 }, ...inside);
  for (const [side, value] of Object.entries({ left: box.x, top: box.y, width: box.width, height: box.height })) made.style[side] = `${value}px`;
  if (!fits) made.style.padding = "0";
  return made;
}
