/** A line of the last days without axes, as SVG: it prints, and follows the colour scheme. */

import { short } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 24;
const EDGE = 1.5;

function made(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/**
 * @param {(number | null)[]} line one value an hour; null where there is none, which is a break
 * @param {string} unit its unit
 * @returns {SVGElement}
 */
export function sparkline(line, unit) {
  const known = line.filter((value) => value !== null);
  const [least, most] = [Math.min(0, ...known), Math.max(0, ...known)];
  const scale = most > least ? (HEIGHT - 2 * EDGE) / (most - least) : 0;
  let path = "";
  let isOn = false;
  line.forEach((value, x) => {
    if (value !== null) path += `${isOn ? "L" : "M"}${x} ${(HEIGHT - EDGE - (value - least) * scale).toFixed(1)}`;
    isOn = value !== null;
  });
  const text = known.length ? `${short(Math.min(...known))} ${unit} to ${short(Math.max(...known))} ${unit}` : "no reading";
  const svg = made("svg", { class: "spark", viewBox: `0 0 ${line.length - 1} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `hourly means: ${text}` });
  svg.append(made("path", { d: path }));
  return svg;
}
