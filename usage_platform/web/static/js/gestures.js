/** Pans and zooms a chart by wheel, touch and keys. */

/**
 * @typedef {object} Moves
 * @property {(share: number) => void} pan by a share of the time range; positive is later
 * @property {(factor: number, where: number) => void} multiply the range by a factor around a position from 0 to 1
 */

/**
 * Ctrl and wheel zoom, a sideways wheel pans; two fingers zoom, one finger pans.
 * @param {HTMLElement} root
 * @param {Moves} moves
 */
export function onGestures(root, { pan, zoom }) {
  const where = (x) => {
    const box = (root.querySelector(".u-over") ?? root).getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - box.left) / box.width));
  };
  root.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) zoom(Math.exp(event.deltaY / 250), where(event.clientX));
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / root.clientWidth);
      else return;
      event.preventDefault();
    },
    { passive: false },
  );
  onTouch(root, { pan, zoom }, where);
}

function onTouch(root, { pan, zoom }, where) {
  const touches = new Map();
  const apart = () => {
    const [one, other] = [...touches.values()];
    return Math.max(20, Math.abs(one - other));
  };
  root.addEventListener(
    "pointerdown",
    (event) => {
      if (event.pointerType !== "touch") return;
      touches.set(event.pointerId, event.clientX);
      // Otherwise uPlot would start a selection.
      event.stopPropagation();
    },
    true,
  );
  root.addEventListener("pointermove", (event) => {
    if (!touches.has(event.pointerId)) return;
    const before = touches.get(event.pointerId);
    if (touches.size === 1) {
      pan((before - event.clientX) / root.clientWidth);
      touches.set(event.pointerId, event.clientX);
    } else {
      const wide = apart();
      touches.set(event.pointerId, event.clientX);
      zoom(wide / apart(), where(event.clientX));
    }
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
    root.addEventListener(end, (event) => touches.delete(event.pointerId));
  }
}

/**
 * Keys on a focused chart.
 * @param {HTMLElement} root
 * @param {Moves & {step: (by: number) => void, toEnd: (last: boolean) => void}} moves
 */
export function onKeys(root, { pan, zoom, step, toEnd }) {
  const acts = {
    ArrowLeft: (event) => (event.shiftKey ? pan(-0.25) : step(-1)),
    ArrowRight: (event) => (event.shiftKey ? pan(0.25) : step(1)),
    PageUp: () => pan(-1),
    PageDown: () => pan(1),
    Home: () => toEnd(false),
    End: () => toEnd(true),
    "+": () => zoom(0.5, 0.5),
    "=": () => zoom(0.5, 0.5),
    "-": () => zoom(2, 0.5),
  };
  root.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? null : acts[event.key];
    if (!act) return;
    act(event);
    event.preventDefault();
  });
}
