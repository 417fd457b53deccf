/**
 * A proxy before a server that can stop one request, so that a test can act in the middle of it.
 *
 * @module
 */

/** Where a request is stopped: before the server has seen it, or with the server's answer in hand. */
export type HoldPoint = "before" | "after";

interface Hold {
  readonly path: string;
  readonly point: HoldPoint;
  readonly reached: () => void;
}

/** Forwards everything to `target`; {@linkcode hold} stops the next request of a path for good. */
export class HoldingProxy {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #target: string;
  readonly #stopped = new AbortController();
  #hold: Hold | undefined;

  /** Listens on a free port. */
  constructor(target: string) {
    this.#target = target;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#forward(request),
    );
  }

  /** The proxy's base URL. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Stops the next request whose path ends in `path`; resolves when one is stopped there. */
  hold(path: string, point: HoldPoint): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hold = { path, point, reached: resolve };
    return promise;
  }

  async #forward(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const hold = this.#hold?.path !== undefined && pathname.endsWith(this.#hold.path)
      ? this.#hold
      : undefined;
    if (hold !== undefined) this.#hold = undefined;
    const body = await request.arrayBuffer();
    if (hold?.point === "before") return await this.#never(hold);
    const response = await fetch(this.#target + pathname, {
      method: request.method,
      headers: request.headers,
      body,
    });
    const answer = await response.arrayBuffer();
    if (hold?.point === "after") return await this.#never(hold);
    // fetch has taken the content encoding off, so the server's own headers would not be true
    const contentType = response.headers.get("content-type") ?? "";
    return new Response(answer, {
      status: response.status,
      headers: { "content-type": contentType },
    });
  }

  /** Says that the point is reached, then waits until the proxy ends. */
  async #never(hold: Hold): Promise<Response> {
    hold.reached();
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#stopped.signal.aborted) resolve();
    else this.#stopped.signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    return new Response(null, { status: 503 });
  }

  /** Lets go of what is stopped and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#server.shutdown();
  }
}
