/** Sites, buildings and virtual meters as rows that open: a site shows its buildings, a building its meters. */

import { json } from "./api.js";
import { element, fill } from "./dom.js";
import { meterLink } from "./fleet_table.js";
import { count, kw, share, short } from "./words.js";

const HEADS = [["Group", false], ["Kind", true], ["m²", true], ["kWh 7 d", false], ["hours counted", false], ["mean power", true], ["kWh 30 d", true], ["hours counted", true], ["kWh/m² 30 d", true], ["Chart", false]];
const cell = (text, isMore) => element("td", { class: isMore ? "more" : "" }, text);

/** The share of the hours that count, and in words whether some do not. */
function counted(sum) {
  if (!sum.hours) return "–";
  const isWhole = sum.complete_hours === sum.hours;
  return element("span", { class: isWhole ? "" : "over" }, isWhole ? "all" : `${count(sum.complete_hours)} of ${count(sum.hours)}`);
}

/** Links to the charts of a group: its parts, and its own page if it has readings as a meter. */
function charts(group) {
  const to = (href, label, text) => element("a", { href, "aria-label": `${label} of ${group.name}` }, text);
  const parts = to(`/parts?${new URLSearchParams({ name: group.name })}`, "Parts", "parts");
  if (!group.is_meter) return [parts];
  return [to(`/?${new URLSearchParams({ meter: group.name })}`, "Sum", "sum"), " ", parts];
}

export class FleetGroups {
  /**
   * @param {HTMLElement} section
   * @param {(act: () => Promise<void>) => Promise<void>} guarded
   */
  constructor(section, guarded) {
    this.section = section;
    this.guarded = guarded;
    this.opened = new Map();
    this.body = element("tbody", {});
    const heads = HEADS.map(([text, isMore]) => element("th", { scope: "col", class: isMore ? "more" : "" }, text));
    fill(section.querySelector("table"), element("caption", { class: "hidden" }, "Groups of meters"), element("thead", {}, element("tr", {}, ...heads)), this.body);
  }

  /** @param {object[]} groups of the answer of `/api/fleet` */
  show(groups, version) {
    this.section.hidden = !groups.length;
    if (this.version === version) return;
    this.version = version;
    this.groups = groups;
    this.draw();
    for (const name of this.opened.keys()) if (this.group(name)?.kind !== "site") this.load(name);
  }

  group(name) {
    return this.groups.find((one) => one.name === name);
  }

  draw() {
    const focused = document.activeElement?.dataset?.group;
    const rows = [];
    for (const group of this.groups) {
      if (group.parent === null || this.opened.has(group.parent)) {
        rows.push(this.row(group));
        const meters = this.opened.get(group.name);
        if (group.kind !== "site" && meters) rows.push(...meters.map((meter) => meterRow(meter, group)));
      }
    }
    fill(this.body, ...rows);
    if (focused) this.body.querySelector(`[data-group="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  row(group) {
    const isOpen = this.opened.has(group.name);
    const button = element("button", { type: "button", "data-group": group.name, "aria-expanded": String(isOpen), onclick: () => this.toggle(group) }, `${isOpen ? "▾" : "▸"} ${group.name}`);
    const { week, month } = group;
    return element(
      "tr",
      { class: group.parent === null ? "" : "level-1" },
      element("th", { scope: "row" }, button),
      cell(group.use || group.kind, true),
      cell(short(group.area_m2), true),
      cell(short(week.kwh), false),
      cell(counted(week), false),
      cell(kw(week.mean_kw), true),
      cell(short(month.kwh), true),
      cell(counted(month), true),
      cell(short(group.kwh_per_m2), true),
      element("td", {}, ...charts(group)),
    );
  }

  async toggle(group) {
    if (this.opened.delete(group.name)) this.draw();
    else if (group.kind === "site") {
      this.opened.set(group.name, []);
      this.draw();
    } else await this.load(group.name);
  }

  load(name) {
    return this.guarded(async () => {
      const { rows } = await json("/api/fleet/group", { name });
      this.opened.set(name, rows);
      this.draw();
    });
  }
}

function meterRow(meter, group) {
  return element(
    "tr",
    { class: group.parent === null ? "level-1" : "level-2" },
    element("th", { scope: "row" }, meterLink(meter.name), meter.is_silent ? element("span", { class: "badge" }, "silent") : null),
    cell("meter", true),
    cell("", true),
    cell(short(meter.week.kwh), false),
    cell(`${share(meter.completeness)} complete`, false),
    cell("", true),
    cell(short(meter.month.kwh), true),
    cell("", true),
    cell(short(meter.kwh_per_m2), true),
    cell("", false),
  );
}
