/** The page of a group's parts: layers on top of each other, the rest of the main meter, and what is missing. */

import { json } from "./api.js";
import { guarded } from "./banner.js";
import { Clock } from "./clock.js";
import { colors, onColorChange } from "./colors.js";
import { atMostEvery, byId, element, fill } from "./dom.js";
import { LineChart } from "./line_chart.js";
import { SpanControls, spanOf } from "./span_controls.js";
import { hearStanding } from "./standing.js";
import { timeTicks } from "./ticks.js";
import { count, kw, kwh, share } from "./words.js";

const DAY_MINUTES = 1440;
const ASKED_MS = 200;
const SEEN = "b3";

const given = new URLSearchParams(location.search);
const state = { place: { name: given.get("name") ?? "", ...spanOf(given) }, shown: null, clock: Clock.utc(), colors: colors(), asked: 0 };

const controls = new SpanControls(ends, change);
const chart = new LineChart(byId("parts-chart"), {
  onIndex: point,
  onSpan: (from, to) => controls.span(from, to),
  pan: (part) => controls.pan(part),
  zoom: (factor, where) => controls.zoom(factor, where),
});
const loadSoon = atMostEvery(ASKED_MS, () => guarded(load));

/** The range that is asked for, or the one that is shown. */
function ends() {
  return state.shown ? [state.place.from ?? state.shown.from, state.place.to ?? state.shown.to] : null;
}

async function load() {
  state.asked += 1;
  const { asked } = state;
  const shown = await json("/api/fleet/stack", state.place);
  if (asked !== state.asked) return;
  state.shown = shown;
  state.clock = new Clock(shown.offsets);
  draw();
}

function change(from, to) {
  state.place = { ...state.place, from, to };
  history.replaceState(null, "", `/parts?${new URLSearchParams(Object.entries(state.place))}`);
  loadSoon();
}

/** The layers from the bottom up, the rest last. */
function layers() {
  const { shown } = state;
  return shown.rest === null ? shown.layers : [...shown.layers, { ...shown.rest, name: restName(), isRest: true }];
}

function restName() {
  const { absent } = state.shown;
  return absent.length ? `rest, with ${absent.join(", ")}` : "rest";
}

const fillOf = (at, isRest) => (isRest ? state.colors.rule : `${state.colors[`series-${at + 1}`]}${SEEN}`);
const lineOf = (at, isRest) => (isRest ? state.colors.quiet : state.colors[`series-${at + 1}`]);

function draw() {
  const { shown, clock } = state;
  byId("parts-shown").hidden = false;
  byId("parts-name").textContent = shown.name;
  document.title = `${shown.name}: parts`;
  const parts = layers();
  const tops = [];
  let below = shown.at.map(() => 0);
  for (const { power } of parts) {
    below = power.map((one, at) => (one === null ? null : below[at] + one));
    tops.push(below);
  }
  const zero = shown.at.map((at, index) => (tops.length && tops[0][index] !== null ? 0 : null));
  const main = shown.main ? [shown.main.power] : [];
  chart.show({
    data: [shown.at, zero, ...tops, ...main],
    lines: [{}, ...parts.map(({ isRest }, at) => ({ stroke: lineOf(at, isRest), width: 1 })), ...main.map(() => ({ stroke: state.colors.ink, width: 1.8 }))],
    areas: parts.map(({ isRest }, at) => ({ between: [at + 1, at], fill: fillOf(at, isRest) })),
    unit: "kW",
    from: shown.from,
    to: shown.to,
    ticks: (from, to, pixels) => timeTicks(clock, from, to, pixels),
    colors: state.colors,
  });
  controls.mark(shown.from, shown.to);
  const range = clock.span(shown.from, shown.to);
  byId("parts-range").textContent = range;
  byId("parts-chart").setAttribute("aria-label", `Parts of ${shown.name}, ${range}`);
  fill(byId("parts-legend"), ...(main.length ? [element("span", { class: "key line", "aria-hidden": "true" }), "main meter. "] : []), "From the top down: ", ...parts.map(({ name, isRest }, at) => [swatch(at, isRest), name]).reverse().flat());
  drawMissing();
  drawTable(parts);
}

function swatch(at, isRest) {
  return element("span", { class: `key part-${isRest ? "rest" : at + 1}`, "aria-hidden": "true" });
}

/** What is not in the stack; it never counts as 0. */
function drawMissing() {
  const { shown } = state;
  const left = shown.hours - shown.whole_hours;
  const gaps = shown.layers.filter(({ missing_hours: missing }) => missing).map(({ name, missing_hours: missing }) => `${name} ${count(missing)}`);
  const lines = [
    shown.absent.length ? `${shown.absent.join(", ")}: no complete hour in this range, so ${shown.rest === null ? "the sum is without it" : "its energy is in the rest"}.` : "",
    left ? `${count(left)} of ${count(shown.hours)} hours are left out, as a meter lacks readings in them${gaps.length ? ` (hours: ${gaps.join(", ")})` : ""}; none counts as 0.` : "",
    shown.negative_hours ? `In ${count(shown.negative_hours)} hours the sub-meters sum to more than the main meter: check signs, factors and clocks.` : "",
  ];
  fill(byId("parts-missing"), ...lines.filter(Boolean).map((text) => element("li", {}, text)));
  byId("parts-note").textContent = `Mean power ${shown.step_minutes === DAY_MINUTES ? "of each local day that is wholly in this range" : "of each hour"} over the hours in which all parts have all of their readings. Times in ${shown.timezone}.`;
}

function drawTable(parts) {
  const { shown } = state;
  const total = shown.main?.kwh ?? shown.layers.reduce((sum, { kwh: energy }) => sum + energy, 0);
  const row = (name, energy, missing, key) => element("tr", {}, element("th", { scope: "row" }, ...(key ? [key] : []), name), element("td", {}, kwh(energy)), element("td", {}, total > 0 ? share(energy / total) : "–"), element("td", {}, missing));
  const missing = (hours) => (hours ? element("span", { class: "over" }, `${count(hours)} of ${count(shown.hours)}`) : "none");
  const rows = parts.map((part, at) => row(part.name, part.kwh, part.isRest ? "–" : missing(part.missing_hours), swatch(at, part.isRest)));
  const absent = shown.absent.map((name) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, "–"), element("td", {}, "–"), element("td", {}, missing(shown.hours))));
  const heads = ["Part", "energy", "share", "hours missing"];
  fill(
    byId("parts-table"),
    element("caption", { class: "hidden" }, `Energy of the parts of ${shown.name}`),
    element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, row(shown.main ? "main meter" : "sum", total, "–", null), ...rows, ...absent),
  );
}

/** The powers under the mouse, or at the point to which keys have gone. */
function point(index, isKeyed) {
  const { shown, clock } = state;
  const text = index === null || !shown ? "" : `${clock.full(shown.at[index])}: ${words(index)}`;
  byId("parts-reading").textContent = text;
  if (isKeyed) byId("parts-said").textContent = text;
}

function words(index) {
  const main = state.shown.main ? `main meter ${kw(state.shown.main.power[index])}; ` : "";
  const parts = layers();
  if (!parts.length || parts[0].power[index] === null) return `${main}left out, as readings are missing`;
  return main + parts.map(({ name, power }) => `${name} ${kw(power[index])}`).join(", ");
}

async function start() {
  onColorChange(() => {
    state.colors = colors();
    if (state.shown) draw();
  });
  await guarded(load);
  document.documentElement.dataset.ready = "true";
  hearStanding();
}

// For the browser console and tests.
window.__parts = { state, chart };
start();
