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

/** What `pragma graft_status` says. LSNs are 0 where there is none. */
export interface DeviceStatus {
  /** The volume's id. */
  readonly volume: string;
  /** `Ok`, `Conflict`, `RejectedCommit` or `InterruptedPush`. */
  readonly status: string;
  /** The newest commit in the replica's own line. */
  readonly localLsn: number;
  /** The page count there. */
  readonly pageCount: number;
  /** The newest commit of the replica's line that the server has too. */
  readonly syncedLsn: number;
  /** That commit's LSN on the server. */
  readonly remoteLsn: number;
}

/** Reads the text of `pragma graft_status`; its snapshot is `Snapshot[local;pages][synced r remote]`. */
export function parseStatus(text: string): DeviceStatus {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
  const numbers = /^Snapshot\[(\d+);(\d+)\](?:\[(\d+)r(\d+)\])?$/.exec(field("Current snapshot"));
  const [localLsn, pageCount, syncedLsn, remoteLsn] = [1, 2, 3, 4].map((i) =>
    Number(numbers?.[i] ?? 0)
  );
  const volume = field("Volume ID");
  return { volume, status: field("Volume status"), localLsn, pageCount, syncedLsn, remoteLsn };
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

  /** What the extension says about its volume. */
  async status(): Promise<DeviceStatus> {
    return parseStatus(await this.pragma("graft_status"));
  }

  /** Waits until every local commit has been pushed, and returns the status then. */
  async untilPushed(): Promise<DeviceStatus> {
    return await until("the push", async () => {
      const status = await this.status();
      return status.localLsn > 0 && status.localLsn === status.syncedLsn && status;
    });
  }

  /** Waits until the remote commit `lsn` has been pulled (or pushed). */
  async untilAt(lsn: number): Promise<DeviceStatus> {
    return await until(`remote LSN ${lsn}`, async () => {
      const status = await this.status();
      return status.remoteLsn >= lsn && status;
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
