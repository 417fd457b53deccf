/**
 * A real KV Connect server for tests.
 *
 * @module
 */

import { Child, freePort } from "./child.ts";
import { programPath } from "./installed.ts";

/** A running denokv. */
export class DenoKvServer {
  readonly #folder: string;
  /** Its address: `http://127.0.0.1:1234`; with `kv+` before it, the address of a log. */
  readonly url: string;
  /** The process, to be killed, paused and started again. */
  readonly process: Child;
  /** What clients show it, as `DENO_KV_ACCESS_TOKEN`. */
  readonly accessToken: string;

  private constructor(url: string, process: Child, folder: string, accessToken: string) {
    this.url = url;
    this.process = process;
    this.accessToken = accessToken;
    this.#folder = folder;
  }

  /** Starts a server on a free port, with nothing in it unless it is given a file of Deno KV. */
  static async start(options: { readonly file?: string } = {}): Promise<DenoKvServer> {
    const folder = await Deno.makeTempDir({ prefix: "graft-denokv-" });
    const address = `127.0.0.1:${freePort()}`;
    const accessToken = crypto.randomUUID();
    const process = await Child.start({
      path: programPath("denokv"),
      args: [
        "--sqlite-path",
        options.file ?? `${folder}/log.sqlite`,
        "serve",
        "--addr",
        address,
        "--access-token",
        accessToken,
      ],
      isReady: async () => {
        const response = await fetch(`http://${address}/`, { method: "POST" });
        await response.body?.cancel();
        return true;
      },
    });
    return new DenoKvServer(`http://${address}`, process, folder, accessToken);
  }

  /** The variables that a Graft server takes. */
  env(): Record<string, string> {
    return { DENO_KV_ACCESS_TOKEN: this.accessToken };
  }

  /** Ends it and removes its data. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
