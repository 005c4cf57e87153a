/** The banner: what does not work, one line for each cause. */

import { ServerError } from "./api.js";
import { byId } from "./dom.js";

const problems = { load: "", brokers: "", lake: "", connection: "", groups: "" };

/** Show a problem; an empty text means that it is over. */
export function showProblem(name, text) {
  problems[name] = text;
  const said = Object.values(problems).filter(Boolean).join(" ");
  const banner = byId("banner");
  banner.hidden = !said;
  if (banner.textContent !== said) banner.textContent = said;
}

/** Run an action that calls the server; show an error in the banner. */
export async function guarded(act) {
  try {
    await act();
    showProblem("load", "");
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    showProblem("load", error.message);
  }
}
