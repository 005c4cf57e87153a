/** How up to eight lines are told apart: by colour, dashes and width, so that colour is never the only cue. */

const SVG = "http://www.w3.org/2000/svg";
const DASHES = [[], [9, 4], [3, 3], [12, 3, 2, 3]];

/** The line at a position. @returns {{stroke: string, width: number, dash: number[]}} */
export function lineStyle(at, colors) {
  return { stroke: colors[`series-${at + 1}`], width: at < DASHES.length ? 1.6 : 2.8, dash: DASHES[at % DASHES.length] };
}

/** A piece of the line at a position, for legends. */
export function lineKey(at, colors) {
  const { stroke, width, dash } = lineStyle(at, colors);
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ class: "line-key", viewBox: "0 0 34 8", "aria-hidden": "true" })) svg.setAttribute(name, value);
  for (const [name, value] of Object.entries({ d: "M1 4H33", stroke, "stroke-width": width, "stroke-dasharray": dash.join(" ") })) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}
