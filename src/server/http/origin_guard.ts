/**
 * What keeps web pages away from a server that asks for no token.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { isLoopbackHost } from "../address.ts";

/** What an {@linkcode OriginGuard} lets pass. */
export interface OriginGuardOptions {
  /** Origins that may call across sites, as given to `--cors`. */
  readonly origins: readonly string[];
  /** Whether the server listens on loopback addresses only. */
  readonly loopbackOnly: boolean;
}

/**
 * Without a key, whoever reaches the port may read and write, and a browser lets any page that its user
 * visits reach loopback. Pages of other origins are told apart by their `Origin` header; a page whose name
 * was rebound to 127.0.0.1 looks like one of ours but for its `Host`.
 */
export class OriginGuard {
  readonly #origins: ReadonlySet<string>;
  readonly #loopbackOnly: boolean;
  /** The last host that was found to be fine: nearly always that of the next request too. */
  #knownHost = "";

  /** Takes what may pass. */
  constructor(options: OriginGuardOptions) {
    this.#origins = new Set(options.origins);
    this.#loopbackOnly = options.loopbackOnly;
  }

  /** @throws {GraftError} `forbidden` when a page of another site sent the request. */
  check(request: Request): void {
    const host = request.headers.get("host");
    if (this.#loopbackOnly && host !== null && host !== this.#knownHost) this.#checkHost(host);
    const origin = request.headers.get("origin");
    if (origin === null || this.#origins.has("*") || this.#origins.has(origin)) return;
    if (origin === `http://${host}` || origin === `https://${host}`) return;
    throw new GraftError(
      "forbidden",
      `Cannot serve the request: pages of "${origin}" are not allowed`,
      { hint: `Start the server with --cors ${origin}` },
    );
  }

  #checkHost(host: string): void {
    if (!isLoopbackHost(hostname(host))) {
      throw new GraftError(
        "forbidden",
        `Cannot serve the request: its Host is "${host}", and without a key only loopback names are served`,
        { hint: "Call the server by 127.0.0.1 or localhost, or start it with --auth-key" },
      );
    }
    this.#knownHost = host;
  }
}

function hostname(host: string): string {
  return host.replace(/:\d*$/, "");
}
