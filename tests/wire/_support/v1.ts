/**
 * The v1 interface as a client would use it that shares no code with the server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { zstdDecompressSync } from "node:zlib";
import { createXXHash64 } from "hash-wasm";
import { encodeBase58 } from "../../../src/core/_base58.ts";
import type { Endpoints } from "./calls.ts";
import { newId, page, textOf } from "./messages.ts";
import type { Bytes } from "./protobuf.ts";
import type { Texts } from "./volume.ts";

/** A snapshot as the routes show it. */
export interface SnapshotJson {
  readonly vid: string;
  readonly cid: string;
  readonly lsn: number;
  readonly checkpointLsn: number;
  readonly pageCount: number;
  readonly timestamp: string;
  readonly digest: string;
}

/** What `changes` answers. */
export interface ChangesJson {
  readonly snapshot: SnapshotJson;
  readonly range: { readonly start: number; readonly end: number } | null;
  readonly graft: string | null;
  readonly sinceDigest: string | null;
}

/** A commit that a test asks for. */
export interface TestTransaction {
  readonly base?: number;
  readonly baseDigest?: string;
  readonly pageCount?: number;
  readonly pages?: Texts;
  readonly requestId?: Bytes;
}

/** What came of a read of pages. */
export interface ReadAnswer {
  readonly vid: string;
  readonly lsn: number;
  readonly pages: Texts;
  /** How many items there were, and how many of them were compressed. */
  readonly items: number;
  readonly compressed: number;
}

const hasher = await createXXHash64(0, 0);

/** xxh64 as a number, by another implementation than ours. */
export function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  if (seed !== 0n) return seeded(bytes, seed);
  return BigInt(`0x${hasher.init().update(bytes).digest("hex")}`);
}

const seededHashers = new Map<bigint, Awaited<ReturnType<typeof createXXHash64>>>();

function seeded(bytes: Uint8Array, seed: bigint): bigint {
  const found = seededHashers.get(seed);
  if (found === undefined) throw new Error("Prepare the seed first");
  return BigInt(`0x${found.init().update(bytes).digest("hex")}`);
}

async function prepareSeed(seed: bigint): Promise<void> {
  const [low, high] = [Number(seed & 0xffffffffn), Number(seed >> 32n)];
  seededHashers.set(seed, await createXXHash64(low, high));
}

/** A new client's volume, over v1. */
export class V1Volume {
  readonly to: Endpoints;
  readonly vidBytes: Bytes;
  readonly cidBytes: Bytes;
  readonly headers: Record<string, string>;

  constructor(
    to: Endpoints,
    vid: Bytes = newId("volume"),
    headers: Record<string, string> = {},
  ) {
    this.to = to;
    this.vidBytes = vid;
    this.cidBytes = newId("client");
    this.headers = headers;
  }

  get vid(): string {
    return encodeBase58(this.vidBytes);
  }

  get url(): string {
    return `${this.to.metastore}/v1/volumes/${this.vid}`;
  }

  /** The bytes of a commit. */
  async body(transaction: TestTransaction): Promise<Bytes> {
    const { base, baseDigest, pageCount, pages = {}, requestId } = transaction;
    const header = new Uint8Array(88);
    header.set(new TextEncoder().encode("GRAFTCMT"));
    const view = new DataView(header.buffer);
    view.setUint16(8, 1, true);
    view.setUint16(10, (pageCount === undefined ? 0 : 1) | (baseDigest ? 2 : 0), true);
    view.setUint32(12, pageCount ?? 0, true);
    header.set(this.vidBytes, 16);
    view.setBigUint64(32, BigInt(base ?? 0), true);
    header.set(this.cidBytes, 40);
    header.set(requestId ?? crypto.getRandomValues(new Uint8Array(16)), 56);
    if (baseDigest) header.set(Uint8Array.fromHex(baseDigest), 72);
    const seed = xxh64(header);
    await prepareSeed(seed);
    const parts = [header];
    const entries = Object.entries(pages);
    for (let at = 0; at < entries.length; at += 16) {
      const item = entries.slice(at, at + 16);
      parts.push(itemOf(seed, item.map(([idx, text]) => [Number(idx), page(text)])));
    }
    parts.push(sealed(seed, new Uint8Array(0), 0, 0, entries.length));
    return joined(parts);
  }

  /** Commits, whatever the answer. */
  async tryCommit(
    transaction: TestTransaction,
    init: RequestInit & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    return await fetch(`${this.url}/commits`, {
      method: "POST",
      body: init.body ?? await this.body(transaction),
      headers: {
        "content-type": "application/vnd.graft.commit",
        ...this.headers,
        ...init.headers,
      },
    });
  }

  /** Commits, and expects that it lands. */
  async commit(transaction: TestTransaction): Promise<SnapshotJson> {
    const response = await this.tryCommit(transaction);
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  }

  /** Asks for pages, whatever the answer. */
  async tryRead(set: string, lsn?: number, accept?: string): Promise<Response> {
    const query = lsn === undefined ? "" : `?lsn=${lsn}`;
    const headers = { ...this.headers, ...(accept === undefined ? {} : { accept }) };
    return await fetch(`${this.url}/pages/${set}${query}`, { headers });
  }

  /** Reads pages. */
  async read(set: string, lsn?: number, accept?: string): Promise<ReadAnswer> {
    const response = await this.tryRead(set, lsn, accept);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/vnd.graft.pages");
    return await readStream(new Uint8Array(await response.arrayBuffer()));
  }

  /** What changed. */
  async changes(query = ""): Promise<ChangesJson> {
    const response = await fetch(`${this.url}/changes${query}`, { headers: this.headers });
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  }
}

function itemOf(seed: bigint, pages: readonly (readonly [number, Uint8Array])[]): Bytes {
  const n = pages.length;
  const body = new Uint8Array(n * (4 + 8 + 4096));
  const view = new DataView(body.buffer);
  for (const [i, [idx, content]] of pages.entries()) {
    view.setUint32(i * 4, idx, true);
    view.setBigUint64(n * 4 + i * 8, xxh64(content), true);
    body.set(content, n * 12 + i * 4096);
  }
  return sealed(seed, body, n, 2 ** n - 1, n * (8 + 4096));
}

function sealed(seed: bigint, body: Bytes, count: number, mask: number, length: number): Bytes {
  const item = new Uint8Array(16 + body.length);
  const view = new DataView(item.buffer);
  view.setUint8(8, count);
  view.setUint16(10, mask, true);
  view.setUint32(12, length, true);
  item.set(body, 16);
  view.setBigUint64(0, xxh64(item.subarray(8, 16 + count * 12), seed), true);
  return item;
}

function joined(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Reads a page stream as docs/formats/page_stream.md has it, and checks all of it. */
export async function readStream(bytes: Uint8Array, read = textOf): Promise<ReadAnswer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.equal(new TextDecoder().decode(bytes.subarray(0, 8)), "GRAFTPGS");
  assert.equal(view.getUint16(8, true), 1);
  const seed = xxh64(bytes.subarray(0, 40));
  await prepareSeed(seed);
  const pages: Record<number, string> = {};
  let [at, items, compressed, delivered] = [40, 0, 0, 0];
  for (;;) {
    const count = view.getUint8(at + 8);
    const checked = bytes.subarray(at + 8, at + 16 + count * 12);
    assert.equal(view.getBigUint64(at, true), xxh64(checked, seed));
    const mask = view.getUint16(at + 10, true);
    const length = view.getUint32(at + 12, true);
    if (count === 0) {
      assert.equal(length, delivered);
      assert.equal(at + 16, bytes.length);
      break;
    }
    items++;
    const stored = bytes.subarray(at + 16 + count * 4, at + 16 + count * 4 + length);
    const isZstd = view.getUint8(at + 9) === 1;
    if (isZstd) compressed++;
    const payload = stored.subarray(count * 8);
    const raw = isZstd ? new Uint8Array(zstdDecompressSync(payload)) : payload;
    assert.equal(raw.length, count * 4096);
    for (let i = 0; i < count; i++) {
      const content = raw.subarray(i * 4096, (i + 1) * 4096);
      assert.equal(view.getBigUint64(at + 16 + count * 4 + i * 8, true), xxh64(content));
      if ((mask >> i & 1) === 0) continue;
      assert.ok(!(view.getUint32(at + 16 + i * 4, true) in pages), "a page came twice");
      delivered++;
      pages[view.getUint32(at + 16 + i * 4, true)] = read(content);
    }
    at += 16 + count * 4 + length;
  }
  const vid = encodeBase58(bytes.slice(16, 32));
  return { vid, lsn: Number(view.getBigUint64(32, true)), pages, items, compressed };
}
