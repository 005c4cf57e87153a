/** Every request of the page to its server. */

import { unpack } from "./packed.js";

/** An error with a one-line message for the banner. */
export class ServerError extends Error {}

async function asked(path, query) {
  const parameters = new URLSearchParams(
    Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
  let response;
  try {
    const text = String(parameters);
    response = await fetch(text ? `${path}?${text}` : path);
  } catch {
    throw new ServerError("The page's server does not respond; the data shown may be outdated.");
  }
  if (!response.ok) {
    const said = await response.json().catch(() => ({ error: `${response.status}` }));
    throw new ServerError(said.error);
  }
  return response;
}

export const json = async (path, query = {}) => (await asked(path, query)).json();

export const series = async (query) => unpack(await (await asked("/api/series", query)).arrayBuffer());

/** Save a review of an episode. */
export const review = (given) => save("/api/reviews", given);

/** Set the state of a finding. */
export const setState = (finding, state) => save("/api/findings", { finding, state });

async function save(path, given) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(given),
  }).catch(() => null);
  if (!response) throw new ServerError("The page's server does not respond; nothing was saved.");
  if (!response.ok) throw new ServerError((await response.json()).error);
}

/** The URL of an export file. */
export function fileAddress(query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== "");
  return `/api/export?${new URLSearchParams(given)}`;
}
