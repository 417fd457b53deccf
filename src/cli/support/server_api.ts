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
/** Bytes of a body that are handed over at once. */
const CHUNK_BYTES = 64 * 1024;

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

/** The body of a request. */
export interface SentBody {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What they are. */
  readonly mediaType: string;
  /** Gives the call up; it then rejects with GraftError `aborted`. */
  readonly signal: AbortSignal;
}

/** Where a server is, and what it is told. */
export interface ServerAddress {
  /** Its URL. */
  readonly url: URL;
  /** The token to send; undefined: none. */
  readonly token: string | undefined;
}

/**
 * The server that flags and variables name.
 *
 * @throws {UsageError} When its URL is none.
 */
export function serverAddress(flags: ServerFlags): ServerAddress {
  const server = flags.server ?? readVariable("GRAFT_SERVER") ?? SERVER_DEFAULT;
  const url = URL.parse(server);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`Cannot call the server "${server}": it is no http or https URL`);
  }
  return { url, token: flags.token ?? readVariable("GRAFT_TOKEN") };
}

/** A server, as commands call it. */
export class ServerApi {
  readonly #base: URL;
  readonly #token: string | undefined;

  /** @throws {UsageError} When the server's URL is none. */
  constructor(flags: ServerFlags) {
    const { url, token } = serverAddress(flags);
    this.#base = url;
    this.#token = token;
  }

  /**
   * Calls a route and returns its JSON.
   *
   * @param path Below the server's URL, without a leading slash.
   * @param query Parameters; undefined ones are left out.
   * @param sent What the request carries; undefined: nothing.
   * @throws {GraftError} What the server answered; `unavailable` when it did not, or is no Graft server.
   */
  async call<T>(
    method: "GET" | "POST",
    path: string,
    query: Record<string, string | number | undefined> = {},
    sent?: SentBody,
  ): Promise<T> {
    const url = new URL(path, this.#base.href.replace(/\/?$/, "/"));
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { response, text } = await this.#fetch(method, url, sent);
    const mediaType = response.headers.get("content-type")?.split(";", 1)[0].trim();
    const body = parseJson(text);
    if (response.ok && mediaType === "application/json" && body !== undefined) return body as T;
    const problem = mediaType === "application/problem+json" ? body : undefined;
    throw toError(response.status, problem) ?? this.#stranger();
  }

  #stranger(): GraftError {
    return new GraftError(
      "unavailable",
      `Cannot call the server: "${this.#base.href}" does not answer like a Graft server`,
      { hint: "Give the URL of one that has the role all or metastore with --server" },
    );
  }

  async #fetch(
    method: string,
    url: URL,
    sent: SentBody | undefined,
  ): Promise<{ response: Response; text: string }> {
    const headers = new Headers();
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    if (sent !== undefined) headers.set("content-type", sent.mediaType);
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const signal = sent === undefined ? limit : AbortSignal.any([limit, sent.signal]);
    try {
      const response = await fetch(url, { method, headers, body: streamOf(sent?.bytes), signal });
      return { response, text: await response.text() };
    } catch (cause) {
      if (sent?.signal.aborted) {
        throw new GraftError("aborted", `Cannot call the server at ${url.origin}: it was given up`);
      }
      const state = cause instanceof Error ? cause.message : String(cause);
      throw new GraftError("unavailable", `Cannot reach the server at ${url.origin}: ${state}`, {
        cause,
        hint: "Start one with: graft serve, or name another with --server",
      });
    }
  }
}

/** Bytes as a stream, of which `fetch` makes no copy of its own; V8 would let many of them gather. */
function streamOf(bytes: Uint8Array<ArrayBuffer> | undefined): ReadableStream | undefined {
  if (bytes === undefined) return undefined;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, at += CHUNK_BYTES));
      else controller.close();
    },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Must name every code, so that one that is new cannot be forgotten here. */
const CODES: Readonly<Record<GraftErrorCode, true>> = {
  invalid: true,
  missing: true,
  conflict: true,
  unauthorized: true,
  forbidden: true,
  unavailable: true,
  damaged: true,
  aborted: true,
  internal: true,
};

/** The error that problem details tell of; undefined where they are none of ours. */
function toError(status: number, body: unknown): GraftError | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { code, detail, hint } = body as Record<string, unknown>;
  if (typeof code !== "string" || !Object.hasOwn(CODES, code)) return undefined;
  if (typeof detail !== "string") return undefined;
  // a path at which there is nothing: the address is wrong, as the calls of this program are not
  if (status === 404 && code === "invalid") return undefined;
  return new GraftError(code as GraftErrorCode, detail, {
    hint: typeof hint === "string" ? hint : undefined,
  });
}
