/**
 * A program of others as a child process on a port of its own.
 *
 * @module
 */

import { pause, until } from "../poll.ts";

const LOG_BYTES_SHOWN = 4000;
const START_MS_MAX = 30_000;
const RETRY_MS = 25;

/** How a program is started. */
export interface ChildOptions {
  /** The program's path. */
  readonly path: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Variables on top of the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it answers; what it throws counts as no. */
  readonly isReady: () => Promise<boolean>;
}

/** A running program that can be ended and started again, in the same place. */
export class Child {
  readonly #options: ChildOptions;
  #process: Deno.ChildProcess | undefined;
  #reading: Promise<void>[] = [];
  #logs = "";

  private constructor(options: ChildOptions) {
    this.#options = options;
  }

  /** Starts a program and waits until it answers. */
  static async start(options: ChildOptions): Promise<Child> {
    const child = new Child(options);
    await child.start();
    return child;
  }

  /** What it has written, both streams. */
  get logs(): string {
    return this.#logs;
  }

  /** Starts it again after {@linkcode Child.kill}. */
  async start(): Promise<void> {
    const { path, args, env } = this.#options;
    this.#process = new Deno.Command(path, {
      args: [...args],
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = [this.#read(this.#process.stdout), this.#read(this.#process.stderr)];
    await this.#untilReady();
  }

  /**
   * Stops it for a while, as if it hung: {@linkcode Child.resume} lets it go on. Resolves when its last
   * thread has stopped: until then one may still answer.
   */
  async pause(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    process.kill("SIGSTOP");
    await until("the program to stop", () => isStopped(process.pid), { everyMs: 1 });
  }

  /** Ends a {@linkcode Child.pause}. */
  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    try {
      process.kill("SIGKILL");
    } catch (error) {
      // it may have ended by itself
      if (!(error instanceof TypeError)) throw error;
    }
    await process.status;
    await Promise.all(this.#reading);
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + START_MS_MAX;
    while (performance.now() < deadline) {
      if (await this.#options.isReady().catch(() => false)) return;
      await pause(RETRY_MS);
    }
    await this.kill();
    const { path } = this.#options;
    throw new Error(`Cannot start "${path}": no answer\n${this.#logs.slice(-LOG_BYTES_SHOWN)}`);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) this.#logs += decoder.decode(bytes, { stream: true });
  }
}

/** Whether all threads of a process stand still; true where the system does not tell. */
async function isStopped(pid: number): Promise<boolean> {
  if (Deno.build.os !== "linux") return true;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    // a thread that just ended is looked for in vain
    const status = await Deno.readTextFile(`/proc/${pid}/task/${name}/status`).catch(() => "");
    if (!/^State:\tT/m.test(status)) return false;
  }
  return true;
}

/** A port of the loopback that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
