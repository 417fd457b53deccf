/**
 * Runs the tests of a module in a browser, and reports each as a test of its own.
 *
 * @module
 */

import type { BrowserTests } from "../page/browser_tests.ts";
import { type Browser, type Profile, startChromium } from "./chromium.ts";
import { type Site, startSite } from "./site.ts";
import { type Room, Tab } from "./tab.ts";

/** What is run, and where. */
export interface BrowserRun {
  /** The file in `tests/browser/modules`, without its ending. */
  readonly module: string;
  /** What that module exports: its names are read here, its tests run there. */
  readonly tests: BrowserTests;
  /** Whether the tests run in the page or in a dedicated worker. */
  readonly room: Room;
  /** What the browser keeps. */
  readonly profile: Profile;
  /** Only tests whose name matches; default: all. */
  readonly only?: RegExp;
  /** How many bytes the origin may store; default: what the browser allows. */
  readonly quotaBytes?: number;
}

/** Something that the first test makes and that is there for all. */
interface Stage extends AsyncDisposable {
  readonly tab: Tab;
}

/** Registers one test for each of the module's. They share a browser, which is ended after the last. */
export function runInBrowser(run: BrowserRun): void {
  const stage = startOnce(() => raise(run));
  const { only } = run;
  for (const name of run.tests.names.filter((name) => only?.test(name) ?? true)) {
    inBrowserTest(`${run.room}, ${run.profile}: ${name}`, async () => {
      await (await stage.get()).tab.call(name);
    });
  }
  Deno.test.afterAll(() => stage.end());
}

/** Registers a test that uses a browser which outlives it. */
export function inBrowserTest(name: string, fn: () => Promise<void>): void {
  // the browser's pipes and the site's sockets belong to the file, which ends them after its last test
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** A thing that is made when it is first asked for. */
export function startOnce<T extends AsyncDisposable>(
  make: () => Promise<T>,
): { get(): Promise<T>; end(): Promise<void> } {
  let making: Promise<T> | undefined;
  return {
    get: () => making ??= make(),
    end: async () => await (await making)?.[Symbol.asyncDispose](),
  };
}

async function raise({ module, room, profile, quotaBytes }: BrowserRun): Promise<Stage> {
  const site = startSite();
  const browser = await startChromium(profile);
  const dispose = () => strike(browser, site);
  try {
    const tab = await Tab.open(browser.context, site, module, room);
    if (quotaBytes !== undefined) await limitQuota(tab, site, quotaBytes);
    return { tab, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function strike(browser: Browser, site: Site): Promise<void> {
  await browser[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
}

/** Bounds what the origin may store; undefined: as the browser allows. */
export async function limitQuota(
  { page }: Tab,
  { origin }: Site,
  quotaSize: number | undefined,
): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
}
