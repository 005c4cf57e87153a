/** Formats numbers, units and durations. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
// Always one digit behind the point, so that the numbers of a column stand below each other.
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const tenthPercent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const UNKNOWN = "–";
const KW = { unit: "kW", amount: "kWh" };
let shown = KW;

/**
 * Take the units of what the page shows: of one meter, or of meters that share one.
 * @param {{unit: string, amount: string}} units such as m3/h and m3
 */
export const showIn = ({ unit, amount } = KW) => (shown = { unit, amount });

/** The unit of a reading, such as kW. */
export const unitOfPower = () => shown.unit;

/** The unit of an amount, such as kWh. */
export const unitOfAmount = () => shown.amount;

/** The least upper end of an axis: an hour of 1 kW is little, one of 1 m3/h is not. */
export const leastTop = () => (shown.unit === KW.unit ? 1 : 0.001);

/** Of other units than kW three digits below 100: tenths of m3/h are much. */
const digits = (usual) => ({ format: (value) => (shown.unit === KW.unit || Math.abs(value) >= 100 ? usual : three).format(value) });

const isKnown = (value) => value !== null && value !== undefined && !Number.isNaN(value);

/** `871.2 kW`. */
export const kw = (value) => (isKnown(value) ? `${digits(tenth).format(value)} ${shown.unit}` : UNKNOWN);

/** `820 to 905 kW`; `unknown` without an expected range. */
export const range = (low, high) =>
  isKnown(low) && isKnown(high) ? `${digits(whole).format(low)} to ${digits(whole).format(high)} ${shown.unit}` : "unknown";

/** `12,345 kWh`. */
export const kwh = (value) => (isKnown(value) ? `${digits(whole).format(value)} ${shown.amount}` : UNKNOWN);

/** `+850 kW`, `−40 kWh`. */
export const signed = (value, unit) => (isKnown(value) ? `${signedBy(digits(whole), value)} ${unit}` : UNKNOWN);

/** A number with its sign; without one if it is 0 as it is shown. */
function signedBy(format, value) {
  const size = format.format(Math.abs(value));
  return /[1-9]/.test(size) ? `${value < 0 ? "−" : "+"}${size}` : size;
}

/** `12,345`. */
export const count = (value) => whole.format(value);

/** `871.2`. */
export const number = (value) => (isKnown(value) ? digits(tenth).format(value) : UNKNOWN);

/** `3.1%`. */
export const share = (value) => (isKnown(value) ? percents.format(value) : UNKNOWN);

/** `+3.1%`, `−3.0%`. */
export const signedShare = (value) => (isKnown(value) ? signedBy(tenthPercent, value) : UNKNOWN);

/** `+850`, `−40`. */
export const signedNumber = (value) => (isKnown(value) ? signedBy(whole, value) : UNKNOWN);

/** `12,345`, `87.1`: whole from 100 on. */
export const short = (value) => (isKnown(value) ? (Math.abs(value) >= 100 ? whole : digits(tenth)).format(value) : UNKNOWN);

/** `3 min`, `5 h`, `12 d`: the largest unit alone. */
export function age(seconds) {
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([long]) => seconds >= 2 * long || long === 60);
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

/** `3.1% more than`, `the same as`: compares a value with another. */
export function compared(value, other) {
  if (!isKnown(value) || value < 0 || !(other > 0)) return "cannot be compared with";
  const change = value / other - 1;
  if (Math.abs(change) < 0.0005) return "the same as";
  return `${percents.format(Math.abs(change))} ${change < 0 ? "less" : "more"} than`;
}

/** `$1,234`, `$3.42`: in a currency, whole from 10 on. */
export function money(value, currency) {
  if (!isKnown(value)) return UNKNOWN;
  const digits = Math.abs(value) >= 10 || value === 0 ? { maximumFractionDigits: 0 } : {};
  return new Intl.NumberFormat("en", { style: "currency", currency, ...digits }).format(value);
}

/** `2 h 5 min`. */
export function duration(seconds) {
  const minutes = Math.round(seconds / 60);
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor((minutes % 1440) / 60), "h"],
    [minutes % 60, "min"],
  ];
  const said = parts.filter(([amount]) => amount).map(([amount, unit]) => `${amount} ${unit}`);
  return said.length ? said.join(" ") : "0 min";
}
