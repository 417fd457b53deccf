/**
 * A tab that has a test module loaded, in its page or in a worker.
 *
 * @module
 */

import type { BrowserContext, Page } from "playwright-core";
import type { CallOutcome } from "../page/calls.ts";
import type { Site } from "./site.ts";

/** Where a module runs. */
export type Room = "page" | "worker";

const CALL_MS_MAX = 60_000;

/** A tab with one module. */
export class Tab implements AsyncDisposable {
  readonly #site: Site;
  readonly #module: string;
  readonly #room: Room;
  /** The tab's page. */
  readonly page: Page;

  private constructor(site: Site, module: string, room: Room, page: Page) {
    this.#site = site;
    this.#module = module;
    this.#room = room;
    this.page = page;
  }

  /** Opens a tab, and loads `tests/browser/modules/MODULE.ts`. */
  static async open(
    context: BrowserContext,
    site: Site,
    module: string,
    room: Room,
  ): Promise<Tab> {
    const tab = new Tab(site, module, room, await context.newPage());
    await tab.load();
    return tab;
  }

  /** Loads the page and the module anew, whatever was under way. */
  async load(): Promise<void> {
    await this.page.goto(this.#site.origin, { timeout: CALL_MS_MAX });
    const url = `/${this.#module}.js`;
    await withinTime(
      `load ${url}`,
      this.page.evaluate(this.#room === "page" ? inPage : inWorker, url),
    );
  }

  /** Calls a function that the module serves; what it throws comes as an Error of the same text. */
  async call(name: string, ...args: unknown[]): Promise<unknown> {
    const outcome = await withinTime(
      `call ${name}`,
      this.page.evaluate(callServed, { name, args }),
    );
    if ("error" in outcome) throw new Error(outcome.error);
    return outcome.result;
  }

  /** Ends the process of the page, as a crash would. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent("crash", { timeout: CALL_MS_MAX });
    const session = await this.page.context().newCDPSession(this.page);
    // it has nobody left to answer
    session.send("Page.crash").catch(() => {});
    await crashed;
  }

  /** Closes the tab. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }
}

/** What the two functions below leave in the page. */
type Served = typeof globalThis & {
  graftCall(name: string, args: unknown[]): Promise<CallOutcome>;
};

// These run in the page: they see nothing of this file.

async function inPage(url: string): Promise<void> {
  await import(url);
}

async function inWorker(url: string): Promise<void> {
  const worker = new Worker(url, { type: "module" });
  const waiting = new Map<number, (outcome: CallOutcome) => void>();
  await new Promise<void>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) => {
      if (data === "ready") return resolve();
      waiting.get(data.id)?.(data.outcome);
      waiting.delete(data.id);
    };
  });
  let calls = 0;
  (globalThis as Served).graftCall = (name, args) =>
    new Promise((resolve) => {
      waiting.set(++calls, resolve);
      worker.postMessage({ id: calls, name, args });
    });
}

function callServed(call: { name: string; args: unknown[] }): Promise<CallOutcome> {
  return (globalThis as Served).graftCall(call.name, call.args);
}

async function withinTime<T>(what: string, result: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new Error(`Cannot ${what}: no answer within ${CALL_MS_MAX} ms`);
  const timer = setTimeout(() => reject(error), CALL_MS_MAX);
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
