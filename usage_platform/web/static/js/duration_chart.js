/** The load duration curve: hours at or above each power level. */

import { powerRange } from "./power_chart.js";
import { unitOfPower } from "./words.js";

export class DurationChart {
  constructor(root) {
    this.root = root;
    this.plot = null;
    new ResizeObserver(() => {
      if (this.plot && root.clientWidth) this.plot.setSize({ width: root.clientWidth, height: root.clientHeight });
    }).observe(root);
  }

  /** @param {{hours: number[], kw: number[]}} duration */
  show({ hours, kw }, colors) {
    this.plot?.destroy();
    const grid = { stroke: colors.rule, width: 1 };
    const options = {
      width: this.root.clientWidth,
      height: this.root.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: powerRange } },
      axes: [
        { stroke: colors.quiet, grid, ticks: grid, label: "hours", labelSize: 18 },
        { stroke: colors.quiet, grid, ticks: grid, size: 56, label: unitOfPower(), labelSize: 18 },
      ],
      series: [{}, { stroke: colors.line, width: 1.6, fill: colors.band, points: { show: false } }],
    };
    this.plot = new uPlot(options, [hours, kw], this.root);
  }
}
