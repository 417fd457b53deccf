// The one file of this folder that touches the platform. Everything above it takes a DiskIo, so that
// tests can record the order of calls, fail any of them, and lose what was not synced.
//
// Calls that only touch the kernel's caches are synchronous: a small pread takes about a
// microsecond, and on this runtime the trip through a thread that makes it asynchronous takes fifty.
// Calls that wait for the device (syncs, large reads and writes) are asynchronous.

import * as fs from "node:fs";
import { setImmediate } from "node:timers";
import { promisify } from "node:util";

/** Reads and writes up to this many bytes are synchronous: at memory speed about 50 microseconds. */
export const SYNC_IO_BYTES_MAX = 256 * 1024;

/** A file that is open; opaque above this file. */
export type FileDescriptor = number;

/** One name in a directory. */
export interface DirectoryEntry {
  /** The name, without the path. */
  readonly name: string;
  /** What it names. */
  readonly kind: "file" | "directory" | "other";
}

/** A lock that is held until it is released or the process ends. */
export interface DiskLock {
  /** Lets others hold the lock beside this one. */
  share(): void;
  /** Lets go of the lock. */
  release(): void;
}

/** A lock on a file that can tell others who holds it. */
export interface NotedLock extends DiskLock {
  /** Replaces what the file holds. */
  note(text: string): void;
}

/** What a disk can do. Methods throw or reject with the system's errors, whose `code` is `ENOENT` etc. */
export interface DiskIo {
  /** Makes one directory; its parent exists. */
  makeDirectory(path: string): void;
  /** Makes a new file, open for writing; `EEXIST` when there is one. */
  create(path: string): FileDescriptor;
  /** Opens a file for reading. */
  open(path: string): { readonly file: FileDescriptor; readonly sizeBytes: number };
  /** Opens a directory for {@linkcode DiskIo.sync}. */
  openDirectory(path: string): FileDescriptor;
  /** Closes a file or a directory. */
  close(file: FileDescriptor): void;
  /** Appends all of `bytes`, at once where they are few. */
  write(file: FileDescriptor, bytes: Uint8Array): Promise<void>;
  /** Reads at `position` until `target` is full or the file ends; returns the bytes read. */
  readSync(file: FileDescriptor, target: Uint8Array, position: number): number;
  /** The same without blocking the event loop. */
  read(file: FileDescriptor, target: Uint8Array, position: number): Promise<number>;
  /** Resolves when a file's bytes and length survive a power loss. */
  syncData(file: FileDescriptor): Promise<void>;
  /** Resolves when all of a file, or the names in a directory, survive a power loss. */
  sync(file: FileDescriptor): Promise<void>;
  /** Gives a file another name, in place of what had it. */
  rename(from: string, to: string): void;
  /** Gives a file a second name; `EEXIST` when that is taken. */
  link(from: string, to: string): void;
  /** Removes a file's name; `EISDIR` when it is a directory's. */
  remove(path: string): void;
  /** What a name names; undefined when there is no such name. */
  stat(
    path: string,
  ): { readonly kind: DirectoryEntry["kind"]; readonly sizeBytes: number } | undefined;
  /** The names in a directory, in any order. */
  list(path: string): Promise<DirectoryEntry[]>;
  /** Resolves after other work of the event loop has had its turn. */
  breathe(): Promise<void>;
  /** Takes the kernel's exclusive lock on a directory; undefined when others hold one. */
  tryLock(directory: string): DiskLock | undefined;
  /** Takes the kernel's shared lock on a directory; waits while another holds it exclusively. */
  lockShared(directory: string): Promise<DiskLock>;
  /** Takes the kernel's exclusive lock on a file, made if needed; undefined when it is held. */
  tryLockFile(path: string): NotedLock | undefined;
  /** What a small text file holds; undefined when there is none. */
  readText(path: string): string | undefined;
  /** The number of this process. */
  readonly processId: number;
}

/** The code of a system error: `ENOSPC`; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const syncFileData = promisify(fs.fdatasync);
const syncFile = promisify(fs.fsync);

function kindOf(entry: Deno.DirEntry | Deno.FileInfo): DirectoryEntry["kind"] {
  if (entry.isFile) return "file";
  return entry.isDirectory ? "directory" : "other";
}

/** By `Deno.readDir`: of a million names, `node:fs` holds the event loop for seconds, this not. */
async function listDirectory(path: string): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for await (const entry of Deno.readDir(path)) {
    entries.push({ name: entry.name, kind: kindOf(entry) });
  }
  return entries;
}

async function writeAll(file: FileDescriptor, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const left = bytes.length - written;
    written += left <= SYNC_IO_BYTES_MAX
      ? fs.writeSync(file, bytes, written, left)
      : await new Promise<number>((resolve, reject) =>
        fs.write(file, bytes, written, left, null, (error, count) =>
          error ? reject(error) : resolve(count))
      );
  }
}

function readAllSync(file: FileDescriptor, target: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < target.length) {
    const count = fs.readSync(file, target, filled, target.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

async function readAll(
  file: FileDescriptor,
  target: Uint8Array,
  position: number,
): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const count = await new Promise<number>((resolve, reject) =>
      fs.read(
        file,
        target,
        filled,
        target.length - filled,
        position + filled,
        (error, count) => error ? reject(error) : resolve(count),
      )
    );
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

function notAFile(path: string): Error {
  return Object.assign(new Error(`"${path}" is not a file`), { code: "EISDIR" });
}

function openForReading(path: string): { file: FileDescriptor; sizeBytes: number } {
  const file = fs.openSync(path, "r");
  const stat = fs.fstatSync(file);
  if (stat.isFile()) return { file, sizeBytes: stat.size };
  fs.closeSync(file);
  throw notAFile(path);
}

/** This runtime's unlink removes an empty directory too, which unlink(2) never does. */
function removeFile(path: string): void {
  if (Deno.lstatSync(path).isDirectory) throw notAFile(path);
  fs.unlinkSync(path);
}

function toLock(file: Deno.FsFile): NotedLock {
  return {
    share: () => file.lockSync(false),
    note(text) {
      file.truncateSync(0);
      file.seekSync(0, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode(text));
    },
    release: () => file.close(),
  };
}

function tryLock(file: Deno.FsFile): NotedLock | undefined {
  if (file.tryLockSync(true)) return toLock(file);
  file.close();
  return undefined;
}

async function lockShared(directory: string): Promise<DiskLock> {
  const file = await Deno.open(directory);
  await file.lock(false);
  return toLock(file);
}

/** `undefined` in place of the error of a name that is not there. */
function unlessAbsent<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The machine's disk. */
export const systemDisk: DiskIo = {
  makeDirectory: (path) => fs.mkdirSync(path),
  create: (path) => fs.openSync(path, "wx"),
  open: openForReading,
  openDirectory: (path) => fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY),
  close: (file) => fs.closeSync(file),
  write: writeAll,
  readSync: readAllSync,
  read: readAll,
  syncData: (file) => syncFileData(file),
  sync: (file) => syncFile(file),
  rename: (from, to) => fs.renameSync(from, to),
  link: (from, to) => fs.linkSync(from, to),
  remove: removeFile,
  stat: (path) =>
    unlessAbsent(() => {
      const stat = Deno.statSync(path);
      return { kind: kindOf(stat), sizeBytes: stat.size };
    }),
  list: listDirectory,
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
  tryLock: (directory) => tryLock(Deno.openSync(directory)),
  lockShared,
  tryLockFile: (path) => tryLock(Deno.openSync(path, { read: true, write: true, create: true })),
  readText: (path) => unlessAbsent(() => fs.readFileSync(path, "utf8")),
  processId: Deno.pid,
};

/** Names the path on stderr and ends the process: see `DiskStoreOptions.onSyncFailure`. */
export function endProcess(path: string, error: unknown): never {
  console.error(`Cannot sync "${path}": ${error instanceof Error ? error.message : String(error)}`);
  console.error(
    "What it holds may be lost, so the process ends now; check the disk, then start again",
  );
  Deno.exit(1);
}
