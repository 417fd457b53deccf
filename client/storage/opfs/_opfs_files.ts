// Folders of the browser's own file system, whose files a worker reads and writes without waiting.

import { GraftError } from "../../../src/core/errors.ts";
import type { SyncFile, SyncFiles } from "./sync_files.ts";

// The types of the DOM library, as far as they are used here: not every runtime's library has them.

interface SyncAccessHandle {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

interface FileHandle {
  createSyncAccessHandle?(): Promise<SyncAccessHandle>;
}

interface DirectoryHandle {
  keys(): AsyncIterable<string>;
  getDirectoryHandle(name: string, options: { create: boolean }): Promise<DirectoryHandle>;
  getFileHandle(name: string, options: { create: boolean }): Promise<FileHandle>;
  removeEntry(name: string): Promise<void>;
}

interface StorageManager {
  getDirectory?(): Promise<DirectoryHandle>;
}

const TOP_FOLDER = "graft";

/** Whether this is a worker of a kind that has such files. */
export function hasSyncFiles(): boolean {
  const fileHandle = (globalThis as { FileSystemFileHandle?: { prototype: FileHandle } })
    .FileSystemFileHandle;
  return fileHandle !== undefined && "createSyncAccessHandle" in fileHandle.prototype;
}

/** Opens the folder `graft/NAME`, which is made where it is not there. */
export async function openFolder(name: string): Promise<SyncFiles> {
  const { storage } = globalThis.navigator as { storage?: StorageManager };
  const root = await storage?.getDirectory?.();
  if (root === undefined) {
    throw new GraftError(
      "invalid",
      `Cannot open "opfs:${name}": there is no such file system here`,
    );
  }
  const top = await root.getDirectoryHandle(TOP_FOLDER, { create: true });
  const folder = await top.getDirectoryHandle(name, { create: true });
  return {
    list: async () => {
      const names: string[] = [];
      for await (const fileName of folder.keys()) names.push(fileName);
      return names;
    },
    open: (fileName) => openFile(folder, fileName),
    remove: (fileName) => folder.removeEntry(fileName),
  };
}

async function openFile(folder: DirectoryHandle, name: string): Promise<SyncFile> {
  const file = await folder.getFileHandle(name, { create: true });
  const handle = await file.createSyncAccessHandle?.();
  if (handle === undefined) throw new TypeError("There are no sync access handles here");
  return {
    size: () => handle.getSize(),
    read: (into, at) => handle.read(into, { at }),
    write: (bytes, at) => writeAll(handle, bytes, at),
    truncate: (size) => handle.truncate(size),
    flush: () => handle.flush(),
    close: () => handle.close(),
  };
}

function writeAll(handle: SyncAccessHandle, bytes: Uint8Array, at: number): void {
  const written = handle.write(bytes, { at });
  if (written === bytes.length) return;
  throw new DOMException(`${written} of ${bytes.length} bytes were written`, "QuotaExceededError");
}
