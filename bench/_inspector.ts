/**
 * What V8 tells of a process over its inspector.
 *
 * @module
 */

/** Starts the command behind it (`deno run …`) with an inspector on a free port. */
export function inspected(): string[] {
  const script = 'deno=$1; shift 2; exec "$deno" run --inspect=127.0.0.1:0 "$@"';
  return ["sh", "-c", script, "sh"];
}

/** One connection. */
export class Inspector implements AsyncDisposable {
  readonly #socket: WebSocket;
  #calls = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /**
   * Connects.
   *
   * @param logs What the process has written: the inspector's address is in it.
   */
  static async connect(logs: string): Promise<Inspector> {
    const address = /ws:\/\/\S+/.exec(logs)?.[0];
    if (address === undefined) throw new Error("Cannot inspect the process: it has no inspector");
    const socket = new WebSocket(address);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error(`Cannot connect to ${address}`));
    await opened.promise;
    return new Inspector(socket);
  }

  /** Calls a method of the Chrome DevTools protocol. */
  async call(method: string): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#calls;
    const answer = Promise.withResolvers<Record<string, unknown>>();
    this.#socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data));
      if (message.id === id) answer.resolve(message.result);
    };
    this.#socket.onclose = () => answer.reject(new Error(`Cannot call ${method}: it hung up`));
    this.#socket.send(JSON.stringify({ id, method }));
    return await answer.promise;
  }

  /** Hangs up. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.close();
    await closed;
  }
}
