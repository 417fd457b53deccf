/**
 * The volume that is read, on a server.
 *
 * @module
 */

import { GraftClient, type PagesRead } from "../../../client/mod.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import type { ServerAddress, SnapshotJson } from "../support/server_api.ts";
import type { ExportSource } from "./export_database.ts";

/** A snapshot on a server, as exports read it. */
export class VolumeSource implements ExportSource {
  readonly #snapshot: SnapshotJson;
  readonly #address: ServerAddress;
  readonly #signal: AbortSignal;

  /** Takes the snapshot to read, and where it is. */
  constructor(snapshot: SnapshotJson, address: ServerAddress, signal: AbortSignal) {
    this.#snapshot = snapshot;
    this.#address = address;
    this.#signal = signal;
  }

  /** The volume and the LSN, for messages. */
  get name(): string {
    return `volume "${this.#snapshot.vid}" at LSN ${this.#snapshot.lsn}`;
  }

  /** How many pages there are. */
  get pageCount(): number {
    return this.#snapshot.pageCount;
  }

  /** Reads pages one after another, each checked against its checksum; undefined where there is none. */
  async read(first: number, count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { vid, lsn } = this.#snapshot;
    const answers: ArrayBuffer[] = [];
    const { url, token } = this.#address;
    // raw: decoding would leave more behind than the memory that an export may take
    const client = new GraftClient(url, {
      token,
      protocol: "v1",
      decompress: false,
      fetch: noting(answers),
    });
    const pages = await client.read(vid, lsn, range(first, count), { signal: this.#signal });
    const bytes = pages.size === 0 ? undefined : joined(pages, first, count);
    // V8 would let some 64 MiB of such buffers gather before it frees one
    for (const [, { buffer }] of pages) if (buffer instanceof ArrayBuffer) answers.push(buffer);
    for (const buffer of new Set(answers)) buffer.transfer(0);
    return bytes;
  }
}

/** The platform's `fetch`, which keeps the bodies that it answers. */
function noting(answers: ArrayBuffer[]): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    const response = await fetch(url, init);
    const read = response.arrayBuffer.bind(response);
    response.arrayBuffer = async () => {
      const body = await read();
      answers.push(body);
      return body;
    };
    return response;
  };
}

function joined(pages: PagesRead, first: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * PAGE_SIZE);
  for (const [pageIdx, page] of pages) bytes.set(page, (pageIdx - first) * PAGE_SIZE);
  return bytes;
}

function* range(first: number, count: number): Generator<number> {
  for (let pageIdx = first; pageIdx < first + count; pageIdx++) yield pageIdx;
}
