/**
 * A device with the official SQLite extension, as a child process.
 *
 * @module
 */

import assert from "node:assert/strict";
import { until } from "../harness/poll.ts";
import { pythonPath } from "../../tools/gate/needs.ts";

const SCRIPT = new URL("client.py", import.meta.url).pathname;

/** What a device is set up with. */
export interface DeviceOptions {
  /** The base URLs of metastore and pagestore. */
  readonly metastore: string;
  /** The base URL of the pagestore; the metastore's when not given. */
  readonly pagestore?: string;
  /** The volume to open: its id, or `random` for a new one. */
  readonly volume: string;
  /** Where the device keeps its replica; a new directory when not given, removed at the end. */
  readonly directory?: string;
  /** The client id; the extension draws a new one at each start when not given. */
  readonly clientId?: string;
  /** The token to send. */
  readonly token?: string;
}

/** How far a device is. LSNs are 0 where there is none. */
export interface DevicePosition {
  /** The newest commit in the replica's own line. */
  readonly localLsn: number;
  /** The page count there. */
  readonly pageCount: number;
  /** The newest commit of the replica's line that the server has too. */
  readonly syncedLsn: number;
  /** That commit's LSN on the server. */
  readonly remoteLsn: number;
}

/** Reads what `pragma graft_snapshot` says: `Snapshot[local;pages][synced r remote]`, or nothing. */
export function parsePosition(text: string): DevicePosition {
  const numbers = /^Snapshot\[(\d+);(\d+)\](?:\[(\d+)r(\d+)\])?$/.exec(text);
  const [localLsn, pageCount, syncedLsn, remoteLsn] = [1, 2, 3, 4].map((i) =>
    Number(numbers?.[i] ?? 0)
  );
  return { localLsn, pageCount, syncedLsn, remoteLsn };
}

/** A value of a row. */
export type SqlValue = string | number | null;

/** A device: one process, one replica directory, one open database. */
export class Device {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  readonly #ownsDirectory: boolean;
  /** Where the replica lies. */
  readonly directory: string;

  private constructor(child: Deno.ChildProcess, directory: string, ownsDirectory: boolean) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = linesOf(child.stdout);
    this.directory = directory;
    this.#ownsDirectory = ownsDirectory;
  }

  /** Starts a device and opens its database. */
  static async start(options: DeviceOptions): Promise<Device> {
    const directory = options.directory ?? await Deno.makeTempDir({ prefix: "graft-device-" });
    const child = new Deno.Command(pythonPath(), {
      args: [SCRIPT, options.volume],
      clearEnv: true,
      env: environmentOf(options, directory),
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const device = new Device(child, directory, options.directory === undefined);
    await device.#answer();
    return device;
  }

  /** Runs one statement and returns its rows. */
  async sql(sql: string, values: readonly SqlValue[] = []): Promise<SqlValue[][]> {
    return await this.#ask({ sql, values });
  }

  /** Runs one statement whose answer is one value. */
  async value(sql: string): Promise<SqlValue> {
    const rows = await this.sql(sql);
    assert.equal(rows.length, 1, `"${sql}" answered ${rows.length} rows`);
    return rows[0][0];
  }

  /** Writes random rows of 1 MB each in one transaction. */
  async fill(table: string, megabytes: number): Promise<void> {
    await this.#ask({ fill: { table, megabytes } });
  }

  /** The text that a pragma of the extension answers with. */
  async pragma(name: string): Promise<string> {
    return (await this.sql(`pragma ${name}`)).map((row) => String(row[0])).join("\n");
  }

  /** How far the device is. */
  async position(): Promise<DevicePosition> {
    return parsePosition(await this.pragma("graft_snapshot"));
  }

  /** The id of its volume. */
  async volume(): Promise<string> {
    return await this.#statusField("Volume ID");
  }

  /**
   * The state of its volume: `Ok`, `Conflict`, `RejectedCommit` or `InterruptedPush`.
   *
   * Every `pragma graft_status` starts the extension's second between two pulls anew, so asking more
   * often than that would keep it from pulling at all.
   */
  async state(): Promise<string> {
    return await this.#statusField("Volume status");
  }

  async #statusField(name: string): Promise<string> {
    return new RegExp(`^${name}: (.*)$`, "m").exec(await this.pragma("graft_status"))?.[1] ?? "";
  }

  /** Waits until every local commit has been pushed, and returns the position then. */
  async untilPushed(): Promise<DevicePosition> {
    return await until("the push", async () => {
      const position = await this.position();
      return position.localLsn > 0 && position.localLsn === position.syncedLsn && position;
    });
  }

  /** Waits until the remote commit `lsn` has been pulled (or pushed). */
  async untilAt(lsn: number): Promise<DevicePosition> {
    return await until(`remote LSN ${lsn}`, async () => {
      const position = await this.position();
      return position.remoteLsn >= lsn && position;
    });
  }

  /** Asserts that the database is whole. */
  async assertIntegrity(): Promise<void> {
    assert.deepEqual(await this.sql("pragma integrity_check"), [["ok"]]);
  }

  /** Ends the process at once. Its replica directory stays. */
  async kill9(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#end();
  }

  /** Lets the process end, and removes the replica directory if this device made it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#end();
    if (this.#ownsDirectory) await Deno.remove(this.directory, { recursive: true });
  }

  async #end(): Promise<void> {
    await this.#child.status;
    await this.#input.abort().catch(() => {});
    await this.#lines.return?.();
  }

  async #ask(command: unknown): Promise<SqlValue[][]> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(command)}\n`));
    return await this.#answer();
  }

  async #answer(): Promise<SqlValue[][]> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("Cannot ask the device: its process has ended");
    const { rows, error } = JSON.parse(value);
    if (error !== undefined) throw new Error(error);
    return rows;
  }
}

function environmentOf(options: DeviceOptions, directory: string): Record<string, string> {
  return {
    HOME: directory,
    PATH: Deno.env.get("PATH") ?? "",
    GRAFT_METASTORE: options.metastore,
    GRAFT_PAGESTORE: options.pagestore ?? options.metastore,
    GRAFT_DATA_DIR: `${directory}/replica`,
    GRAFT_LOG_FILE: `${directory}/extension.log`,
    GRAFT_AUTOSYNC: "true",
    ...(options.clientId === undefined ? {} : { GRAFT_CLIENT_ID: options.clientId }),
    ...(options.token === undefined ? {} : { GRAFT_TOKEN: options.token }),
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream() as never)) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
