/** A heat map on a canvas, with labels at two sides. */

import { ramp } from "./colors.js";

const LEFT = 44;
const BOTTOM = 20;
const TOP = 4;
const SAMPLE = 5000;
const OUTSIDE = 0.01;

/**
 * @typedef {object} Heat
 * @property {number} columns
 * @property {number} rows
 * @property {Float64Array} cells row by row; NaN where there is no value
 * @property {{at: number, text: string}[]} across labels below, at a column
 * @property {{at: number, text: string}[]} down labels at the left, at a row
 * @property {Record<string, string>} colors
 * @property {number} [space] pixels between cells
 */

/** The area of the cells on a canvas, in CSS pixels. */
export function cellBox(canvas) {
  return { left: LEFT, top: TOP, width: canvas.clientWidth - LEFT - 2, height: canvas.clientHeight - TOP - BOTTOM };
}

/** The range of the colour scale: the 1 % and 99 % quantiles, so that outliers do not take most colours. */
export function ends(cells) {
  const every = Math.max(1, Math.floor(cells.length / SAMPLE));
  const some = cells.filter((value, i) => i % every === 0 && !Number.isNaN(value)).sort();
  if (!some.length) return [0, 0];
  const at = (part) => some[Math.round(part * (some.length - 1))];
  return [at(OUTSIDE), at(1 - OUTSIDE)];
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Heat} heat
 * @returns {CanvasRenderingContext2D} in CSS pixels, for drawing on top
 */
export function drawHeat(canvas, heat) {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(canvas.clientHeight * scale);
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  const box = cellBox(canvas);
  context.imageSmoothingEnabled = false;
  if (heat.columns && heat.rows) {
    if (heat.space) drawApart(context, box, heat);
    else context.drawImage(image(heat), box.left, box.top, box.width, box.height);
  }
  drawNames(context, box, heat);
  return context;
}

function colorOf(value, [least, most], table) {
  const part = most > least ? Math.min(1, Math.max(0, (value - least) / (most - least))) : 0;
  const i = Math.round(part * 255) * 3;
  return [table[i], table[i + 1], table[i + 2]];
}

function image({ columns, rows, cells, colors }) {
  const made = new OffscreenCanvas(columns, rows);
  const context = made.getContext("2d");
  const pixels = context.createImageData(columns, rows);
  const span = ends(cells);
  const table = ramp(colors["heat-least"], colors["heat-most"]);
  for (let i = 0; i < cells.length; i += 1) {
    if (!Number.isNaN(cells[i])) {
      pixels.data.set(colorOf(cells[i], span, table), i * 4);
      pixels.data[i * 4 + 3] = 255;
    }
  }
  context.putImageData(pixels, 0, 0);
  return made;
}

function drawApart(context, box, { columns, rows, cells, colors, space }) {
  const span = ends(cells);
  const table = ramp(colors["heat-least"], colors["heat-most"]);
  const [width, height] = [box.width / columns, box.height / rows];
  for (let i = 0; i < cells.length; i += 1) {
    if (Number.isNaN(cells[i])) continue;
    const [x, y] = [box.left + (i % columns) * width, box.top + Math.floor(i / columns) * height];
    context.fillStyle = `rgb(${colorOf(cells[i], span, table).join(" ")})`;
    context.fillRect(x, y, width - space, height - space);
  }
}

function drawNames(context, box, { columns, rows, across, down, colors }) {
  context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  context.fillStyle = colors.quiet;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const { at, text } of down) context.fillText(text, box.left - 6, box.top + (at / rows) * box.height);
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  let free = 0;
  for (const { at, text } of across) {
    const x = box.left + (at / columns) * box.width;
    const fits = x >= free && x + context.measureText(text).width <= box.left + box.width + 2;
    if (fits) {
      context.fillText(text, x, box.top + box.height + 15);
      free = x + context.measureText(text).width + 10;
    }
  }
}
