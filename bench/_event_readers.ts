/**
 * Many readers of one volume's events, in a process of their own.
 *
 * usage: deno run -A bench/_event_readers.ts URL VID COUNT
 *
 * Prints `ready` when all have been told of the head; then, for each LSN, when the last of them was told of
 * it or of a later one: `LSN MILLISECONDS`, since 1970.
 *
 * @module
 */

/** How many connect at once. */
const CONNECTING_MAX = 50;
/** An event without a graft, and its id, are a few hundred bytes. */
const READ_BYTES = 16 * 1024;

/** Counts how many were told of an LSN. */
class Told {
  readonly #readers: number;
  readonly #counts = new Map<number, number>();

  constructor(readers: number) {
    this.#readers = readers;
  }

  /** A reader that knew the volume up to `before` was told of `lsn`. */
  add(before: number, lsn: number): void {
    for (let told = before + 1; told <= lsn; told++) {
      const count = (this.#counts.get(told) ?? 0) + 1;
      this.#counts.set(told, count);
      if (count < this.#readers) continue;
      this.#counts.delete(told);
      console.log(told, performance.timeOrigin + performance.now());
    }
  }
}

/** Reads events over a bare connection, so that the readers cost little beside the server. */
async function read(url: URL, vid: string, onLsn: (lsn: number) => void): Promise<void> {
  const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const request = `GET /v1/events?volumes=${vid} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(READ_BYTES);
  let rest = "";
  for (;;) {
    const bytes = await connection.read(buffer);
    if (bytes === null) throw new Error(`Cannot follow ${vid}: the server ended the events`);
    const text = rest + decoder.decode(buffer.subarray(0, bytes), { stream: true });
    const end = text.lastIndexOf("\n\n");
    rest = text.slice(end < 0 ? 0 : end);
    const at = end < 0 ? -1 : text.lastIndexOf('"lsn":', end);
    if (at >= 0) onLsn(parseInt(text.slice(at + 6)));
  }
}

const [url, vid, count] = Deno.args;
const readers = Number(count);
const told = new Told(readers);
const waiting = Array.from({ length: readers }, () => Promise.withResolvers<void>());

async function follow(reader: number): Promise<void> {
  let known: number | undefined;
  await read(new URL(url), vid, (lsn) => {
    if (known !== undefined) told.add(known, lsn);
    known = lsn;
    waiting[reader].resolve();
  });
}

for (let from = 0; from < readers; from += CONNECTING_MAX) {
  const some = waiting.slice(from, from + CONNECTING_MAX);
  some.forEach((_, i) => void follow(from + i));
  await Promise.all(some.map(({ promise }) => promise));
}
console.log("ready");
