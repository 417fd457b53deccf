/**
 * Calls to a running server.
 *
 * @module
 */

import type { Command } from "commander";
import { GraftError, type GraftErrorCode } from "../../core/errors.ts";
import { UsageError } from "./failure.ts";
import { readVariable } from "./variables.ts";

/** Flags of every command that talks to a server. */
export interface ServerFlags {
  /** The server's URL. */
  readonly server?: string;
  /** The token to send. */
  readonly token?: string;
  /** Whether the output is for a program. */
  readonly json?: boolean;
}

const SERVER_DEFAULT = "http://127.0.0.1:3000";
const TIMEOUT_MS = 60_000;

/** Adds the flags of {@linkcode ServerFlags} to a command. */
export function addServerFlags(command: Command): Command {
  return command
    .option("--server <url>", `the server (variable GRAFT_SERVER; default ${SERVER_DEFAULT})`)
    .option("--token <token>", "the token to send (variable GRAFT_TOKEN)")
    .option("--json", "print JSON");
}

/** A volume at one LSN, as the server's JSON has it. */
export interface SnapshotJson {
  /** The volume. */
  readonly vid: string;
  /** The client that committed. */
  readonly cid: string;
  /** Its place in the volume's line. */
  readonly lsn: number;
  /** The oldest LSN that is still readable. */
  readonly checkpointLsn: number;
  /** How many pages the volume has. */
  readonly pageCount: number;
  /** When it was committed: RFC 3339, UTC. */
  readonly timestamp: string;
}

/** A server, as commands call it. */
export class ServerApi {
  readonly #base: URL;
  readonly #token: string | undefined;

  /** @throws {UsageError} When the server's URL is none. */
  constructor(flags: ServerFlags) {
    const server = flags.server ?? readVariable("GRAFT_SERVER") ?? SERVER_DEFAULT;
    const base = URL.parse(server);
    if (base === null || !/^https?:$/.test(base.protocol)) {
      throw new UsageError(`Cannot call the server "${server}": it is no http or https URL`);
    }
    this.#base = base;
    this.#token = flags.token ?? readVariable("GRAFT_TOKEN");
  }

  /**
   * Calls a route and returns its JSON.
   *
   * @param path Below the server's URL, without a leading slash.
   * @param query Parameters; undefined ones are left out.
   * @throws {GraftError} What the server answered; `unavailable` when it did not.
   */
  async call<T>(
    method: "GET" | "POST",
    path: string,
    query: Record<string, string | number | undefined> = {},
  ): Promise<T> {
    const url = new URL(path, this.#base.href.replace(/\/?$/, "/"));
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const response = await this.#fetch(method, url);
    const body = await response.text();
    if (!response.ok) throw toError(response.status, body);
    return parseJson(url, body) as T;
  }

  async #fetch(method: string, url: URL): Promise<Response> {
    const headers = this.#token === undefined
      ? undefined
      : { authorization: `Bearer ${this.#token}` };
    try {
      return await fetch(url, { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (cause) {
      const state = cause instanceof Error ? cause.message : String(cause);
      throw new GraftError("unavailable", `Cannot reach the server at ${url.origin}: ${state}`, {
        cause,
        hint: "Start one with: graft serve, or name another with --server",
      });
    }
  }
}

function parseJson(url: URL, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new GraftError("internal", `Cannot read the answer of ${url.origin}: it is not JSON`, {
      cause,
      hint: "Is that a Graft server?",
    });
  }
}

const CODE_OF_STATUS: Readonly<Record<number, GraftErrorCode>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "missing",
  409: "conflict",
  503: "unavailable",
};

/** The status decides; a body that is no problem (a proxy's, say) is quoted only where it is short. */
function toError(status: number, body: string): GraftError {
  const code = CODE_OF_STATUS[status] ?? "internal";
  try {
    const { detail, hint } = JSON.parse(body);
    if (typeof detail === "string") {
      return new GraftError(code, detail, { hint: typeof hint === "string" ? hint : undefined });
    }
  } catch {
    // not JSON: fall through to what is known
  }
  return new GraftError(code, `Cannot complete the call: the server answered ${status}`);
}
