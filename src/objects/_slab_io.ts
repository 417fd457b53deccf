// What the disk cache asks of the platform. It differs from what a store asks in one thing: nothing that
// it writes is waited for by anyone, so a write never holds the event loop, however small it is. (A
// write(2) that finds too many unwritten pages in the kernel waits for the device.)

import * as fs from "node:fs";
import { type DiskIo, type FileDescriptor, systemDisk } from "./_disk_io.ts";

/** What a disk can do for a cache. Methods throw or reject with the system's errors. */
export interface SlabIo extends
  Pick<
    DiskIo,
    | "makeDirectory"
    | "create"
    | "open"
    | "close"
    | "readSync"
    | "read"
    | "remove"
    | "stat"
    | "list"
    | "breathe"
  > {
  /** Appends all of `bytes`; after a failure some of them may be there. */
  append(file: FileDescriptor, bytes: Uint8Array): Promise<void>;
}

async function append(file: FileDescriptor, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await new Promise<number>((resolve, reject) =>
      fs.write(
        file,
        bytes,
        written,
        bytes.length - written,
        null,
        (error, count) => error ? reject(error) : resolve(count),
      )
    );
  }
}

/** The machine's disk. */
export const systemSlabIo: SlabIo = { ...systemDisk, append };
