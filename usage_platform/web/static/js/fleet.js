/** The page of all meters: loads a page of rows, the groups and the map, and keeps them up to date. */

import { json } from "./api.js";
import { guarded, showProblem } from "./banner.js";
import { Clock } from "./clock.js";
import { atMostEvery, byId, element, fill } from "./dom.js";
import { FleetFindings } from "./fleet_findings.js";
import { FleetGroups } from "./fleet_groups.js";
import { readFleetPlace, writeFleetPlace } from "./fleet_place.js";
import { FleetSelection } from "./fleet_selection.js";
import { FleetTable } from "./fleet_table.js";
import { hearStanding } from "./standing.js";
import { Treemap } from "./treemap.js";
import { age, count } from "./words.js";

const PAGE_ROWS = 50;
const REFRESH_MS = 10_000;
const TYPED_MS = 150;
const FILTERS = [
  ["all", "All"],
  ["open", "With open episodes"],
  ["silent", "Silent"],
  ["incomplete", "Incomplete"],
];
const SORTED = {
  rank: ", those with most energy above or below the expected one first",
  at_stake: ", by what they cost above the expected energy",
};
const ASCENDING_FIRST = ["name", "completeness", "newest"];

const state = { place: readFleetPlace(), page: null, version: "", asked: 0 };

const selection = new FleetSelection(byId("selection"));
const table = new FleetTable(byId("meters-table"), sortBy, selection);
const groups = new FleetGroups(byId("groups"), guarded);
const treemap = new Treemap(byId("map"), byId("map-legend"));
const findings = new FleetFindings({ section: byId("findings"), list: byId("findings-list"), said: byId("findings-said") });
const refreshSoon = atMostEvery(REFRESH_MS, () => guarded(load));
const searchSoon = atMostEvery(TYPED_MS, () => change({ search: byId("search").value.trim() }));

async function load() {
  state.asked += 1;
  const { asked } = state;
  const [page, map] = await Promise.all([json("/api/fleet", state.place), json("/api/fleet/map"), findings.load()]);
  if (asked !== state.asked) return;
  state.page = page;
  treemap.show(map);
  draw();
}

async function loadRows() {
  state.asked += 1;
  const { asked } = state;
  const page = await json("/api/fleet", state.place);
  if (asked !== state.asked) return;
  state.page = page;
  draw();
}

/** Change what is shown; a new choice begins at its first page. */
function change(chosen) {
  state.place = { ...state.place, page: "1", ...chosen };
  writeFleetPlace(state.place);
  return guarded(loadRows);
}

function sortBy(sort) {
  const isSame = state.page?.sort === sort;
  const first = ASCENDING_FIRST.includes(sort) ? "asc" : "desc";
  const order = isSame ? (state.place.order === "desc" ? "asc" : "desc") : first;
  change({ sort, order });
}

function draw() {
  const { page, place } = state;
  table.show(page, place);
  groups.show(page.groups, page.version);
  showProblem("groups", page.groups_error);
  byId("as-of").textContent = asOf(page);
  const first = (page.page - 1) * PAGE_ROWS;
  byId("matched").textContent = page.matched ? `Meters ${count(first + 1)} to ${count(first + page.rows.length)} of ${count(page.matched)}${SORTED[page.sort] ?? ""}` : "No meter matches.";
  byId("pages").hidden = page.pages < 2;
  byId("page-before").disabled = page.page <= 1;
  byId("page-after").disabled = page.page >= page.pages;
  for (const button of byId("filters").children) {
    const { show } = button.dataset;
    button.textContent = `${FILTERS.find(([name]) => name === show)[1]} (${count(page.counts[show])})`;
    button.setAttribute("aria-pressed", String(show === place.show));
  }
}

function asOf({ newest, as_of: at }) {
  if (newest === null) return "No readings yet.";
  const behind = at - newest;
  return `Newest reading ${Clock.utc().full(newest)}${behind >= 3600 ? `, ${age(behind)} ago` : ""}`;
}

function turn(by) {
  change({ page: String(state.page.page + by) });
  byId("meters").scrollIntoView({ block: "start" });
}

function listen() {
  fill(byId("filters"), ...FILTERS.map(([show, text]) => element("button", { type: "button", "data-show": show, "aria-pressed": "false", onclick: () => change({ show }) }, text)));
  byId("search").value = state.place.search;
  byId("search").addEventListener("input", searchSoon);
  byId("search-form").addEventListener("submit", (event) => event.preventDefault());
  byId("page-before").addEventListener("click", () => turn(-1));
  byId("page-after").addEventListener("click", () => turn(1));
  byId("all-columns").addEventListener("click", (event) => {
    const isAll = byId("meters-table").classList.toggle("all");
    byId("groups-table").classList.toggle("all", isAll);
    event.target.setAttribute("aria-pressed", String(isAll));
  });
  hearStanding(heardVersion);
  // The server may answer with the rows of a moment ago while it makes new ones.
  setInterval(refreshSoon, 3 * REFRESH_MS);
}

function heardVersion(version) {
  if (version && state.version && version !== state.version) refreshSoon();
  state.version = version || state.version;
}

async function start() {
  listen();
  await guarded(load);
  document.documentElement.dataset.ready = "true";
}

// For the browser console and tests.
window.__fleet = { state, treemap };
start();
