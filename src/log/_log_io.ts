// The one file of this folder that touches the platform.

import { dirname } from "node:path";
import { mkdirSync, statSync } from "node:fs";
import { GraftError } from "../core/errors.ts";
import type { KvHandle } from "./kv/kv_handle.ts";

/** The path of a store that is gone when it is closed. */
export const MEMORY_PATH = ":memory:";

/**
 * Opens a Deno KV store in a file, which is made if it is not there.
 *
 * @throws {GraftError} `invalid` when the program runs without Deno KV.
 */
export async function openStoreFile(path: string): Promise<KvHandle> {
  // absent, whatever the types say, unless the program asks for it
  if (!("openKv" in Deno)) {
    throw new GraftError("invalid", "Cannot open the log: Deno KV is switched off", {
      hint: 'Run with --unstable-kv, or set "unstable": ["kv"] in deno.json',
    });
  }
  return await Deno.openKv(path);
}

/** Sends a request over HTTP. */
export function send(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** The access token of a store over KV Connect, where Deno's own client looks for it. */
export function accessToken(): string | undefined {
  return Deno.env.get("DENO_KV_ACCESS_TOKEN");
}

/**
 * Takes the kernel's lock on a file, which is made if it is not there. It ends with its holder, so a
 * killed process leaves none. The file stays: if it were removed, two others could lock two files.
 *
 * @returns What lets go of the lock; undefined when another handle holds it, in whatever process.
 */
export function tryLockFile(path: string): (() => void) | undefined {
  const file = Deno.openSync(path, { create: true, write: true });
  if (file.tryLockSync(true)) return () => file.close();
  file.close();
  return undefined;
}

/** Makes a directory and those above it, so that they survive a power loss. */
export function makeDirectories(path: string): void {
  const made: string[] = [];
  while (statSync(path, { throwIfNoEntry: false }) === undefined) {
    made.push(path);
    path = dirname(path);
  }
  for (const directory of made.reverse()) {
    mkdirSync(directory);
    syncDirectory(dirname(directory));
  }
}

function syncDirectory(path: string): void {
  using directory = Deno.openSync(path, { read: true });
  directory.syncSync();
}
