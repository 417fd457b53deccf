/**
 * A disk in memory that keeps only what was synced when its power fails.
 *
 * It is harsher than real file systems: every name and every file's bytes are lost or kept on their
 * own, and a sync covers what was there when it began.
 *
 * @module
 */

import type { DirectoryEntry, DiskIo, DiskLock, NotedLock } from "../../src/objects/_disk_io.ts";

/** What becomes of that which was not synced when the power fails. */
export type Loss = "all is lost" | "names stay" | "all stays" | "chance decides";

interface FileNode {
  readonly kind: "file";
  bytes: Uint8Array;
  synced: Uint8Array;
}

interface DirectoryNode {
  readonly kind: "directory";
  names: Map<string, Node>;
  synced: Map<string, Node>;
}

type Node = FileNode | DirectoryNode;

/** A change of the disk, or a note of the test's, by which a disk can be led to the same state again. */
export type Step =
  | { readonly kind: "make" | "create" | "remove"; readonly path: string }
  | { readonly kind: "rename" | "link"; readonly path: string; readonly to: string }
  | { readonly kind: "write"; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: "sync begins" | "sync ends"; readonly path: string; readonly sync: number }
  | { readonly kind: "note"; readonly note: string };

/** An error as the system throws it. */
export function systemError(code: string, path = ""): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function newDirectory(): DirectoryNode {
  return { kind: "directory", names: new Map(), synced: new Map() };
}

/** The model; also the {@linkcode DiskIo} of the store under test. */
export class ModelDisk implements DiskIo {
  /** All that happened, in order. */
  readonly steps: Step[] = [];
  /** A process id like any. */
  readonly processId = 4711;
  /** Turns of the event loop that a sync takes; the test may draw them. */
  turnsOfSync: () => number = () => 1;
  readonly #root = newDirectory();
  readonly #open = new Map<number, { readonly node: Node; readonly path: string }>();
  readonly #syncs = new Map<number, { readonly node: Node; readonly state: Node["synced"] }>();
  #nextFile = 3;
  #nextSync = 0;

  /** A disk in the state that `steps` lead to, all of them seen and only what was synced safe. */
  static after(steps: readonly Step[]): ModelDisk {
    const disk = new ModelDisk();
    for (const step of steps) disk.#take(step);
    return disk;
  }

  /** How many files and directories are open. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Marks a moment among the steps. */
  note(note: string): void {
    this.#take({ kind: "note", note });
  }

  /** The disk after a power failure: a new one, with what is left, and that is safe. */
  powerFails(loss: Loss, chance: () => number): ModelDisk {
    const disk = new ModelDisk();
    const survivors = new Map<Node, Node>();
    disk.#root.names = survive(this.#root, loss, chance, survivors).names;
    disk.#root.synced = new Map(disk.#root.names);
    return disk;
  }

  makeDirectory(path: string): void {
    if (this.#find(path)) throw systemError("EEXIST", path);
    this.#take({ kind: "make", path });
  }

  create(path: string): number {
    if (this.#find(path)) throw systemError("EEXIST", path);
    this.#take({ kind: "create", path });
    return this.#opened(path);
  }

  open(path: string): { file: number; sizeBytes: number } {
    const node = this.#find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    if (node.kind !== "file") throw systemError("EISDIR", path);
    return { file: this.#opened(path), sizeBytes: node.bytes.length };
  }

  openDirectory(path: string): number {
    this.#directory(path);
    return this.#opened(path);
  }

  close(file: number): void {
    if (!this.#open.delete(file)) throw systemError("EBADF");
  }

  async write(file: number, bytes: Uint8Array): Promise<void> {
    // in two halves, so that a crash can come between them
    const { path } = this.#handle(file);
    const half = bytes.length >>> 1;
    this.#take({ kind: "write", path, bytes: bytes.slice(0, half) });
    await Promise.resolve();
    this.#take({ kind: "write", path, bytes: bytes.slice(half) });
  }

  readSync(file: number, target: Uint8Array, position: number): number {
    const { node } = this.#handle(file);
    if (node.kind !== "file") throw systemError("EISDIR");
    const bytes = node.bytes.subarray(position, position + target.length);
    target.set(bytes);
    return bytes.length;
  }

  async read(file: number, target: Uint8Array, position: number): Promise<number> {
    await Promise.resolve();
    return this.readSync(file, target, position);
  }

  syncData(file: number): Promise<void> {
    return this.sync(file);
  }

  async sync(file: number): Promise<void> {
    const { path } = this.#handle(file);
    const sync = this.#nextSync++;
    this.#take({ kind: "sync begins", path, sync });
    for (let turn = this.turnsOfSync(); turn > 0; turn--) await Promise.resolve();
    this.#take({ kind: "sync ends", path, sync });
  }

  rename(path: string, to: string): void {
    if (this.#find(path) === undefined) throw systemError("ENOENT", path);
    if (this.#find(to)?.kind === "directory") throw systemError("EISDIR", to);
    this.#take({ kind: "rename", path, to });
  }

  link(path: string, to: string): void {
    if (this.#find(to)) throw systemError("EEXIST", to);
    this.#take({ kind: "link", path, to });
  }

  remove(path: string): void {
    const node = this.#find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    if (node.kind === "directory") throw systemError("EISDIR", path);
    this.#take({ kind: "remove", path });
  }

  stat(path: string): { kind: "file" | "directory"; sizeBytes: number } | undefined {
    const node = this.#find(path);
    return node && { kind: node.kind, sizeBytes: node.kind === "file" ? node.bytes.length : 0 };
  }

  async list(path: string): Promise<DirectoryEntry[]> {
    await Promise.resolve();
    return [...this.#directory(path).names].map(([name, { kind }]) => ({ name, kind }));
  }

  async breathe(): Promise<void> {
    await Promise.resolve();
  }

  tryLock(): DiskLock {
    return { share() {}, release() {} };
  }

  lockShared(): Promise<DiskLock> {
    return Promise.resolve(this.tryLock());
  }

  tryLockFile(): NotedLock {
    return { share() {}, release() {}, note() {} };
  }

  readText(): undefined {
    return undefined;
  }

  #handle(file: number): { readonly node: Node; readonly path: string } {
    const handle = this.#open.get(file);
    if (handle === undefined) throw systemError("EBADF");
    return handle;
  }

  #opened(path: string): number {
    const node = this.#find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    this.#open.set(this.#nextFile, { node, path });
    return this.#nextFile++;
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (node?.kind !== "directory") return undefined;
      node = node.names.get(name);
    }
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    if (node.kind !== "directory") throw systemError("ENOTDIR", path);
    return node;
  }

  #take(step: Step): void {
    this.steps.push(step);
    if (step.kind === "note") return;
    if (step.kind === "sync begins") return this.#beginSync(step.path, step.sync);
    if (step.kind === "sync ends") return this.#endSync(step.sync);
    if (step.kind === "write") return append(this.#find(step.path), step.bytes);
    const { names } = this.#directory(parentOf(step.path));
    const name = nameOf(step.path);
    if (step.kind === "make") names.set(name, newDirectory());
    if (step.kind === "create") {
      names.set(name, { kind: "file", bytes: new Uint8Array(0), synced: new Uint8Array(0) });
    }
    if (step.kind === "rename" || step.kind === "link") {
      this.#directory(parentOf(step.to)).names.set(nameOf(step.to), names.get(name)!);
    }
    if (step.kind === "rename" || step.kind === "remove") names.delete(name);
  }

  #beginSync(path: string, sync: number): void {
    const node = this.#find(path)!;
    const state = node.kind === "file" ? node.bytes : new Map(node.names);
    this.#syncs.set(sync, { node, state });
  }

  #endSync(sync: number): void {
    const { node, state } = this.#syncs.get(sync)!;
    node.synced = state;
    this.#syncs.delete(sync);
  }
}

function append(node: Node | undefined, bytes: Uint8Array): void {
  if (node?.kind !== "file") throw systemError("EBADF");
  const grown = new Uint8Array(node.bytes.length + bytes.length);
  grown.set(node.bytes);
  grown.set(bytes, node.bytes.length);
  node.bytes = grown;
}

function survive<N extends Node>(
  node: N,
  loss: Loss,
  chance: () => number,
  survivors: Map<Node, Node>,
): N {
  const known = survivors.get(node);
  if (known !== undefined) return known as N;
  const survivor: Node = node.kind === "file"
    ? fileOf(bytesLeft(node, loss, chance))
    : directoryOf(namesLeft(node, loss, chance), loss, chance, survivors);
  survivors.set(node, survivor);
  return survivor as N;
}

function fileOf(bytes: Uint8Array): FileNode {
  return { kind: "file", bytes, synced: bytes };
}

function directoryOf(
  names: Map<string, Node>,
  loss: Loss,
  chance: () => number,
  survivors: Map<Node, Node>,
): DirectoryNode {
  const left = new Map(
    [...names].map(([name, child]) => [name, survive(child, loss, chance, survivors)]),
  );
  return { kind: "directory", names: left, synced: new Map(left) };
}

/** Bytes that were not synced may be gone, or hold anything. */
function bytesLeft(file: FileNode, loss: Loss, chance: () => number): Uint8Array {
  if (file.bytes === file.synced || loss === "all stays") return file.bytes;
  if (loss !== "chance decides" || chance() < 0.3) return file.synced;
  const left = file.bytes.slice(0, Math.floor(chance() * (file.bytes.length + 1)));
  return chance() < 0.5 ? left : left.fill(0, file.synced.length);
}

function namesLeft(
  directory: DirectoryNode,
  loss: Loss,
  chance: () => number,
): Map<string, Node> {
  if (loss === "all is lost") return directory.synced;
  if (loss !== "chance decides") return directory.names;
  const left = new Map<string, Node>();
  for (const name of new Set([...directory.names.keys(), ...directory.synced.keys()])) {
    const node = (chance() < 0.5 ? directory.names : directory.synced).get(name);
    if (node !== undefined) left.set(name, node);
  }
  return left;
}
