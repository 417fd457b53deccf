// What goes over the wire, counted by the client.

/** What was counted. */
export interface Traffic {
  /** Requests, those for events left out. */
  requests: number;
  /** Bytes of answers, headers left out. */
  bytes: number;
}

/** A `fetch` that counts. */
export function countingFetch(): { readonly fetch: typeof fetch; readonly traffic: Traffic } {
  const traffic = { requests: 0, bytes: 0 };
  const counting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    traffic.requests++;
    const body = response.body?.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(chunk, controller) {
          traffic.bytes += chunk.length;
          controller.enqueue(chunk);
        },
      }),
    );
    return new Response(body ?? null, response);
  };
  return { fetch: counting, traffic };
}
