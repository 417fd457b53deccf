/**
 * The file that is exported to.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { fileError } from "../sqlite_file/errors.ts";

/** What SQLite would read together with the new file, though it belongs to an old one. */
const LEFTOVERS = ["-journal", "-wal"];

/**
 * A file that has its name only when it is whole: until then it is `FILE.partial` beside it.
 *
 * One process at a time has the partial file, by a lock; what another left there is written over.
 */
export class TargetFile implements Disposable {
  readonly #path: string;
  readonly #partial: Deno.FsFile;
  #isClosed = false;
  /** Where the file is until it is whole. */
  readonly partialPath: string;

  private constructor(path: string, partialPath: string, partial: Deno.FsFile) {
    this.#path = path;
    this.partialPath = partialPath;
    this.#partial = partial;
  }

  /**
   * Begins a file.
   *
   * @param replace Whether a file that is there may be replaced.
   * @throws {GraftError} `conflict` where there is a file already, the journal of one, or another export;
   * `missing` where there is no such directory; `forbidden`.
   */
  static create(path: string, replace: boolean): TargetFile {
    const action = `export to "${path}"`;
    try {
      refuseExisting(path, action, replace);
      const partialPath = `${path}.partial`;
      refuseStranger(partialPath, action);
      const partial = Deno.openSync(partialPath, { read: true, write: true, create: true });
      if (partial.tryLockSync(true)) {
        partial.truncateSync(0);
        return new TargetFile(path, partialPath, partial);
      }
      partial.close();
      throw new GraftError("conflict", `Cannot ${action}: another export to it is under way`);
    } catch (error) {
      throw describe(error, path, action);
    }
  }

  /** Writes bytes at a place, in bytes from the start. What is passed over is zeros. */
  async write(at: number, bytes: Uint8Array): Promise<void> {
    await this.#run(async () => {
      await this.#partial.seek(at, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) {
        done += await this.#partial.write(bytes.subarray(done));
      }
    });
  }

  /** Gives the file its length, and waits until all of it is on the disk. */
  async finish(length: number): Promise<void> {
    await this.#run(async () => {
      await this.#partial.truncate(length);
      await this.#partial.sync();
    });
  }

  /** Gives the file its name. Nothing else may follow. */
  async publish(): Promise<void> {
    await this.#run(() => Deno.rename(this.partialPath, this.#path));
    this.#close();
  }

  /** Removes what was not published. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    Deno.removeSync(this.partialPath);
    this.#close();
  }

  #close(): void {
    this.#isClosed = true;
    this.#partial.close();
  }

  async #run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw fileError(`export to "${this.#path}"`, error);
    }
  }
}

/** What leads elsewhere would be written to there. */
function refuseStranger(partialPath: string, action: string): void {
  try {
    if (Deno.lstatSync(partialPath).isFile) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new GraftError("conflict", `Cannot ${action}: "${partialPath}" is no plain file`, {
    hint: "An export writes there first: move it away",
  });
}

function refuseExisting(path: string, action: string, replace: boolean): void {
  const found = statOf(path);
  if (found?.isDirectory) throw new GraftError("invalid", `Cannot ${action}: it is a directory`);
  const leftover = LEFTOVERS.find((suffix) => statOf(path + suffix) !== undefined);
  if (leftover !== undefined) {
    throw new GraftError(
      "conflict",
      `Cannot ${action}: SQLite would take "${path}${leftover}" for a part of it`,
      { hint: "Close the programs that have the old file open, or remove what one left behind" },
    );
  }
  if (found === undefined || replace) return;
  throw new GraftError("conflict", `Cannot ${action}: there is such a file already`, {
    hint: "Replace it with --force",
  });
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function describe(error: unknown, path: string, action: string): unknown {
  if (!(error instanceof Deno.errors.NotFound)) return fileError(action, error);
  return new GraftError("missing", `Cannot ${action}: there is no such directory`, {
    cause: error,
    hint: `Make it with: mkdir -p "${path.replace(/[^/]*$/, "") || "."}"`,
  });
}
