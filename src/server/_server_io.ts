// What the server asks of the machine: sockets, and figures of its own process.

import { GraftError } from "../core/errors.ts";
import { formatAddress, type ListenAddress } from "./address.ts";

/** An open port. */
export interface HttpPort {
  /** Where it is; the port is the real one where 0 was asked for. */
  readonly address: ListenAddress;
  /** Stops accepting; resolves when all that was accepted is answered. */
  drain(): Promise<void>;
  /** Breaks every connection off; once it drains, those that are left end with the process. */
  abort(): void;
}

/**
 * Opens a port.
 *
 * @throws {GraftError} `unavailable` when it is taken, `invalid` when the host is not of this machine.
 */
export function openHttpPort(
  address: ListenAddress,
  handler: (request: Request) => Response | Promise<Response>,
): HttpPort {
  const controller = new AbortController();
  try {
    const server = Deno.serve({
      ...address,
      signal: controller.signal,
      // the banner says it, once all ports are open
      onListen() {},
    }, handler);
    let draining = false;
    return {
      address: { hostname: address.hostname, port: server.addr.port },
      drain: () => {
        draining = true;
        return server.shutdown();
      },
      // a shutdown has let go of the listener already, and an abort of it then throws where nobody can catch
      abort: () => {
        if (!draining) controller.abort();
      },
    };
  } catch (cause) {
    throw refusal(address, cause);
  }
}

/**
 * Checks that a port can be opened, and lets go of it again. Port 0 always can.
 *
 * @throws {GraftError} As {@linkcode openHttpPort} would.
 */
export function requireFreePort(address: ListenAddress): void {
  try {
    Deno.listen({ ...address }).close();
  } catch (cause) {
    throw refusal(address, cause);
  }
}

function refusal(address: ListenAddress, cause: unknown): unknown {
  const place = formatAddress(address);
  if (cause instanceof Deno.errors.AddrInUse) {
    return new GraftError("unavailable", `Cannot listen on ${place}: the port is taken`, {
      cause,
      hint: "Stop what listens there, or choose another port with --listen",
    });
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new GraftError("invalid", `Cannot listen on ${place}: the system does not allow it`, {
      cause,
    });
  }
  if (cause instanceof Error) {
    return new GraftError("invalid", `Cannot listen on ${place}: ${cause.message}`, { cause });
  }
  return cause;
}

/** Memory of this process, in bytes. */
export function processMemory(): { readonly rssBytes: number; readonly heapBytes: number } {
  const { rss, heapUsed } = Deno.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed };
}
