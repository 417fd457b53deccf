/**
 * Bodies of answers that end when they are to.
 *
 * In Deno 2.9 the signal of a `fetch` does nothing any more for a body whose `Response` was collected as garbage,
 * though somebody reads it. So whoever reads a body and may give it up reads it through this.
 *
 * @module
 */

/** A body, as `Response` has it. */
type Body = ReadableStream<Uint8Array<ArrayBuffer>> | null;

/**
 * The chunks of a body. Leaving the loop cancels the body.
 *
 * @param signal Cancels the body; what it was aborted with is thrown, also where no chunk comes any more.
 *
 * @example
 * ```ts
 * import { bodyChunks } from "./body_chunks.ts";
 *
 * const end = new AbortController();
 * for await (const chunk of bodyChunks(new Response("abc").body, end.signal)) {
 *   console.log(chunk.length); // 3
 * }
 * ```
 */
export async function* bodyChunks(
  body: Body,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  if (body === null) return;
  const reader = body.getReader();
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await reader.read();
      // one that was cancelled looks as if it had come to its end
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** All bytes of a body; `signal` as in {@linkcode bodyChunks}. */
export async function readBody(body: Body, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of bodyChunks(body, signal)) chunks.push(chunk);
  if (chunks.length === 1) return chunks[0];
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
