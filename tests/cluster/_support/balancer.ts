/**
 * A load balancer before processes of one role.
 *
 * @module
 */

import type { ServerProcess } from "../../harness/server.ts";
import { isRefusedConnection } from "./callers.ts";

/**
 * When a process dies under a request: `during`, right after the request was sent, so that nobody knows
 * what it did; `after`, when it has done it and its answer is lost on the way back.
 */
export type DeathPoint = "during" | "after";

interface Death {
  readonly path: string;
  readonly point: DeathPoint;
  readonly died: (server: ServerProcess) => void;
}

/**
 * Gives each request to the next process in turn. One that refuses the connection is passed over; a
 * request that broke in the middle is answered with 502, as it may have been carried out.
 */
export class Balancer {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #targets: readonly ServerProcess[];
  readonly #connections = Deno.createHttpClient({});
  #turn = 0;
  #death: Death | undefined;
  /** How many requests each process has answered, in the order of the targets. */
  readonly answered: number[];

  /** Listens on a free port. */
  constructor(targets: readonly ServerProcess[]) {
    this.#targets = targets;
    this.answered = targets.map(() => 0);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#forward(request),
    );
  }

  /** Its base URL. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Kills the process that gets the next request for a path that ends in `path`; resolves to it. */
  killAtNext(path: string, point: DeathPoint): Promise<ServerProcess> {
    const { promise, resolve } = Promise.withResolvers<ServerProcess>();
    this.#death = { path, point, died: resolve };
    return promise;
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    this.#connections.close();
  }

  async #forward(request: Request): Promise<Response> {
    const body = await request.arrayBuffer();
    for (let tries = 0; tries < this.#targets.length; tries++) {
      const at = this.#turn++ % this.#targets.length;
      try {
        const answer = await this.#send(this.#targets[at], request, body);
        this.answered[at]++;
        return answer;
      } catch (error) {
        if (!isRefusedConnection(error)) break;
      }
    }
    return new Response("Bad gateway\n", { status: 502 });
  }

  async #send(to: ServerProcess, request: Request, body: ArrayBuffer): Promise<Response> {
    const { pathname } = new URL(request.url);
    const death = this.#takeDeath(pathname);
    const answer = this.#call(to, pathname, request, body);
    if (death === undefined) return await answer;
    if (death.point === "after") await answer;
    await Promise.all([to.kill9(), answer.catch(() => {})]);
    death.died(to);
    throw new Error("The process died under the request");
  }

  async #call(
    to: ServerProcess,
    path: string,
    { method, headers }: Request,
    body: ArrayBuffer,
  ): Promise<Response> {
    const client = this.#connections;
    const response = await fetch(to.url + path, { method, headers, body, client });
    // fetch has taken the content encoding off, so the server's own headers would not be true
    const contentType = response.headers.get("content-type") ?? "";
    return new Response(await response.arrayBuffer(), {
      status: response.status,
      headers: { "content-type": contentType },
    });
  }

  #takeDeath(path: string): Death | undefined {
    const death = this.#death;
    if (death === undefined || !path.endsWith(death.path)) return undefined;
    this.#death = undefined;
    return death;
  }
}
