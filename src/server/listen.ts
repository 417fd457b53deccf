/**
 * The ports of a server.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";
import type { Timers } from "../core/timers.ts";
import { type HttpPort, openHttpPort } from "./_server_io.ts";
import { formatAddress, isLoopbackHost, type ListenAddress } from "./address.ts";
import type { App } from "./app.ts";

/** How long a shutdown waits for the requests under way, in milliseconds. */
export const DRAIN_LIMIT_MS = 30_000;

/** Open ports that one app answers. */
export class Ports {
  readonly #ports: readonly HttpPort[];
  readonly #app: App;

  private constructor(ports: readonly HttpPort[], app: App) {
    this.#ports = ports;
    this.#app = app;
  }

  /**
   * Opens a port at each address, or none.
   *
   * @throws {GraftError} `unavailable` when one is taken, `invalid` when one cannot be.
   */
  static open(addresses: readonly ListenAddress[], app: App): Ports {
    const ports: HttpPort[] = [];
    try {
      for (const address of addresses) {
        ports.push(openHttpPort(address, (request) => app.fetch(request)));
      }
    } catch (error) {
      for (const port of ports) port.abort();
      throw error;
    }
    return new Ports(ports, app);
  }

  /** The URL of each, in the order of the addresses. */
  get urls(): readonly string[] {
    return this.#ports.map(({ address }) => `http://${formatAddress(address)}`);
  }

  /**
   * Finishes what was accepted, for {@linkcode DRAIN_LIMIT_MS} at most, while everything else is answered
   * with 503; then closes the ports.
   */
  async close(timers: Timers): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = timers.after(DRAIN_LIMIT_MS, () => {
      for (const port of this.#ports) port.abort();
      late.resolve();
    });
    await Promise.race([this.#drain(), late.promise]);
    cancel();
  }

  async #drain(): Promise<void> {
    await this.#app.drain();
    await Promise.all(this.#ports.map((port) => port.drain()));
  }
}

/**
 * Refuses to let strangers in: without a key everybody who reaches a port may do everything.
 *
 * @throws {GraftError} `invalid` when an address is not a loopback one.
 */
export function requireLoopback(addresses: readonly ListenAddress[]): void {
  const open = addresses.find(({ hostname }) => !isLoopbackHost(hostname));
  if (open === undefined) return;
  throw new GraftError(
    "invalid",
    `Cannot listen on ${formatAddress(open)}: without a key only loopback addresses are allowed`,
    { hint: "Give --auth-key (make one with: graft key new), or --insecure-no-auth" },
  );
}
