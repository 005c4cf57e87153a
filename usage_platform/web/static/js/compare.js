/** The page of several meters on one chart: chosen by search, over one time, in one unit. */

import { json } from "./api.js";
import { guarded } from "./banner.js";
import { Clock } from "./clock.js";
import { colors, onColorChange } from "./colors.js";
import { compareQuery, readComparePlace, writeComparePlace } from "./compare_place.js";
import { atMostEvery, byId, element, fill, keepingFocus } from "./dom.js";
import { MOST_METERS } from "./fleet_selection.js";
import { meterLink } from "./fleet_table.js";
import { LineChart } from "./line_chart.js";
import { lineKey, lineStyle } from "./series_styles.js";
import { SpanControls } from "./span_controls.js";
import { hearStanding } from "./standing.js";
import { timeTicks } from "./ticks.js";
import { count, kwh, number, share, showIn } from "./words.js";

const MOST_FOUND = 8;
const TYPED_MS = 200;
const DAY_MINUTES = 1440;

const state = { place: readComparePlace(), shown: null, clock: Clock.utc(), colors: colors(), asked: 0 };

const controls = new SpanControls(ends, (from, to) => change({ from, to }));
const chart = new LineChart(byId("compare-chart"), {
  onIndex: point,
  onSpan: (from, to) => controls.span(from, to),
  pan: (share) => controls.pan(share),
  zoom: (factor, where) => controls.zoom(factor, where),
});
const searchSoon = atMostEvery(TYPED_MS, () => guarded(search));
const loadSoon = atMostEvery(TYPED_MS, () => guarded(load));

/** The range that is asked for, or the one that is shown. */
function ends() {
  return state.shown ? [state.place.from ?? state.shown.from, state.place.to ?? state.shown.to] : null;
}

async function load() {
  state.asked += 1;
  const { asked, place } = state;
  if (!place.meters.length) {
    state.shown = null;
    draw();
    return;
  }
  const shown = await json(`/api/overlay?${compareQuery(place)}`);
  if (asked !== state.asked) return;
  state.shown = shown;
  // Amounts are in the unit that belongs to it, also where the axis is by area.
  showIn({ unit: shown.unit === "W/m2" ? "kW" : shown.unit, amount: shown.amount });
  state.clock = new Clock(shown.offsets);
  draw();
}

function change(chosen) {
  state.place = { ...state.place, ...chosen };
  writeComparePlace(state.place);
  loadSoon();
}

/** The unit of what is shown: that of the form is shown once its answer is there. */
const unitName = () => (state.shown.unit === "W/m2" ? "W/m²" : state.shown.unit);

function draw() {
  const { shown, place } = state;
  document.title = place.meters.length ? `${place.meters.join(", ")}: power` : "Several meters";
  byId("compare-empty").hidden = shown !== null;
  byId("compare-shown").hidden = shown === null;
  byId("unit").value = place.unit;
  if (!shown) return;
  chart.show({
    data: [shown.at, ...shown.meters.map(({ power }) => power)],
    lines: shown.meters.map((meter, at) => lineStyle(at, state.colors)),
    areas: [],
    unit: unitName(),
    from: shown.from,
    to: shown.to,
    ticks: (from, to, pixels) => timeTicks(state.clock, from, to, pixels),
    colors: state.colors,
  });
  const range = state.clock.span(shown.from, shown.to);
  byId("compare-chart").setAttribute("aria-label", `Power of ${place.meters.join(", ")}, ${range}`);
  byId("compare-range").textContent = range;
  fill(byId("compare-legend"), ...shown.meters.flatMap(({ name }, at) => [lineKey(at, state.colors), name]));
  byId("compare-note").textContent = `Mean power ${shown.step_minutes === DAY_MINUTES ? "of each local day that is wholly in this range" : `over ${shown.step_minutes} minutes`}; a step without a reading is a gap. Times in ${shown.timezone}${shown.has_other_zones ? ", the time zone of the first meter; others are in another one" : ""}.`;
  controls.mark(shown.from, shown.to);
  keepingFocus(drawTable);
}

function drawTable() {
  const { shown } = state;
  const heads = ["Meter", `mean ${unitName()}`, `highest ${unitName()}`, "energy", "readings", ""];
  const row = (meter, at) => {
    const known = meter.power.filter((power) => power !== null);
    const mean = known.length ? known.reduce((sum, power) => sum + power, 0) / known.length : null;
    const remove = element("button", { type: "button", id: `remove-${at}`, "aria-label": `Remove ${meter.name}`, onclick: () => change({ meters: state.place.meters.filter((name) => name !== meter.name) }) }, "Remove");
    const readings = meter.readings ? `${share(meter.readings / Math.max(meter.expected_readings, meter.readings))} of ${count(Math.max(meter.expected_readings, meter.readings))}` : element("span", { class: "over" }, "none in this range");
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, lineKey(at, state.colors), meterLink(meter.name)),
      ...[number(mean), number(known.length ? Math.max(...known) : null), meter.readings ? kwh(meter.energy_kwh) : "–", readings, remove].map((content) => element("td", {}, content)),
    );
  };
  fill(
    byId("compare-table"),
    element("caption", { class: "hidden" }, "The meters of the chart"),
    element("thead", {}, element("tr", {}, ...heads.map((text) => (text ? element("th", { scope: "col" }, text) : element("td", {}))))),
    element("tbody", {}, ...shown.meters.map(row)),
  );
}

/** The values under the mouse, or at the point to which keys have gone. */
function point(index, isKeyed) {
  const { shown, clock } = state;
  const text = index === null || !shown ? "" : `${clock.full(shown.at[index])}: ${shown.meters.map(({ name, power }) => `${name} ${power[index] === null ? "no reading" : `${number(power[index])} ${unitName()}`}`).join(", ")}`;
  byId("compare-reading").textContent = text;
  if (isKeyed) byId("compare-said").textContent = text;
}

async function search() {
  const text = byId("compare-search").value.trim();
  if (!text) {
    fill(byId("compare-found"));
    byId("compare-matched").textContent = "";
    return;
  }
  const { rows, matched } = await json("/api/fleet", { search: text, sort: "name", order: "asc" });
  const more = rows.filter(({ name }) => !state.place.meters.includes(name)).slice(0, MOST_FOUND);
  byId("compare-matched").textContent = matched === 1 ? "1 meter matches." : `${count(matched)} meters match${matched > more.length && more.length ? `; the first ${more.length} that are not on the chart` : ""}.`;
  fill(byId("compare-found"), ...more.map(({ name }) => element("li", {}, element("button", { type: "button", onclick: () => add(name) }, `+ ${name}`))));
}

function add(name) {
  const { meters } = state.place;
  if (meters.length >= MOST_METERS) {
    byId("compare-matched").textContent = `At most ${MOST_METERS} meters fit on one chart; remove one first.`;
    return;
  }
  change({ meters: [...meters, name] });
  byId("compare-search").focus();
  guarded(search);
}

function listen() {
  byId("compare-form").addEventListener("submit", (event) => event.preventDefault());
  byId("compare-search").value = state.place.search;
  byId("compare-search").addEventListener("input", searchSoon);
  byId("unit").addEventListener("change", (event) => change({ unit: event.target.value }));
  onColorChange(() => {
    state.colors = colors();
    draw();
  });
}

async function start() {
  listen();
  if (state.place.search) guarded(search);
  draw();
  await guarded(load);
  document.documentElement.dataset.ready = "true";
  hearStanding();
}

// For the browser console and tests.
window.__compare = { state, chart };
start();
