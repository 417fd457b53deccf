// The one file of the S3 store that touches the platform.

/** A request that is signed. */
export interface HttpRequest {
  /** The method, in capitals. */
  readonly method: string;
  /** The whole address. */
  readonly url: string;
  /** All headers. */
  readonly headers: Headers;
  /** What is sent with it. */
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

/** Connections that are kept for the next request. */
export interface HttpConnections {
  /** Sends a request; redirects are answers. Rejects with the signal's reason when that fires. */
  send(request: HttpRequest, signal: AbortSignal): Promise<Response>;
  /** Closes what is idle. */
  close(): void;
}

/** S3 closes an idle connection after about 20 s; a request on a closed one would have to be repeated. */
const IDLE_MS_MAX = 15_000;

/** Opens a set of connections of its own. */
export function openConnections(): HttpConnections {
  const client = Deno.createHttpClient({ poolIdleTimeout: IDLE_MS_MAX });
  return {
    send: ({ url, ...init }, signal) => fetch(url, { ...init, client, signal, redirect: "manual" }),
    close: () => client.close(),
  };
}

/** The SHA-256 of bytes. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
