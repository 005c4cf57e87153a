/** Anomalies as shapes (triangle up or down, square), so that colour is never the only cue. */

export const SHAPES = { above: "▲", below: "▼", at: "■" };

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y where the reading is
 * @param {number} size
 * @param {string} direction above, below or at the expected value
 */
export function drawMark(context, x, y, size, direction) {
  context.beginPath();
  if (direction === "at") {
    context.rect(x - size * 0.7, y - size * 0.7, size * 1.4, size * 1.4);
  } else {
    const tip = direction === "below" ? size : -size;
    context.moveTo(x, y + tip);
    context.lineTo(x + size, y - tip * 0.8);
    context.lineTo(x - size, y - tip * 0.8);
    context.closePath();
  }
  context.fill();
}
