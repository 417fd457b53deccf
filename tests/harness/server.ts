/**
 * A real server as a child process, to be killed and restarted.
 *
 * @module
 */

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const LOG_BYTES_SHOWN = 4000;
const START_MS_MAX = 30_000;
const RETRY_MS = 25;

/** What a server is started with. */
export interface ServerOptions {
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  /** Variables on top of the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** The data directory; a new one when not given, removed at the end. */
  readonly data?: string;
  /** Where to listen; a free port of the loopback when not given. */
  readonly listen?: string;
  /** A command that starts the server in its own place (it must end in an `exec` of its arguments). */
  readonly prefix?: readonly string[];
}

/** Starts a server on a free port and waits until it answers. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const ownsData = options.data === undefined;
  const data = options.data ?? await Deno.makeTempDir({ prefix: "graft-server-" });
  const server = new ServerProcess(options, data, ownsData);
  await server.start();
  return server;
}

/** A server that listens on one address over all its lives. */
export class ServerProcess {
  readonly #options: ServerOptions;
  readonly #ownsData: boolean;
  #life: Life | undefined;
  #url: string | undefined;
  /** Its data directory. */
  readonly data: string;

  /** Use {@linkcode startServer}. */
  constructor(options: ServerOptions, data: string, ownsData: boolean) {
    this.#options = options;
    this.#ownsData = ownsData;
    this.data = data;
  }

  /** The base URL. It stays the same over restarts. */
  get url(): string {
    if (this.#url === undefined) throw new Error("Cannot name the server's URL: it never started");
    return this.#url;
  }

  /** The process id of the running server. */
  get pid(): number {
    return this.#running().pid;
  }

  /** What the running server has written so far, standard error included. */
  get logs(): string {
    return this.#running().logs;
  }

  /** Starts it (again), on the same data and the same port. */
  async start(): Promise<void> {
    if (this.#life !== undefined) throw new Error("Cannot start the server: it runs");
    const listen = this.#url?.replace("http://", "") ?? this.#options.listen ?? "127.0.0.1:0";
    const life = new Life(this.#options, listen, this.data);
    this.#life = life;
    try {
      this.#url = await life.ready();
    } catch (error) {
      await this.kill9();
      throw error;
    }
  }

  /** Ends the process at once, as a crash would. */
  async kill9(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks the process to end and returns its exit code. */
  async stop(): Promise<number> {
    return await this.#end("SIGTERM");
  }

  /** Ends the process and removes the data directory if this server made it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#life !== undefined) await this.kill9();
    if (this.#ownsData) await Deno.remove(this.data, { recursive: true });
  }

  async #end(signal: Deno.Signal): Promise<number> {
    const life = this.#running();
    this.#life = undefined;
    return await life.end(signal);
  }

  #running(): Life {
    if (this.#life === undefined) throw new Error("Cannot reach the server: it does not run");
    return this.#life;
  }
}

/** One process of a server, from its start to its end. */
class Life {
  readonly #child: Deno.ChildProcess;
  readonly #readers: Promise<void>[];
  readonly #address = Promise.withResolvers<string>();
  #logs = "";

  constructor(options: ServerOptions, listen: string, data: string) {
    const serve = ["serve", "--json", "--listen", listen, "--data", data, ...options.args ?? []];
    const command = [...options.prefix ?? [], Deno.execPath(), "run", "-A", MAIN, ...serve];
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#readers = [
      this.#read(this.#child.stdout, (line) => this.#lookForAddress(line)),
      this.#read(this.#child.stderr, () => {}),
    ];
    this.#child.status.then(({ code }) => {
      this.#address.reject(new Error(`Cannot start the server: it ended with ${code}`));
    });
    this.#address.promise.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid;
  }

  get logs(): string {
    return this.#logs;
  }

  /** Resolves to the base URL when the server answers. */
  async ready(): Promise<string> {
    const deadline = AbortSignal.timeout(START_MS_MAX);
    try {
      const url = await Promise.race([this.#address.promise, whenAborted(deadline)]);
      await untilHealthy(url, deadline);
      return url;
    } catch (cause) {
      const shown = this.#logs.slice(-LOG_BYTES_SHOWN);
      throw new Error(`Cannot start the server: it does not answer\n${shown}`, { cause });
    }
  }

  async end(signal: Deno.Signal): Promise<number> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // it may have ended by itself
      if (!(error instanceof TypeError)) throw error;
    }
    const { code } = await this.#child.status;
    await Promise.all(this.#readers);
    return code;
  }

  #lookForAddress(line: string): void {
    if (!line.startsWith("{")) return;
    const { urls } = JSON.parse(line);
    if (Array.isArray(urls)) this.#address.resolve(String(urls[0]).replace(/\/$/, ""));
  }

  async #read(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      this.#logs += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
    }
  }
}

async function untilHealthy(url: string, deadline: AbortSignal): Promise<void> {
  while (true) {
    try {
      const response = await fetch(`${url}/health`, { signal: deadline });
      if (await response.text() === "OK\n") return;
    } catch (error) {
      if (deadline.aborted) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    deadline.throwIfAborted();
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
