/** Creates elements from names, properties and children. Text is never parsed as markup. */

/** @returns {HTMLElement} */
export const byId = (id) => document.getElementById(id);

/**
 * @param {string} name
 * @param {Record<string, unknown>} [properties] attributes; functions are listeners such as `onclick`
 * @param {...(Node | string | null)} children
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Replace an element's children. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null));
}

/** Throttle: call at most once per interval; the last call is never dropped. */
export function atMostEvery(milliseconds, call) {
  let timer = null;
  let last = -Infinity;
  return () => {
    if (timer !== null) return;
    const wait = Math.max(0, last + milliseconds - performance.now());
    timer = setTimeout(() => {
      timer = null;
      last = performance.now();
      call();
    }, wait);
  };
}

/** Call when the browser has nothing else to do, after two seconds at the latest; Safari cannot tell. */
export function whenIdle(call) {
  if (window.requestIdleCallback) window.requestIdleCallback(call, { timeout: 2000 });
  else setTimeout(call);
}

/** Run an action that recreates elements; restore focus and text cursor afterwards. */
export function keepingFocus(act) {
  const { id, selectionStart, selectionEnd } = document.activeElement ?? {};
  act();
  const again = id ? document.getElementById(id) : null;
  if (!again || again === document.activeElement) return;
  again.focus({ preventScroll: true });
  if (typeof selectionStart === "number") again.setSelectionRange(selectionStart, selectionEnd);
}
