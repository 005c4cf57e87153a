/** The page: loads a meter's year, draws it, applies live updates and handles input. */

import { json, series } from "./api.js";
import { guarded } from "./banner.js";
import { Clock } from "./clock.js";
import { colors, onColorChange } from "./colors.js";
import { listenToCompare } from "./compare_form.js";
import { atMostEvery, byId, element, fill, whenIdle } from "./dom.js";
import { EpisodeList } from "./episodes.js";
import { Live } from "./live.js";
import { MeterPanels } from "./meter_panels.js";
import { addressOf, readPlace, writePlace } from "./place.js";
import { showConnection, showStanding } from "./standing.js";
import { showTiles } from "./tiles.js";
import { View } from "./view.js";
import { showIn, unitOfPower } from "./words.js";
import { Year } from "./year.js";

const LATEST_PART = 2 * 86400;
const ALL_AGAIN_MS = 60_000;

const state = {
  meters: [],
  currency: "USD",
  place: readPlace(),
  clock: Clock.utc(),
  local: Clock.utc(),
  colors: colors(),
  year: null,
  overview: null,
  episodes: [],
  anomalies: [],
  fresh: new Map(),
  stamp: 0,
  loadedAt: 0,
  version: "",
};

const query = () => ({ meter: state.place.meter, year: state.place.year });

const view = new View(state, { onEpisode: (name) => select(name, true), onSpan: () => writePlace(state.place) });
const list = new EpisodeList(
  { list: byId("episode-list"), said: byId("episodes-count"), more: byId("more-episodes"), openOnly: byId("open-only") },
  {
    onSelect: (name) => select(name, true),
    onReviewed: loadEpisodes,
    address: (name) => addressOf({ meter: state.place.meter, year: state.place.year, tz: state.place.tz, from: null, to: null, episode: name }),
  },
);
const panels = new MeterPanels({ onSelect: showSpan, address: (from, to) => addressOf({ meter: state.place.meter, from, to, tz: state.place.tz }) });
const live = new Live({
  onReadings: heardReadings,
  onAnomalies: heardAnomalies,
  onEpisodes: heardEpisodes,
  onStanding: heardStanding,
  onReset: () => allSoon(),
  onConnection: showConnection,
});

const drawSoon = atMostEvery(100, draw);
const episodesSoon = atMostEvery(1000, () => guarded(loadEpisodes));
const panelsSoon = atMostEvery(60_000, () => {
  guarded(() => panels.forecast.load(state.place.meter));
  panels.loadComparisons(state.place, state.version);
});
const figuresSoon = atMostEvery(2000, () => guarded(loadFigures));
// A playback at full speed repeatedly exceeds the server's buffer.
const allSoon = atMostEvery(3000, () => guarded(() => loadYear()));
const partSoon = atMostEvery(1000, () => guarded(loadLatestPart));

async function start() {
  // Requested in parallel, as the selected meter is usually the default one.
  const loading = asked();
  loading.catch(() => null);
  const said = await json("/api/meters");
  state.meters = said.meters;
  state.currency = said.currency;
  for (const id of ["all-meters", "compare-with"]) byId(id).hidden = said.meters.length < 2;
  fill(byId("meter"), ...said.meters.map(({ name }) => element("option", { value: name }, name)));
  if (!state.meters.some(({ name }) => name === state.place.meter)) state.place.meter = state.meters[0].name;
  listen();
  await show(loading);
}

/** Load what the URL names and draw it; `loading` are requests already started. */
async function show(loading = asked()) {
  byId("meter").value = state.place.meter;
  byId("zone").value = state.place.tz === "utc" ? "utc" : "local";
  byId("meter-name").textContent = state.place.meter;
  const meter = state.meters.find(({ name }) => name === state.place.meter);
  showIn(meter);
  const what = unitOfPower() === "kW" ? "Power" : "Flow";
  byId("power-title").textContent = what;
  document.title = `${state.place.meter}: ${what.toLowerCase()}`;
  await guarded(() => loadYear(loading));
  live.listen(state.place.meter);
  document.documentElement.dataset.ready = "true";
  whenIdle(() => panels.load(state.place, state.version));
}

const asked = () =>
  Promise.all([json("/api/clock", query()), series(query()), json("/api/overview", query()), json("/api/episodes", query())]);

async function loadYear(loading = asked()) {
  const [clock, readings, overview, episodes] = await loading;
  if (readings.meter !== state.place.meter) {
    await loadYear();
    return;
  }
  state.local = new Clock(clock.offsets);
  state.year = new Year(readings);
  state.overview = overview;
  state.stamp += 1;
  state.loadedAt = performance.now();
  takeEpisodes(episodes);
  takeClock();
  showYears(clock);
  const isLinked = state.place.episode !== null && state.place.from === null;
  if (isLinked && isElsewhere(state.place)) {
    state.place.year = state.place.episode.slice(0, 4);
    await loadYear();
    return;
  }
  view.setEnds();
  if (isLinked) view.toEpisode(state.place.episode);
  draw();
}

/** Whether a linked episode is older than the last twelve months: its name starts with its year. */
const isElsewhere = ({ year, episode }) =>
  !year && /^\d{4}-/.test(episode) && !state.episodes.some(({ name }) => name === episode);

function takeClock() {
  state.clock = state.place.tz === "utc" ? Clock.utc() : state.local;
}

function takeEpisodes({ episodes, anomalies }) {
  const isSame = JSON.stringify(episodes) === JSON.stringify(state.episodes);
  if (!isSame) state.episodes = episodes;
  const directions = new Map(episodes.map(({ name, direction }) => [name, direction]));
  state.anomalies = anomalies.map(({ at, kw, episode }) => ({ at, kw, direction: directions.get(episode) ?? "at" }));
  for (const { at } of state.anomalies) state.fresh.delete(at);
  state.anomalies.push(...state.fresh.values());
}

/** Anomalies are marked as soon as they are published; the list follows once they are in the lake. */
function heardAnomalies(anomalies) {
  for (const { at, usage, direction, status } of anomalies) {
    state.fresh.delete(at);
    state.anomalies = state.anomalies.filter((one) => one.at !== at);
    if (status === "told") {
      const mark = { at, kw: usage, direction };
      state.fresh.set(at, mark);
      state.anomalies.push(mark);
    }
  }
  tellNow();
  drawSoon();
  episodesSoon();
}

/** Show the newest reading in the tiles. */
function tellNow() {
  const newest = state.year?.newest();
  if (!newest || !state.overview || state.place.year) return;
  const known = (kw) => (Number.isNaN(kw) ? null : kw);
  const is_anomaly = state.anomalies.some(({ at }) => at === newest.at);
  state.overview.now = { ...newest, low: known(newest.low), high: known(newest.high), is_anomaly };
}

async function loadEpisodes() {
  takeEpisodes(await json("/api/episodes", query()));
  draw();
}

/** Show the time that a finding is about; a selected calendar year may not have it. */
async function showSpan(from, to) {
  if (state.place.year) {
    state.place = { ...state.place, year: "", episode: null, from, to };
    await show();
  }
  view.span(from, to);
  byId("power-title").scrollIntoView({ block: "nearest" });
}

async function loadFigures() {
  state.overview = await json("/api/overview", query());
  tellNow();
  draw();
}

/** Reload the last two days: readings now in the lake have their expected range. */
async function loadLatestPart() {
  if (performance.now() - state.loadedAt > ALL_AGAIN_MS || !state.year.size) {
    await loadYear();
    return;
  }
  const from = Math.max(state.year.start, state.year.end - LATEST_PART);
  const isFollowing = view.isAtNewest();
  state.year.renew(await series({ ...query(), from, to: from + 3 * LATEST_PART }));
  state.stamp += 1;
  if (isFollowing) view.follow();
  draw();
}

function showYears({ years }) {
  const options = [element("option", { value: "" }, "last 12 months"), ...[...years].reverse().map((year) => element("option", { value: year }, String(year)))];
  fill(byId("year"), ...options);
  byId("year").value = state.place.year;
}

function draw() {
  if (!state.year) return;
  const meter = state.meters.find(({ name }) => name === state.place.meter);
  const interval = meter ? meter.interval_minutes : state.year.step / 60;
  showTiles(byId("tiles"), state.overview, { clock: state.clock, interval, currency: state.currency, colors: state.colors });
  list.show({ episodes: state.episodes, clock: state.clock, selected: state.place.episode });
  panels.show({ year: state.year, clock: state.clock, colors: state.colors, isPast: state.place.year !== "" });
  view.draw();
  const zone = state.place.tz === "utc" ? "UTC" : `the building's time (${meter ? meter.timezone : ""})`;
  byId("about").textContent = `Times are the start of each ${interval}-minute interval, in ${zone}. ${unitOfPower() === "kW" ? "Power" : `Flow, in ${unitOfPower()},`} is the mean over the interval.`;
}

function select(name, isNew) {
  state.place.episode = name;
  view.toEpisode(name);
  writePlace(state.place, isNew);
  draw();
  const item = document.querySelector(`[data-episode="${CSS.escape(name)}"] a`);
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}

function heardReadings(readings) {
  // A selected calendar year is not updated live.
  if (!state.year || state.place.year) return;
  const isFollowing = view.isAtNewest();
  if (state.year.size === 0 && state.meters.length) {
    figuresSoon();
  }
  state.year.add(readings);
  state.stamp += 1;
  tellNow();
  if (isFollowing) view.follow();
  drawSoon();
}

function heardEpisodes(episodes) {
  const last = episodes.at(-1);
  if (performance.now() - state.loadedAt > 3000) {
    byId("announcement").textContent = `Episode ${last.status}: ${last.explanation ?? ""}`;
  }
  episodesSoon();
}

function heardStanding(standing) {
  const { version } = standing;
  showStanding(standing);
  const isNewer = version && state.version && version !== state.version;
  state.version = version || state.version;
  if (isNewer) {
    partSoon();
    figuresSoon();
    episodesSoon();
    panelsSoon();
  }
}

function listen() {
  listenToCompare(() => state.place.meter);
  byId("choices").addEventListener("submit", (event) => event.preventDefault());
  byId("meter").addEventListener("change", (event) => go({ meter: event.target.value }));
  byId("year").addEventListener("change", (event) => go({ meter: state.place.meter, year: event.target.value }));
  byId("zone").addEventListener("change", (event) => {
    state.place.tz = event.target.value === "utc" ? "utc" : "";
    writePlace(state.place);
    takeClock();
    draw();
  });
  window.addEventListener("popstate", () => {
    state.place = { ...readPlace(), meter: readPlace().meter || state.meters[0].name };
    show();
  });
  onColorChange(() => {
    state.colors = colors();
    draw();
  });
}

function go({ meter, year = "" }) {
  state.fresh.clear();
  state.place = { meter, year, from: null, to: null, episode: null, tz: state.place.tz };
  writePlace(state.place, true);
  show();
}

// For the browser console and tests.
window.__page = { state, view, forecast: panels.forecast, loadEpisodes };
guarded(start);
