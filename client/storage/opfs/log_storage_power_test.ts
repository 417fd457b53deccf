// Random batches on a simulated disk whose power is cut at random: what is there afterwards is what some number
// of whole batches left, and never fewer than were told done.

import assert from "node:assert/strict";
import { isGraftError } from "../../../src/core/errors.ts";
import { rowsOf, sampleBytes } from "../_testing.ts";
import { seededRandom, SimulatedFiles } from "./_testing.ts";
import { LogStorage } from "./log_storage.ts";

type Rows = Record<string, Uint8Array>;

const RUNS = Number(Deno.env.get("GRAFT_POWER_RUNS") ?? 150);
const LIVES = 6;

class Run {
  readonly #random: () => number;
  #folder = new SimulatedFiles();
  /** What each batch since the last that is certain left. */
  #states: Rows[] = [{}];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  async live(): Promise<void> {
    const storage = await LogStorage.open({
      name: "opfs:test",
      folder: this.#folder,
      fileBytes: 2048,
    });
    this.#recover(await rowsOf(storage));
    const batches = this.#below(40);
    for (let i = 0; i < batches; i++) await this.#write(storage);
    if (this.#random() < 0.3) {
      await storage.close();
      this.#states.splice(0, this.#states.length - 1);
    }
    this.#folder = this.#folder.cutPower(this.#random);
  }

  #recover(rows: Rows): void {
    const found = this.#states.findLastIndex((state) => sameRows(state, rows));
    assert.ok(found >= 0, `of ${this.#states.length} states none was found`);
    this.#states = [this.#states[found]];
  }

  async #write(storage: LogStorage): Promise<void> {
    const put = new Map<string, Uint8Array>();
    for (let i = this.#below(4); i > 0; i--) put.set(this.#key(), this.#value());
    const remove = [this.#key(), this.#key()].filter((key, i, all) =>
      !put.has(key) && all.indexOf(key) === i
    );
    const next: Rows = { ...this.#states[this.#states.length - 1], ...Object.fromEntries(put) };
    for (const key of remove) delete next[key];
    const durability = this.#random() < 0.4 ? "strict" : "relaxed";
    this.#folder.bytesMax = this.#random() < 0.1 ? this.#folder.bytes + this.#below(800) : Infinity;
    try {
      await storage.write({ put, delete: remove, durability });
    } catch (error) {
      if (!isGraftError(error, "unavailable")) throw error;
      return;
    }
    this.#states.push(next);
    if (durability === "strict") this.#states.splice(0, this.#states.length - 1);
    assert.ok(sameRows(await rowsOf(storage), next), "the rows are not those that were written");
  }

  #key(): string {
    return `v/${this.#below(12)}`;
  }

  #value(): Uint8Array {
    return sampleBytes(this.#below(700), this.#below(1000));
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

function sameRows(a: Rows, b: Rows): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => sameBytes(a[key], b[key]));
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test("whatever a power cut leaves, whole batches are there, and all that were told done", async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const run = new Run(seed);
    try {
      for (let life = 0; life < LIVES; life++) await run.live();
    } catch (cause) {
      throw new Error(`Run ${seed} failed`, { cause });
    }
  }
});
