/**
 * What a server says of itself.
 *
 * @module
 */

import type { Endpoints } from "./calls.ts";

/** The value of a metric without labels, by its full name. */
export async function metric(to: Endpoints, name: string): Promise<number> {
  const response = await fetch(`${to.metastore}/metrics`);
  const text = await response.text();
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  if (line === undefined) throw new Error(`The server has no metric ${name}`);
  return Number(line.slice(name.length));
}

/** Bytes of memory reserved for request bodies. */
export function ingestBytes(to: Endpoints): Promise<number> {
  return metric(to, "graft_ingest_bytes");
}
