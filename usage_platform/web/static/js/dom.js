/** Elements from names, properties and children. Text stays text: nothing here reads markup. */

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

/** Put other children in the place of an element's. */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null));
}

/** Call no more often than once in a while; the last call always comes. */
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
