// A key-value store at the other end of KV Connect.
//
// Deno's own client repeats a call that failed for ever, a write too, even after the store is closed, and says
// so on stderr each time. A write would then land minutes after its caller was told that nobody knows, and
// calls to a store that is down would pile up. So this client sends every write once, gives every call a
// deadline and takes what it gave up from the wire.

import { readBody } from "../../../core/body_chunks.ts";
import type { Clock } from "../../../core/clock.ts";
import { GraftError } from "../../../core/errors.ts";
import type { KvAtomic, KvEntry, KvHandle, KvKey, KvRange } from "../kv_handle.ts";
import { Deadline } from "./deadline.ts";
import { packKey, unpackKey } from "./key_codec.ts";
import {
  decodeRead,
  decodeWrite,
  encodeRead,
  encodeWatch,
  type RangeRequest,
  type ReadAnswer,
  type StoredEntry,
  WriteRequest,
} from "./messages.ts";
import { answerState, type Endpoint, reasonOf, Session, type SessionParts } from "./session.ts";
import { watchStream } from "./watch_stream.ts";

/** How long any call may take, the waiting for a store that is down included. */
export const CALL_MS_MAX = 10_000;
const BACKOFF_MS = 50;
const BACKOFF_MS_MAX = 1_000;
const LIST_ENTRIES = 100;

/** The store took no notice of the call, so that even a write may be sent again. */
class TurnedAway extends Error {}
/** The store looked at the call and will not have it: to repeat it is no use. */
class Refused extends Error {}

/** A store over KV Connect. Its reads are repeated until they succeed or time is up, its writes never. */
export class ConnectKv implements KvHandle {
  readonly #parts: SessionParts;
  readonly #session: Session;
  readonly #closing = new AbortController();

  /** Nothing is sent before the first call. */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#session = new Session(parts);
  }

  /**
   * Asks the store for its endpoint.
   *
   * @throws {GraftError} `unauthorized` when it refuses the token; `invalid` when it is something else.
   * Other errors: it does not answer.
   */
  async connect(): Promise<void> {
    await this.#call(() => Promise.resolve());
  }

  async get(key: KvKey): Promise<KvEntry> {
    const [entry] = await this.getMany([key]);
    return entry;
  }

  async getMany(keys: readonly KvKey[]): Promise<KvEntry[]> {
    const ranges = keys.map((key) => {
      const start = packKey(key).bytes;
      return { start, end: after(start), limit: 1 };
    });
    const found = await this.#read(ranges);
    return keys.map((key, i) =>
      found[i].length > 0
        ? entryOf(found[i][0])
        : { key: key as Deno.KvKey, value: null, versionstamp: null }
    );
  }

  async *list(
    range: KvRange,
    options: { limit?: number; batchSize?: number } = {},
  ): AsyncGenerator<KvEntry> {
    const { limit = Infinity, batchSize = LIST_ENTRIES } = options;
    const end = packKey(range.end).bytes;
    let start = packKey(range.start).bytes;
    for (let left = limit; left > 0;) {
      const asked = Math.min(left, batchSize);
      const [found] = await this.#read([{ start, end, limit: asked }]);
      for (const entry of found) yield entryOf(entry);
      const last = found.at(-1);
      if (last === undefined || found.length < asked) return;
      left -= found.length;
      start = after(last.key);
    }
  }

  atomic(): KvAtomic {
    return new ConnectAtomic(this.#parts.clock, (request) => this.#write(request));
  }

  /** Brings something at once, and then whenever the key was set; fails when the store falls silent. */
  watch([key]: readonly KvKey[]): ReadableStream<unknown> {
    const { send, timers } = this.#parts;
    const body = encodeWatch(key);
    return watchStream(timers, this.#closing.signal, async (signal) => {
      const endpoint = await this.#session.endpoint(signal);
      const { url, headers } = endpoint;
      return await this.#try(endpoint, async () => {
        return accepted(await send(`${url}/watch`, { method: "POST", headers, body, signal }));
      });
    });
  }

  commitVersionstamp(): symbol {
    return STAMP;
  }

  close(): void {
    this.#closing.abort(new Error("it is closed"));
    this.#session.close();
  }

  async #read(ranges: readonly RangeRequest[]): Promise<ReadAnswer["ranges"]> {
    const body = encodeRead(ranges);
    return await this.#call(async (endpoint, signal) => {
      const bytes = await this.#post(endpoint, "snapshot_read", body, signal);
      const answer = decodeRead(bytes, endpoint.version >= 3);
      if (!answer.strong) throw new TurnedAway("it serves no strong reads at the moment");
      if (answer.ranges.length !== ranges.length) throw new Error("its answer has other ranges");
      return answer.ranges;
    }, () => true);
  }

  async #write(request: WriteRequest): ReturnType<KvAtomic["commit"]> {
    const body = request.finish();
    return await this.#call(async (endpoint, signal) => {
      const bytes = await this.#post(endpoint, "atomic_write", body, signal);
      const answer = decodeWrite(bytes);
      if (answer.status === "disabled") throw new TurnedAway("it takes no writes at the moment");
      if (answer.status === "unknown") throw new Error("it does not say what became of a write");
      return answer.status === "landed"
        ? { ok: true, versionstamp: answer.versionstamp }
        : { ok: false };
    });
  }

  async #post(
    { url, headers }: Endpoint,
    method: string,
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { send } = this.#parts;
    const response = await send(`${url}/${method}`, { method: "POST", headers, body, signal });
    return await readBody((await accepted(response)).body, signal);
  }
  /**
   * Calls the store until it answers, `mayRepeat` refuses to repeat an error, or time is up.
   *
   * The store is asked for its endpoint again after each failure, so that a call waits for a store that is
   * down, and what is repeated does not meet the same closed door.
   */
  async #call<T>(
    call: (endpoint: Endpoint, signal: AbortSignal) => Promise<T>,
    mayRepeat: (error: unknown) => boolean = (error) => error instanceof TurnedAway,
  ): Promise<T> {
    const { timers } = this.#parts;
    using deadline = new Deadline(timers, CALL_MS_MAX, this.#closing.signal);
    const { signal } = deadline;
    try {
      for (let delayMs = BACKOFF_MS;; delayMs = Math.min(2 * delayMs, BACKOFF_MS_MAX)) {
        const endpoint = await this.#session.endpoint(signal);
        try {
          return await this.#try(endpoint, () => call(endpoint, signal));
        } catch (error) {
          if (signal.aborted || error instanceof Refused || !mayRepeat(error)) throw error;
        }
        await timers.sleep(delayMs, signal);
      }
    } catch (error) {
      throw this.#explain(error, deadline);
    }
  }

  async #try<T>(endpoint: Endpoint, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      // what the store refused, it has looked at
      if (!(error instanceof Refused)) this.#session.doubt(endpoint, error);
      throw error;
    }
  }

  /** Says why a call failed: what was waited for, where time is up. */
  #explain(error: unknown, { signal, isOver }: Deadline): unknown {
    if (!isOver) return signal.aborted ? signal.reason : withReason(error);
    const { failure } = this.#session;
    const reason = reasonOf(signal.reason);
    const isKnown = failure === undefined || failure === reason;
    return new Error(isKnown ? reason : `${reason} (${failure})`, { cause: error });
  }
}

function withReason(error: unknown): unknown {
  return error instanceof GraftError ? error : new Error(reasonOf(error), { cause: error });
}

/** Stands for the versionstamp of a write. */
const STAMP = Symbol("versionstamp");

/** Collects an atomic write. */
class ConnectAtomic implements KvAtomic {
  readonly #request = new WriteRequest();
  readonly #clock: Clock;
  readonly #send: (request: WriteRequest) => ReturnType<KvAtomic["commit"]>;

  constructor(clock: Clock, send: (request: WriteRequest) => ReturnType<KvAtomic["commit"]>) {
    this.#clock = clock;
    this.#send = send;
  }

  check({ key, versionstamp }: { key: KvKey; versionstamp: string | null }): KvAtomic {
    this.#request.check(key, versionstamp);
    return this;
  }

  set(key: KvKey, value: Uint8Array, options: { expireIn?: number } = {}): KvAtomic {
    const { expireIn } = options;
    this.#request.set(key, value, expireIn === undefined ? 0 : this.#clock.now() + expireIn);
    return this;
  }

  delete(key: KvKey): KvAtomic {
    this.#request.delete(key);
    return this;
  }

  commit(): ReturnType<KvAtomic["commit"]> {
    return this.#send(this.#request);
  }
}

/** The answer, if the store has done what it was asked for. */
async function accepted(response: Response): Promise<Response> {
  const { status } = response;
  if (status === 200) return response;
  const state = answerState(status, await response.text());
  // the token may have expired: a new one is asked for with the endpoint
  if (status === 401 || status === 403 || status === 429) throw new TurnedAway(state);
  throw status >= 400 && status < 500 ? new Refused(state) : new Error(state);
}

function entryOf({ key, value, versionstamp }: StoredEntry): KvEntry {
  return { key: unpackKey(key), value, versionstamp };
}

/** The key right after another. */
function after(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
