// Three replicas of one volume and their server, driven by one seed, against a model of what they may show.

import assert from "node:assert/strict";
import {
  TestRemote,
  TestServer,
  unreachable,
} from "../../client/replica/remote/_testing_remote.ts";
import { Replica } from "../../client/replica/replica.ts";
import type { Prefetch } from "../../client/replica/replica.ts";
import type { ReplicaSnapshot } from "../../client/replica/snapshot.ts";
import type { Transaction } from "../../client/replica/transaction.ts";
import { isGraftError } from "../../src/core/errors.ts";
import { newGid, parseGid } from "../../src/core/gid.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { Chance } from "./chance.ts";
import { type Content, isSame, Node, pageWith, serverContent, stampOf } from "./replica_model.ts";
import { Schedule } from "./schedule.ts";

const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const REPLICAS = 3;
/** Pages beyond those that hold the journals. */
const PAGES_MAX = 24;
/** What a run may be refused with while the network and the storages fail. */
const EXPECTED = ["unavailable", "conflict", "aborted", "invalid"] as const;

/** What a run is given. */
export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
}

/** One run. */
export class ReplicaSimulation {
  readonly #chance: Chance;
  readonly #steps: number;
  readonly #schedule = new Schedule();
  readonly #server = new TestServer();
  readonly #nodes = Array.from({ length: REPLICAS }, (_, i) => new Node(i));
  /** What was begun, with the replica that it was begun on. */
  readonly #running = new Map<Promise<void>, Replica | undefined>();
  readonly #bytesMax: number;
  readonly #faults: number;
  /** Of a hundred acts, how many are resets; half of them keep both. */
  readonly #resets: number;
  /** Neighbours come along in some runs: so pages are fetched that were cut off here. */
  readonly #prefetch: Prefetch | undefined;
  #failure: unknown;
  #stamp = 0;
  #isCalm = false;
  /** What happened, for whoever looks for the cause. */
  readonly log: string[] = [];

  constructor({ seed, steps }: SimulationOptions) {
    this.#chance = new Chance(seed);
    this.#steps = steps;
    this.#bytesMax = this.#chance.is(0.4) ? 60_000 : Infinity;
    this.#resets = this.#chance.is(0.4) ? 0 : 4;
    this.#faults = this.#chance.is(0.3) ? 0 : 0.1;
    const hasPrefetch = this.#chance.is(0.5);
    this.#prefetch = hasPrefetch ? (_, { pageCount }) => PageSet.range(1, pageCount) : undefined;
    // in memory alone: it would not outlive the end of its replica
    for (const node of this.#nodes) node.storage.isVolatile = this.#chance.is(0.25);
  }

  /** Runs to the end. @throws What was not as it should be. */
  async run(): Promise<void> {
    try {
      for (let i = 0; i < this.#steps; i++) {
        await this.#act(this.#nodes[this.#chance.below(REPLICAS)]);
        const pause = this.#chance.below(4);
        for (let j = 0; j < pause; j++) await this.#schedule.step();
        if (this.#failure !== undefined) throw this.#failure;
      }
      await this.#calmDown();
    } finally {
      for (const node of this.#nodes) this.#crash(node);
    }
  }

  async #act(node: Node): Promise<void> {
    if (node.replica === undefined) return await this.#open(node);
    const { replica } = node;
    const choice = this.#chance.below(100);
    if (choice < 40) this.#start(node, "commit", () => this.#commit(node, replica));
    else if (choice < 60) this.#start(node, "read", () => this.#look(node, replica));
    else if (choice < 66) this.#start(node, "hold", () => this.#hold(node, replica));
    else if (choice < 70) this.#start(node, "look back", () => this.#lookBack(node));
    else if (choice < 78) this.#start(node, "sync", () => replica.sync());
    else if (choice < 84) this.#setOnline(node, this.#chance.is(0.5));
    else if (choice < 92 && node.storage.isVolatile) this.log.push(`${node.index} stays`);
    else if (choice < 89) this.#crash(node);
    else if (choice < 92) await this.#close(node, replica);
    else if (choice < 92 + this.#resets / 2) {
      this.#start(node, "reset", () => this.#reset(node, replica));
    } else if (choice < 92 + this.#resets) {
      this.#start(node, "keep both", () => this.#keepBoth(node, replica));
    } else if (this.#resets === 0) this.#checkConflict(node, replica);
    else this.#start(node, "replay", () => this.#replay(node, replica));
  }

  #start(node: Node, what: string, run: () => Promise<void>): void {
    this.log.push(`${node.index} ${what}`);
    const { replica } = node;
    const task: Promise<void> = run().then(
      () => void this.log.push(`${node.index} ${what}: done`),
      (error) => {
        const code = isGraftError(error) ? error.code : undefined;
        this.log.push(`${node.index} ${what}: ${error}`);
        const isExpected = EXPECTED.some((expected) => expected === code);
        // what happens to a replica that crashed is nobody's business
        if (!isExpected && node.replica === replica) this.#failure ??= error;
      },
    ).finally(() => this.#running.delete(task));
    this.#running.set(task, replica);
  }

  async #open(node: Node): Promise<void> {
    this.log.push(`${node.index} open`);
    const remote = new TestRemote(this.#server);
    node.remote = remote;
    remote.isConnected = node.isOnline;
    remote.trip = (what) => this.#trip(node, remote, what);
    node.storage.delay = () => this.#schedule.sleep(this.#chance.below(3));
    node.storage.fails = () => this.#isFaulty() && this.#chance.is(0.3);
    node.storage.isSlow = this.#chance.is(0.5);
    const { storage } = node;
    const opening = Replica.open({
      storage,
      remote,
      vid: VID,
      isNew: node.index === 0 && this.#server.line(VID).length === 0,
      newClientId: () => newGid("client", { now: () => 0, monotonic: () => 0 }, this.#chance),
      newVolumeId: () => newGid("volume", { now: () => 0, monotonic: () => 0 }, this.#chance),
      random: this.#chance,
      timers: this.#schedule,
      bytesMax: this.#bytesMax,
      prefetch: this.#prefetch,
    });
    let isOver = false;
    opening.then((replica) => node.replica = replica, (error) => {
      remote.close();
      if (!isGraftError(error, "unavailable")) this.#failure ??= error;
    }).finally(() => isOver = true);
    while (!isOver) await this.#schedule.step();
  }

  async #trip(
    node: Node,
    remote: TestRemote,
    what: "request" | "answer" | "event",
  ): Promise<void> {
    await this.#schedule.sleep(1 + this.#chance.below(10));
    // nothing goes on in a replica that crashed
    if (node.remote !== remote) return await new Promise(() => {});
    if (!node.isOnline) throw unreachable();
    if (this.#isFaulty() && what !== "event") throw unreachable();
  }

  #isFaulty(): boolean {
    return !this.#isCalm && this.#chance.is(this.#faults);
  }

  #setOnline(node: Node, isOnline: boolean): void {
    if (node.isOnline === isOnline) return;
    this.log.push(`${node.index} ${isOnline ? "online" : "offline"}`);
    node.isOnline = isOnline;
    node.remote?.connect(isOnline);
  }

  #crash(node: Node): void {
    if (node.replica === undefined) return;
    this.log.push(`${node.index} crash`);
    node.remote.close();
    node.replica = undefined;
    node.held = [];
    node.storage = node.storage.crash((pending) => this.#chance.below(pending + 1));
  }

  async #close(node: Node, replica: Replica): Promise<void> {
    this.log.push(`${node.index} close`);
    let isClosed = false;
    replica.close().then(() => isClosed = true, (error) => this.#failure ??= error);
    for (let i = 0; !isClosed; i++) {
      assert.ok(i < 10_000, "A replica closes");
      await this.#schedule.step();
    }
    node.replica = undefined;
    node.held = [];
  }

  /** Writes and cuts at random; says what the state that it makes then holds. */
  async #commit(node: Node, replica: Replica): Promise<void> {
    let isReplay = false;
    let made = { state: 0, contents: [] as Content[] };
    let count = 0;
    await replica.transaction(async (tx) => {
      if (isReplay) return await this.#commitAgain(node, tx);
      using snapshot = replica.snapshot();
      const bases = this.#candidates(node, snapshot);
      count = stampOf(await tx.read(node.journal)) + 1;
      const fitting = bases.filter((base) =>
        base.pageCount === tx.pageCount && (base.stamps.get(node.journal) ?? 0) === count - 1
      );
      assert.ok(
        fitting.length > 0,
        `State ${snapshot.state} (LSN ${snapshot.lsn}) of replica ${node.index} has ${tx.pageCount} pages and journal ${
          count - 1
        } instead of ` + bases.map((base) =>
          `${base.pageCount}/${base.stamps.get(node.journal)}`
        ).join(" or "),
      );
      const change = this.#scribble(node, tx, count);
      const state = snapshot.state + 1;
      made = { state, contents: fitting.map(change) };
      node.possible.set(state, [...node.possible.get(state) ?? [], ...made.contents]);
    });
    isReplay = true;
    if (node.replica !== replica) return;
    node.known.set(made.state, made.contents);
    if (node.resets === 0) node.promised = Math.max(node.promised, count);
  }

  /** A transaction runs again on another base: what it makes is known only by reading. */
  async #commitAgain(node: Node, tx: Transaction): Promise<void> {
    const stamps = new Map<number, number>();
    for (let page = 1; page <= tx.pageCount; page++) {
      const stamp = stampOf(await tx.read(page));
      if (stamp > 0) stamps.set(page, stamp);
    }
    const base = { pageCount: tx.pageCount, stamps };
    const change = this.#scribble(node, tx, (stamps.get(node.journal) ?? 0) + 1);
    node.replays.push(change(base));
  }

  /** Changes a transaction, and says how. */
  #scribble(node: Node, tx: Transaction, count: number): (base: Content) => Content {
    const changes: ((stamps: Map<number, number>) => void)[] = [];
    const write = (page: number, stamp: number) => {
      tx.write(page, pageWith(stamp));
      changes.push((stamps) => stamp === 0 ? stamps.delete(page) : stamps.set(page, stamp));
    };
    write(node.journal, count);
    for (let i = this.#chance.below(5); i >= 0; i--) {
      if (this.#chance.is(0.2)) {
        const pageCount = REPLICAS + this.#chance.below(PAGES_MAX);
        tx.truncate(pageCount);
        changes.push((stamps) => {
          for (const page of stamps.keys()) if (page > pageCount) stamps.delete(page);
        });
      } else {
        const page = REPLICAS + 1 + this.#chance.below(PAGES_MAX);
        write(page, this.#chance.is(0.1) ? 0 : 1_000_000 + ++this.#stamp);
      }
    }
    const { pageCount } = tx;
    return (base) => {
      const stamps = new Map(base.stamps);
      for (const change of changes) change(stamps);
      return { pageCount, stamps };
    };
  }

  /** What a snapshot may hold. */
  #candidates(node: Node, snapshot: ReplicaSnapshot): readonly Content[] {
    const known = node.known.get(snapshot.state);
    if (known !== undefined) return known;
    const server = serverContent(this.#server, VID, snapshot.lsn);
    return [...node.possible.get(snapshot.state) ?? [], ...node.replays, server];
  }

  /** A conflict that is none would make people drop their work. */
  #checkConflict(node: Node, replica: Replica): void {
    const { state, lsn = 0 } = replica.status();
    // what was given up while it was on its way may land, and be in the way of what came after
    if (state !== "conflict" || node.resetsEver > 0) return;
    const next = this.#server.line(VID)[lsn];
    assert.ok(next !== undefined, `Replica ${node.index} is in conflict with nobody`);
    assert.ok(!next.pages.has(node.journal), `Replica ${node.index} is in conflict with itself`);
  }

  async #look(node: Node, replica: Replica): Promise<void> {
    this.#checkConflict(node, replica);
    using snapshot = replica.snapshot();
    const { promised } = node;
    const { contents, isWhole } = await this.#check(node, snapshot);
    if (node.replica !== replica || !isWhole || node.resets > 0) return;
    const journal = contents[0].stamps.get(node.journal) ?? 0;
    assert.ok(
      journal >= Math.min(promised, node.promised),
      `Replica ${node.index} lost commits: ${promised} were promised, and ${journal} are there`,
    );
  }

  /** Reads what can be read of a snapshot, and compares it with what it may hold. */
  async #check(
    node: Node,
    snapshot: ReplicaSnapshot,
  ): Promise<{ contents: readonly Content[]; isWhole: boolean }> {
    const candidates = this.#candidates(node, snapshot);
    const seen = new Map<number, number>();
    const pages = Array.from({ length: snapshot.pageCount + 2 }, (_, i) => i + 1);
    await Promise.all(pages.map(async (page) => {
      const peeked = snapshot.peek(page);
      const read = await snapshot.read(page).catch((error) => {
        if (isGraftError(error, "unavailable")) return undefined;
        throw error;
      });
      if (read !== undefined) seen.set(page, stampOf(read));
      if (peeked !== undefined) assert.equal(stampOf(peeked), stampOf(read), `peek(${page})`);
    }));
    const contents = candidates.filter(({ pageCount, stamps }) =>
      pageCount === snapshot.pageCount &&
      [...seen].every(([page, stamp]) => (stamps.get(page) ?? 0) === stamp)
    );
    const shown = JSON.stringify([...seen].sort(([a], [b]) => a - b).filter(([, stamp]) => stamp));
    const wanted = candidates.map(({ pageCount, stamps }) =>
      `${pageCount} ${JSON.stringify([...stamps].sort(([a], [b]) => a - b))}`
    ).join("\n  ");
    assert.ok(
      contents.length > 0,
      `Replica ${node.index} shows what it cannot at state ${snapshot.state} (LSN ${snapshot.lsn}):\n` +
        `  ${snapshot.pageCount} ${shown}\ninstead of\n  ${wanted}`,
    );
    const isWhole = seen.size === pages.length;
    if (isWhole) node.known.set(snapshot.state, contents);
    return { contents, isWhole };
  }

  // deno-lint-ignore require-await -- every act is one that may reject
  async #hold(node: Node, replica: Replica): Promise<void> {
    const snapshot = replica.snapshot();
    // whatever it may hold now is what it has to hold for ever
    const known = this.#candidates(node, snapshot);
    if (!node.known.has(snapshot.state)) node.known.set(snapshot.state, known);
    node.held.push(snapshot);
  }

  async #lookBack(node: Node): Promise<void> {
    const [snapshot] = node.held;
    if (snapshot === undefined) return;
    await this.#check(node, snapshot);
    if (this.#chance.is(0.5) && node.held[0] === snapshot) {
      node.held.shift();
      snapshot.close();
    }
  }

  async #reset(node: Node, replica: Replica): Promise<void> {
    await this.#giveUp(node, () => replica.reset());
  }

  /** What becomes another volume is a state of the replica, with all that was promised. */
  async #keepBoth(node: Node, replica: Replica): Promise<void> {
    const { promised, resets, resetsEver } = node;
    await this.#giveUp(node, async () => {
      const vid = await replica.keepBoth();
      const copy = serverContent(this.#server, vid, this.#server.line(vid).length || undefined);
      const states = [...node.possible.values()].flat();
      const served = [undefined, ...this.#server.line(VID)].map((commit) =>
        serverContent(this.#server, VID, commit?.snapshot.lsn)
      );
      const may = [...states, ...node.replays, ...served];
      assert.ok(may.some((known) => isSame(known, copy)), `Volume ${vid} is nobody's`);
      if (resets > 0 || node.resetsEver > resetsEver + 1) return;
      const journal = copy.stamps.get(node.journal) ?? 0;
      assert.ok(journal >= promised, `Volume ${vid} has ${journal} of ${promised} commits`);
    });
  }

  async #replay(node: Node, replica: Replica): Promise<void> {
    await this.#giveUp(node, () => replica.replay());
  }

  /** Runs what takes promised commits back; what is promised meanwhile may or may not be among them. */
  async #giveUp(node: Node, run: () => Promise<void>): Promise<void> {
    node.resets++;
    node.resetsEver++;
    node.promised = 0;
    try {
      await run();
    } finally {
      node.resets--;
      node.promised = 0;
    }
  }

  /** Nothing fails any more: all replicas come to show what the server has. */
  async #calmDown(): Promise<void> {
    this.#isCalm = true;
    for (const node of this.#nodes) {
      this.#setOnline(node, true);
      if (node.replica === undefined) await this.#open(node);
      assert.ok(node.replica !== undefined, "A replica opens when all is well");
    }
    // what was begun on a replica that crashed never ends
    const living = [...this.#running].filter(([, replica]) =>
      this.#nodes.some((node) => node.replica === replica)
    );
    await this.#finish(Promise.all(living.map(([task]) => task)), "What was begun ends");
    // one after the other, so that nobody commits in between
    for (let round = 0; round < 2; round++) {
      for (const node of this.#nodes) await this.#finish(this.#bringHome(node), "A replica syncs");
    }
    for (const node of this.#nodes) await this.#finish(this.#compare(node), "A replica is read");
    if (this.#failure !== undefined) throw this.#failure;
    this.#checkServer();
  }

  async #bringHome(node: Node): Promise<void> {
    const replica = node.replica!;
    this.#checkConflict(node, replica);
    if (replica.status().state === "conflict") await this.#reset(node, replica);
    await replica.sync().catch(async (error) => {
      if (!isGraftError(error, "conflict")) throw error;
      this.#checkConflict(node, replica);
      await this.#reset(node, replica);
      await replica.sync();
    });
  }

  async #compare(node: Node): Promise<void> {
    const replica = node.replica!;
    const status = replica.status();
    assert.equal(status.state, "synced", `${status.error}`);
    await this.#look(node, replica);
    using snapshot = replica.snapshot();
    assert.equal(snapshot.lsn, this.#server.line(VID).at(-1)?.snapshot.lsn);
    const { contents } = await this.#check(node, snapshot);
    const head = serverContent(this.#server, VID, snapshot.lsn);
    assert.ok(contents.some((content) => isSame(content, head)), "A replica is what the server is");
  }

  async #finish(task: Promise<unknown>, what: string): Promise<void> {
    let isOver = false;
    let failure: unknown;
    task.catch((error) => failure = error).finally(() => isOver = true);
    for (let i = 0; !isOver; i++) {
      assert.ok(i < 20_000, what);
      await this.#schedule.step();
    }
    if (failure !== undefined) throw failure;
  }

  /** Each commit is what a replica showed at some state, and no transaction is in two. */
  #checkServer(): void {
    for (const { snapshot, pages } of this.#server.line(VID)) {
      const content = serverContent(this.#server, VID, snapshot.lsn);
      const made = this.#nodes.filter(({ journal }) => pages.has(journal)).flatMap((node) => [
        ...[...node.possible.values()].flat(),
        ...node.replays,
      ]);
      assert.ok(made.some((known) => isSame(known, content)), `LSN ${snapshot.lsn} is nobody's`);
    }
    const landed = new Map<number, number>();
    for (const { snapshot, pages } of this.#server.line(VID)) {
      for (const page of pages.values()) {
        const stamp = stampOf(page);
        if (stamp < 1_000_000) continue;
        const before = landed.get(stamp) ?? snapshot.lsn;
        assert.equal(before, snapshot.lsn, `Stamp ${stamp} landed twice`);
        landed.set(stamp, snapshot.lsn);
      }
    }
  }
}
