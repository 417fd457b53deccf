// Bodies of JSON that anyone may have sent.

import { GraftError } from "../../../core/errors.ts";
import type { Exchange } from "../../http/exchange.ts";
import { readBody } from "../../http/request_body.ts";

/** A thousand ids of volumes are less than half of it. */
const BODY_BYTES_MAX = 64 * 1024;

/** The fields of the request's body; none where it is empty. */
export async function readJsonObject(exchange: Exchange): Promise<Record<string, unknown>> {
  const body = await readBody(exchange, BODY_BYTES_MAX);
  return body.length === 0 ? {} : parseJsonObject(body);
}

function parseJsonObject(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new GraftError("invalid", "Cannot read the request: its body is not JSON", { cause });
  }
  throw new GraftError("invalid", "Cannot read the request: its body is no JSON object");
}
