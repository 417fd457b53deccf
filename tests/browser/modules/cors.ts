// A page that calls a server of another origin: by hand, and with our clients.

import { GraftClient } from "../../../client/graft_client.ts";
import { openReplica } from "../../../client/open_replica.ts";
import type { GraftClientOptions } from "../../../client/options.ts";
import { serveCalls } from "../page/calls.ts";

interface EventSource {
  addEventListener(type: string, listener: (event: { data: string }) => void): void;
  close(): void;
}

const CALLS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  /** What the page may know of an answer. */
  async ask(url: string, init: RequestInit) {
    const response = await fetch(url, init);
    const headers = Object.fromEntries(response.headers);
    return { type: response.type, status: response.status, headers, text: await response.text() };
  },
  /** The first event of a stream. */
  async firstEvent(url: string, init: RequestInit) {
    const abort = new AbortController();
    const { body } = await fetch(url, { ...init, signal: abort.signal });
    const text = body!.pipeThrough(new TextDecoderStream());
    let seen = "";
    for await (const chunk of text.values({ preventCancel: true })) {
      seen += chunk;
      const data = /^data: (.*)\n/m.exec(seen)?.[1];
      if (data !== undefined) return JSON.parse(data);
    }
  },
  /** The same, with what browsers have for events. */
  firstOfSource: (url: string) =>
    new Promise((resolve, reject) => {
      const { EventSource } = globalThis as unknown as {
        EventSource: new (url: string) => EventSource;
      };
      const source = new EventSource(url);
      source.addEventListener("commit", ({ data }) => {
        source.close();
        resolve(JSON.parse(data));
      });
      source.addEventListener("error", () => {
        source.close();
        reject(new Error("The browser gives the page no events"));
      });
    }),
  /** Pushes page 1 with the lite client, then reads it. */
  async pushAndRead(url: string, vid: string, options: GraftClientOptions) {
    const client = new GraftClient(url, options);
    await client.push(vid, undefined, [[1, new Uint8Array(4096).fill(7)]], 1);
    return (await client.read(vid, undefined, [1])).page(1)?.[0];
  },
  /** Writes page 2 with a replica, and waits until the server has it and has told of it and of page 1. */
  async replicate(url: string, vid: string, token: string) {
    const replica = await openReplica(url, vid, { token });
    const changes = replica.changes();
    await replica.transaction((tx) => tx.write(2, new Uint8Array(4096).fill(8)));
    await replica.sync();
    for await (const { fromServer } of changes) if (fromServer) break;
    const read = (await replica.snapshot().read(1))[0];
    await replica.close();
    return read;
  },
  /** Follows so many volumes that they do not fit into a URL, and waits until the last is told of. */
  async followMany(url: string, vids: readonly string[], token: string) {
    const replicas = await Promise.all(vids.map((vid) => openReplica(url, vid, { token })));
    for await (const { pageCount } of replicas[replicas.length - 1].changes()) {
      await Promise.all(replicas.map((replica) => replica.close()));
      return pageCount;
    }
  },
};

serveCalls((name, args) => CALLS[name](...args));
