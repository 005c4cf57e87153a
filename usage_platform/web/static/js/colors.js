/** The page's colours for canvases, which cannot use style sheets; read again when the colour scheme changes. */

const NAMES = ["paper", "ink", "quiet", "rule", "line", "band", "expected", "anomaly", "selected", "gap", "heat-least", "heat-most"];
const SERIES = Array.from({ length: 8 }, (none, at) => `series-${at + 1}`);

/** @returns {Record<string, string>} by name */
export function colors() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries([...NAMES, ...SERIES].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Call when the colour scheme changes or the page is printed. */
export function onColorChange(call) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", call);
  matchMedia("print").addEventListener("change", call);
}

/** Red, green and blue of `#rrggbb` or `#rgb`. */
export function rgb(color) {
  const hex = color.replace("#", "");
  const long = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
  return [0, 2, 4].map((at) => parseInt(long.slice(at, at + 2), 16));
}

/** 256 colours between two, as red, green, blue in one array. */
export function ramp(least, most) {
  const [from, to] = [rgb(least), rgb(most)];
  const table = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i += 1) {
    for (let part = 0; part < 3; part += 1) {
      table[i * 3 + part] = from[part] + ((to[part] - from[part]) * i) / 255;
    }
  }
  return table;
}
