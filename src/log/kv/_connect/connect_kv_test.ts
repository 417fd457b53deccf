import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { isGraftError } from "../../../core/errors.ts";
import { systemTimers, type Timers } from "../../../core/timers.ts";
import {
  broken,
  landed,
  nothing,
  ScriptedConnect,
  silence,
  STAMP,
  status,
  stream,
} from "./_testing.ts";
import { CALL_MS_MAX, type ConnectKv } from "./connect_kv.ts";
import { SILENCE_MS_MAX } from "./watch_stream.ts";

/** Pauses are skipped; deadlines end when a test says so. */
class Deadlines implements Timers {
  readonly #waiting = new Set<{ delayMs: number; callback: () => void }>();
  readonly pauses: number[] = [];

  get delays(): number[] {
    return [...this.#waiting].map(({ delayMs }) => delayMs);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.pauses.push(delayMs);
    return systemTimers.sleep(0, signal);
  }

  after(delayMs: number, callback: () => void): () => void {
    const entry = { delayMs, callback };
    this.#waiting.add(entry);
    return () => void this.#waiting.delete(entry);
  }

  /** Ends the deadlines of this length. */
  async end(delayMs: number): Promise<void> {
    // what waits for them has begun by then
    await systemTimers.sleep(0);
    for (const entry of [...this.#waiting]) {
      if (entry.delayMs === delayMs) entry.callback();
    }
  }
}

async function withServer(
  check: (server: ScriptedConnect, kv: ConnectKv, timers: Deadlines) => Promise<void>,
): Promise<void> {
  const [server, timers] = [new ScriptedConnect(), new Deadlines()];
  const kv = server.open(timers);
  await check(server, kv, timers);
  kv.close();
  await systemTimers.sleep(0);
  deepEqual(timers.delays, [], "a deadline is left");
}

const write = (kv: ConnectKv) => kv.atomic().set(["a"], Uint8Array.of(1)).commit();

Deno.test("the endpoint is asked for once, and its token shown", () =>
  withServer(async (server, kv) => {
    deepEqual(await write(kv), { ok: true, versionstamp: STAMP });
    deepEqual(await kv.get(["a"]), { key: ["a"], value: null, versionstamp: null });
    deepEqual(server.calls, ["exchange", "atomic_write", "snapshot_read"]);
    const { headers } = server;
    equal(headers?.get("authorization"), "Bearer token 1");
    equal(headers?.get("x-denokv-database-id"), "the database");
    equal(headers?.get("x-denokv-version"), "3");
  }));

Deno.test("calls that begin together share one exchange", () =>
  withServer(async (server, kv) => {
    await Promise.all([kv.get(["a"]), kv.get(["b"]), write(kv)]);
    equal(server.calls.filter((call) => call === "exchange").length, 1);
  }));

Deno.test("a write whose answer is lost is not sent again", () =>
  withServer(async (server, kv) => {
    for (const fault of [broken, status(500, "broken"), status(503)]) {
      server.calls.length = 0;
      server.answers.push(fault);
      await rejects(write(kv));
      deepEqual(server.calls.filter((call) => call !== "exchange"), ["atomic_write"]);
    }
    server.calls.length = 0;
    // and the next is only sent when the store has answered again
    server.exchanges.push(broken, broken);
    await write(kv);
    deepEqual(server.calls, ["exchange", "exchange", "exchange", "atomic_write"]);
  }));

Deno.test("a read is repeated until it is answered, with growing pauses", () =>
  withServer(async (server, kv, timers) => {
    server.answers.push(broken, status(502), broken, nothing);
    await kv.get(["a"]);
    equal(server.calls.filter((call) => call === "snapshot_read").length, 4);
    deepEqual(timers.pauses, [50, 100, 200]);
  }));

Deno.test("a call that the store turned away is made again with a new token, a write too", () =>
  withServer(async (server, kv) => {
    const readElsewhere = () => new Response(Uint8Array.fromHex("0a004001"));
    const noWrites = () => new Response(Uint8Array.fromHex("0805"));
    server.answers.push(status(401), noWrites, landed, readElsewhere, nothing);
    deepEqual(await write(kv), { ok: true, versionstamp: STAMP });
    equal(server.headers?.get("authorization"), "Bearer token 3");
    await kv.get(["a"]);
    equal(server.headers?.get("authorization"), "Bearer token 4");
  }));

Deno.test("what the store refuses is not repeated, and its endpoint stays", () =>
  withServer(async (server, kv) => {
    server.answers.push(status(400, "Too many checks"), status(400, "Key too long"));
    await rejects(write(kv), /it answered 400: Too many checks/);
    await rejects(kv.get(["a"]), /it answered 400: Key too long/);
    deepEqual(server.calls, ["exchange", "atomic_write", "snapshot_read"]);
  }));

Deno.test("of a long refusal the beginning is told", () =>
  withServer(async (server, kv) => {
    const page = "<html>".padEnd(5_000, "x");
    server.answers.push(status(400, page));
    const isShort = (error: unknown) => error instanceof Error && error.message.length < 250;
    await rejects(write(kv), isShort);
  }));

Deno.test("of a long answer that is no KV Connect server's, too", () =>
  withServer(async (server, kv) => {
    const page = "<html>".padEnd(5_000, "x");
    server.exchanges.push(status(404, page), status(401, page));
    const isShort = (error: unknown) => isGraftError(error) && error.message.length < 350;
    for (let i = 0; i < 2; i++) await rejects(kv.connect(), isShort);
  }));

Deno.test("a failed check is an answer; one that says nothing is none", () =>
  withServer(async (server, kv) => {
    server.answers.push(() => new Response(Uint8Array.fromHex("08022202000a")));
    deepEqual(await write(kv), { ok: false });
    server.answers.push(() => new Response());
    await rejects(write(kv), /does not say what became of a write/);
  }));

Deno.test("a token is renewed before it expires", () =>
  withServer(async (server, kv) => {
    server.lifeMs = 0;
    await kv.get(["a"]);
    await kv.get(["a"]);
    equal(server.calls.filter((call) => call === "exchange").length, 2);
    server.lifeMs = 3_600_000;
    await kv.get(["a"]);
    await kv.get(["a"]);
    equal(server.calls.filter((call) => call === "exchange").length, 3);
  }));

Deno.test("a call that is not answered ends with its deadline, and is taken from the wire", () =>
  withServer(async (server, kv, timers) => {
    let aborted = false;
    server.answers.push((request) => {
      request.signal.addEventListener("abort", () => aborted = true);
      return silence(request);
    });
    await kv.connect();
    const written = rejects(write(kv), /^Error: no answer within 10 s$/);
    await timers.end(CALL_MS_MAX);
    await written;
    ok(aborted);
  }));

Deno.test("a store that does not answer at all is named with its last word", () =>
  withServer(async (server, kv, timers) => {
    server.exchanges.push(() => Promise.reject(new TypeError("fetch failed", { cause: REFUSED })));
    server.exchanges.push(silence);
    const connected = rejects(
      kv.connect(),
      /no answer within 10 s \(fetch failed: connection refused\)/,
    );
    await systemTimers.sleep(10);
    await timers.end(CALL_MS_MAX);
    await connected;
    // the exchange that nobody waits for any more ends by itself
    await timers.end(3_000);
  }));

const REFUSED = new Error("connection refused");

Deno.test("an exchange that hangs is begun again", () =>
  withServer(async (server, kv, timers) => {
    server.exchanges.push(silence);
    const connected = kv.connect();
    await timers.end(3_000);
    await connected;
    deepEqual(server.calls, ["exchange", "exchange"]);
  }));

Deno.test("a refused token is unauthorized, another server invalid, both at once", () =>
  withServer(async (server, kv) => {
    server.exchanges.push(status(401, "Invalid access token."), status(404, "Not found"));
    await rejects(kv.connect(), (error: unknown) => {
      ok(isGraftError(error, "unauthorized"), String(error));
      ok(error.message.includes("refuses the access token (Invalid access token.)"));
      ok(error.hint?.includes("DENO_KV_ACCESS_TOKEN"));
      return true;
    });
    await rejects(kv.connect(), (error: unknown) => {
      ok(isGraftError(error, "invalid"), String(error));
      ok(error.message.includes("it answered 404: Not found"));
      return true;
    });
    equal(server.calls.length, 2);
  }));

Deno.test("a closed store answers nobody", () =>
  withServer(async (server, kv) => {
    await kv.connect();
    server.answers.push(silence);
    const written = rejects(write(kv), /it is closed/);
    kv.close();
    await written;
    await rejects(kv.get(["a"]), /it is closed/);
  }));

/** Frames of a watch, one chunk each. */
function chunksOf(...chunks: string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(chunks.map((chunk) => Uint8Array.fromHex(chunk)));
}

const CHANGED = "02000000" + "0801";
const PING = "00000000";

Deno.test("a watch brings each change, and none for signs of life", () =>
  withServer(async (server, kv) => {
    // whole, in two parts, and two at once
    server.answers.push(stream(chunksOf(CHANGED, PING, "0200", "00000801", CHANGED + CHANGED)));
    const reader = kv.watch([["bell"]]).getReader();
    for (let i = 0; i < 3; i++) equal((await reader.read()).done, false);
    await rejects(reader.read(), /the store ended the watch/);
  }));

Deno.test("a watch that is not served fails", () =>
  withServer(async (server, kv) => {
    const fails = async (chunk: string, message: RegExp) => {
      let cancelled = false;
      server.answers.push(({ signal }) => {
        signal.addEventListener("abort", () => cancelled = true);
        return stream(chunksOf(chunk, PING))({ signal });
      });
      await rejects(kv.watch([["bell"]]).getReader().read(), message);
      ok(cancelled, "its connection was left open");
    };
    await fails("02000000" + "0802", /serves no watch/);
    await fails("ffffffff", /a message of 4294967295 bytes/);
    server.answers.push(status(404));
    await rejects(kv.watch([["bell"]]).getReader().read(), /it answered 404/);
  }));

Deno.test("a watch that falls silent fails", () =>
  withServer(async (server, kv, timers) => {
    let cancelled = false;
    // as Deno 2.9 has it once the response was collected as garbage: the signal does nothing
    const quiet = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(Uint8Array.fromHex(CHANGED)),
      cancel: () => void (cancelled = true),
    });
    server.answers.push(stream(quiet));
    const reader = kv.watch([["bell"]]).getReader();
    await reader.read();
    const next = rejects(reader.read(), /no answer within 15 s/);
    await timers.end(SILENCE_MS_MAX);
    await next;
    ok(cancelled);
  }));

Deno.test("a watch that nobody wants any more is taken from the wire", () =>
  withServer(async (server, kv) => {
    let cancelled = false;
    server.answers.push(({ signal }) => {
      signal.addEventListener("abort", () => cancelled = true);
      return silence({ signal });
    });
    const reader = kv.watch([["bell"]]).getReader();
    const read = reader.read();
    await systemTimers.sleep(0);
    await reader.cancel();
    equal((await read).done, true);
    ok(cancelled);
  }));
