/** Decodes a packed series; the format is described in the server's `core/load/packed.py`. */

const ARRAYS = { int16: Int16Array, int32: Int32Array };
const LEAST = { int16: -32768, int32: -2147483648 };

/**
 * @typedef {{meter: string, start: number, step: number, value: Float64Array, low: Float64Array, high: Float64Array}} Series
 *   `start` in seconds since 1970 UTC, `step` in seconds, kW; NaN where there is no value
 */

/**
 * @param {ArrayBuffer} buffer
 * @returns {Series}
 */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const series = { meter: header.meter, start: header.start, step: header.step };
  let at = 4 + length;
  for (const { name, type, scale } of header.columns) {
    const moves = new ARRAYS[type](buffer, at, header.size);
    at += Math.ceil(moves.byteLength / 4) * 4;
    series[name] = summed(moves, LEAST[type], scale);
  }
  return series;
}

function summed(moves, least, scale) {
  const values = new Float64Array(moves.length);
  let sum = 0;
  for (let i = 0; i < moves.length; i += 1) {
    if (moves[i] === least) {
      values[i] = NaN;
    } else {
      sum += moves[i];
      values[i] = sum * scale;
    }
  }
  return values;
}
