/**
 * Proxies that make a TCP connection slow, narrow or broken, for tests.
 *
 * @module
 */

import { Child, freePort } from "./child.ts";
import { programPath } from "./installed.ts";

/** What is done to the bytes of a connection. */
export type Toxic =
  /** Holds bytes back for `latency` ms, plus or minus `jitter` ms. */
  | { readonly type: "latency"; readonly latency: number; readonly jitter?: number }
  /** Lets through `rate` KB a second. */
  | { readonly type: "bandwidth"; readonly rate: number }
  /** Resets the connection `timeout` ms after it began. */
  | { readonly type: "reset_peer"; readonly timeout: number }
  /** Lets no bytes through, and closes the connection after `timeout` ms (0: when the toxic is removed). */
  | { readonly type: "timeout"; readonly timeout: number };

/** Which way a toxic works: `downstream` is from the server to the client. */
export type Stream = "upstream" | "downstream";

/** A running toxiproxy. */
export class Toxiproxy {
  readonly #api: string;
  readonly #process: Child;

  private constructor(api: string, process: Child) {
    this.#api = api;
    this.#process = process;
  }

  /** Starts it, with no proxies. */
  static async start(): Promise<Toxiproxy> {
    const port = freePort();
    const api = `http://127.0.0.1:${port}`;
    const process = await Child.start({
      path: programPath("toxiproxy"),
      args: ["-host", "127.0.0.1", "-port", `${port}`],
      isReady: async () => {
        await call("GET", `${api}/version`);
        return true;
      },
    });
    return new Toxiproxy(api, process);
  }

  /** Makes a proxy before a server; `target` is a base URL without a path. */
  async proxy(target: string): Promise<TcpProxy> {
    const name = crypto.randomUUID();
    const { listen } = await call("POST", `${this.#api}/proxies`, {
      name,
      listen: "127.0.0.1:0",
      upstream: new URL(target).host,
      enabled: true,
    });
    return new TcpProxy(`${this.#api}/proxies/${name}`, `http://${listen}`);
  }

  /** Ends it, and every connection through it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill();
  }
}

/** One proxy of a toxiproxy. */
export class TcpProxy {
  readonly #resource: string;
  /** Its base URL; it stays the same. */
  readonly endpoint: string;

  /** Use {@linkcode Toxiproxy.proxy}. */
  constructor(resource: string, endpoint: string) {
    this.#resource = resource;
    this.endpoint = endpoint;
  }

  /** Poisons all connections, those that stand as well; on the way to the client when not said. */
  async add({ type, ...attributes }: Toxic, stream: Stream = "downstream"): Promise<void> {
    const name = `${type}_${stream}`;
    await call("POST", `${this.#resource}/toxics`, { name, type, stream, attributes });
  }

  /** Takes a poison away. */
  async remove(type: Toxic["type"], stream: Stream = "downstream"): Promise<void> {
    await call("DELETE", `${this.#resource}/toxics/${type}_${stream}`);
  }

  /** Cuts all connections and refuses new ones, as if the server were dead. */
  async disable(): Promise<void> {
    await call("POST", this.#resource, { enabled: false });
  }

  /** Ends {@linkcode TcpProxy.disable}. */
  async enable(): Promise<void> {
    await call("POST", this.#resource, { enabled: true });
  }
}

async function call(method: string, url: string, body?: unknown): Promise<{ listen?: string }> {
  const response = await fetch(url, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot ${method} "${url}": ${response.status} ${text}`);
  return response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : {};
}
