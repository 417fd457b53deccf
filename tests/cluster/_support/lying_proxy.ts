/**
 * A proxy that falsifies answers, to see that the checks of a race notice.
 *
 * @module
 */

import { encodeGraftErr } from "../../../src/wire/messages.ts";
import { MEDIA_TYPE } from "../../../src/wire/protocol.ts";

/** An answer as a lie may have it. */
export interface Answer {
  /** The HTTP status. */
  readonly status: number;
  /** The body. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What the proxy says instead of `answer`, the server's true one; `count` is 1 at the first request. */
export type Lie = (answer: Answer, count: number) => Answer;

/** Forwards everything, and lies about one path. */
export class LyingProxy {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Listens on a free port. */
  constructor(target: string, path: string, lie: Lie) {
    let count = 0;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        const answer = await forward(target + pathname, request);
        const { status, body } = pathname.endsWith(path) ? lie(answer, ++count) : answer;
        return new Response(body, { status, headers: { "content-type": MEDIA_TYPE } });
      },
    );
  }

  /** Its base URL. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** An answer that is an error. */
export function refusal(status: number, code: number): Answer {
  return { status, body: encodeGraftErr({ code, message: "A lie" }) };
}

async function forward(url: string, { method, headers, body }: Request): Promise<Answer> {
  const sent = new Uint8Array(await new Response(body).arrayBuffer());
  const response = await fetch(url, { method, headers, body: sent });
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}
