/** The tiles at the top: latest reading, today, base load and peak, week, energy and cost, gaps. */

import { dayName, dayOf } from "./clock.js";
import { element, fill } from "./dom.js";
import { compared, count, duration, kw, kwh, leastTop, money, range, share, unitOfPower } from "./words.js";

/**
 * @param {HTMLElement} root keeps its heading
 * @param {object} overview the answer of `/api/overview`
 * @param {{clock: object, interval: number, currency: string, colors: object, isUtc: boolean}} how
 */
export function showTiles(root, overview, how) {
  const heading = root.querySelector("h2");
  fill(root, heading, now(overview.now, how), today(overview.day, how), shape(overview.shape, how), week(overview.week), month(overview, how), gaps(overview, how));
  const canvas = root.querySelector("canvas");
  if (canvas && overview.day) drawDay(canvas, overview.day, how.colors);
}

function tile(title, figure, ...lines) {
  return element("div", { class: "tile" }, element("h3", {}, title), element("p", { class: "figure" }, figure), ...lines.map((line) => (line instanceof Node || line === null ? line : element("p", {}, line))));
}

function now(said, { clock, interval }) {
  if (!said) return tile("Now", "–", "no reading yet");
  const made = tile("Latest reading", kw(said.kw), `expected ${range(said.low, said.high)}`, said.is_anomaly ? "anomaly: see the episodes" : verdict(said), `${clock.full(said.at)}, ${interval} min`);
  if (said.is_anomaly) made.classList.add("anomaly");
  return made;
}

function verdict({ kw: power, low, high }) {
  if (low === null) return "no expected range yet";
  return power >= low && power <= high ? "within the expected range" : "outside the expected range, below the threshold";
}

function today(said) {
  if (!said) return tile("Today", "–", "no reading yet");
  const name = dayName(dayOf(said.day));
  if (said.usual_kwh === null) return tile(name, kwh(said.energy_kwh), "no earlier day of this weekday to compare with");
  return tile(`${name} so far`, kwh(said.energy_kwh), `${compared(said.energy_kwh, said.usual_kwh)} ${kwh(said.usual_kwh)}, the median ${name.slice(0, 3)} up to this time`, element("canvas", { role: "img", "aria-label": `Power on ${name} and the median of ${said.days} days of the same weekday` }));
}

function shape(said, { clock }) {
  const at = said.peak_at === null ? "" : `, ${clock.date(said.peak_at)} ${clock.time(said.peak_at)}`;
  return tile("Base load, 30 days", kw(said.base_kw), `near peak ${kw(said.near_peak_kw)}`, `peak ${kw(said.peak_kw)}${at}`, `load factor ${share(said.load_factor)}`);
}

function week(said) {
  if (!said) return tile("Last 7 days", "–", "less than two weeks of readings");
  return tile("Last 7 whole days", kwh(said.energy_kwh), `${compared(said.energy_kwh, said.before_kwh)} the ${kwh(said.before_kwh)} of the 7 days before`, said.is_whole ? null : "readings are missing: the comparison is approximate");
}

function month({ days }, { currency }) {
  const name = days.length ? days.at(-1).day.slice(0, 7) : "";
  const own = days.filter((day) => day.day.startsWith(name));
  const energy = own.reduce((sum, day) => sum + day.energy_kwh, 0);
  const hasPrice = own.some((day) => day.cost !== null);
  const cost = own.reduce((sum, day) => sum + (day.cost ?? 0), 0);
  const title = name ? `This month (${name})` : "This month";
  if (!hasPrice) return tile(title, kwh(name ? energy : null), unitOfPower() === "kW" ? "set USAGE_TARIFF to show the cost" : "tariffs price kWh");
  return tile(title, kwh(energy), `${money(cost, currency)} at the tariff`);
}

function gaps({ readings, missing, gaps: stretches, longest_gap: longest }, { clock }) {
  const all = readings + missing;
  const part = all ? share(missing / all) : "–";
  const text = longest ? `longest ${duration(longest.end - longest.start)}, ${clock.date(longest.start)}` : "no gaps";
  return tile("Missing readings", part, `${count(missing)} of ${count(all)} in ${count(stretches)} gaps`, text);
}

function drawDay(canvas, { steps, usual_steps: usual }, colors) {
  const scale = devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * scale;
  canvas.height = canvas.clientHeight * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const most = Math.max(leastTop(), ...steps.map((power) => power ?? 0), ...usual.map((power) => power ?? 0));
  for (const [values, color, dash] of [[usual, colors.expected, [4, 3]], [steps, colors.line, []]]) {
    context.strokeStyle = color;
    context.setLineDash(dash);
    context.lineWidth = 1.4;
    context.beginPath();
    let isOn = false;
    values.forEach((power, i) => {
      const [x, y] = [(i / values.length) * canvas.clientWidth, (1 - (power ?? 0) / most) * (canvas.clientHeight - 3) + 1.5];
      if (power !== null && isOn) context.lineTo(x, y);
      else if (power !== null) context.moveTo(x, y);
      isOn = power !== null;
    });
    context.stroke();
  }
}
