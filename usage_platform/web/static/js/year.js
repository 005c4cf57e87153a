/** A meter's readings in memory, updated by live readings. */

const GROWTH = 2000;

export class Year {
  /** @param {import("./packed.js").Series} series */
  constructor(series) {
    this.start = series.start;
    this.step = series.step;
    this.size = series.value.length;
    this.columns = { value: series.value, low: series.low, high: series.high };
    this.byDay = new Map();
  }

  /** The end of the last interval. */
  get end() {
    return this.start + this.size * this.step;
  }

  /** The index of the interval that contains an instant. */
  place(t) {
    return Math.floor((t - this.start) / this.step);
  }

  /** The reading and expected range at an index. */
  at(place) {
    const { value, low, high } = this.columns;
    return { at: this.start + place * this.step, kw: value[place], low: low[place], high: high[place] };
  }

  /** The newest reading; null without one. */
  newest() {
    for (let place = this.size - 1; place >= 0; place -= 1) {
      if (!Number.isNaN(this.columns.value[place])) return this.at(place);
    }
    return null;
  }

  /**
   * Add live readings; their expected range may arrive later.
   * @param {{at: number, kw: number, low?: number, high?: number}[]} readings
   */
  add(readings) {
    for (const { at, kw, low, high } of readings) {
      if (this.size === 0) this.start = at;
      const place = this.place(at);
      if (place >= 0) {
        this.reach(place);
        this.columns.value[place] = kw;
        if (low !== undefined && low !== null) [this.columns.low[place], this.columns.high[place]] = [low, high];
      }
    }
    this.byDay.clear();
  }

  /** Replace the last part by a newer version. @param {import("./packed.js").Series} series */
  renew(series) {
    if (series.value.length === 0) return;
    const first = this.size ? this.place(series.start) : 0;
    if (this.size === 0) this.start = series.start;
    if (first < 0) return;
    this.reach(first + series.value.length - 1);
    for (const name of Object.keys(this.columns)) {
      series[name].forEach((kw, i) => {
        // A live reading may not be in the lake yet.
        if (name !== "value" || !Number.isNaN(kw)) this.columns[name][first + i] = kw;
      });
    }
    this.byDay.clear();
  }

  reach(place) {
    const needed = place + 1;
    for (const [name, column] of Object.entries(this.columns)) {
      if (needed > column.length) {
        const longer = new Float64Array(needed + GROWTH).fill(NaN);
        longer.set(column.subarray(0, this.size));
        this.columns[name] = longer;
      }
    }
    this.size = Math.max(this.size, needed);
  }

  /** The readings of a range in uPlot's format: times, low, high, value; null where there is none. */
  readings(from, to) {
    const first = Math.max(0, this.place(from));
    const last = Math.min(this.size, this.place(to) + 1);
    const [times, low, high, value] = [[], [], [], []];
    for (let place = first; place < last; place += 1) {
      times.push(this.start + place * this.step);
      low.push(known(this.columns.low[place]));
      high.push(known(this.columns.high[place]));
      value.push(known(this.columns.value[place]));
    }
    return [times, low, high, value];
  }

  /**
   * Daily values: noon, minimum, maximum, mean, mean expected value; null where there is none.
   * @param {import("./clock.js").Clock} clock
   */
  days(clock) {
    if (!this.byDay.has(clock)) this.byDay.set(clock, this.summedByDay(clock));
    return this.byDay.get(clock);
  }

  summedByDay(clock) {
    const days = [];
    let own = null;
    for (let place = 0; place < this.size; place += 1) {
      const t = this.start + place * this.step;
      const day = clock.day(t);
      if (!own || own.day !== day) {
        own = { day, n: 0, sum: 0, least: Infinity, most: -Infinity, expected: 0, judged: 0 };
        days.push(own);
      }
      const kw = this.columns.value[place];
      if (!Number.isNaN(kw)) {
        own.n += 1;
        own.sum += kw;
        own.least = Math.min(own.least, kw);
        own.most = Math.max(own.most, kw);
      }
      const middle = (this.columns.low[place] + this.columns.high[place]) / 2;
      if (!Number.isNaN(middle)) {
        own.expected += middle;
        own.judged += 1;
      }
    }
    return [
      days.map((day) => clock.dayStart(day.day) + 43200),
      days.map((day) => (day.n ? day.least : null)),
      days.map((day) => (day.n ? day.most : null)),
      days.map((day) => (day.n ? day.sum / day.n : null)),
      days.map((day) => (day.judged ? day.expected / day.judged : null)),
    ];
  }
}

const known = (kw) => (Number.isNaN(kw) ? null : kw);
