// Places for the conformance suite in a browser.

import { openStorage } from "../../../client/storage/open_storage.ts";
import type { StoragePlace } from "../../../client/storage/_testing.ts";

interface Directory {
  getDirectoryHandle(name: string): Promise<Directory>;
  removeEntry(name: string, options: { recursive: true }): Promise<void>;
}

interface Request {
  readonly error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

/** A new place of the scheme `opfs`, `idb` or `memory`. */
export function makePlace(scheme: string): Promise<StoragePlace> {
  const name = scheme === "memory" ? "" : crypto.randomUUID();
  return Promise.resolve({
    open: (options) => openStorage(`${scheme}:${name}`, options),
    remove: () => removeStorage(scheme, name),
  });
}

/** Removes a storage that nobody has open. */
export async function removeStorage(scheme: string, name: string): Promise<void> {
  if (scheme === "idb") await deleteDatabase(`graft/${name}`);
  if (scheme !== "opfs") return;
  const { storage } = navigator as unknown as { storage: { getDirectory(): Promise<Directory> } };
  const folder = await (await storage.getDirectory()).getDirectoryHandle("graft");
  await folder.removeEntry(name, { recursive: true });
}

function deleteDatabase(name: string): Promise<void> {
  const { indexedDB } = globalThis as unknown as {
    indexedDB: { deleteDatabase(name: string): Request };
  };
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
