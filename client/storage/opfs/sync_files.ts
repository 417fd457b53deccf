/**
 * The seam to files that are read and written without waiting: those of the browser's own file system, or
 * simulated ones.
 *
 * @module
 */

/** An open file. Its methods throw what the platform throws. */
export interface SyncFile {
  /** Bytes of the file. */
  size(): number;
  /** Reads from `at` on; returns how many bytes were read. */
  read(into: Uint8Array, at: number): number;
  /** Writes all of `bytes` from `at` on; what it throws may leave some of them written. */
  write(bytes: Uint8Array, at: number): void;
  /** Cuts the file. */
  truncate(size: number): void;
  /** Makes what was written survive a crash of the machine. */
  flush(): void;
  /** Lets go of the file. */
  close(): void;
}

/** Files of one folder, by name. */
export interface SyncFiles {
  /** The names of all files, in any order. */
  list(): Promise<string[]>;
  /** Opens a file, empty where it was not there. */
  open(name: string): Promise<SyncFile>;
  /** Removes a file, which is not open. After a crash of the machine it may be there again. */
  remove(name: string): Promise<void>;
}
