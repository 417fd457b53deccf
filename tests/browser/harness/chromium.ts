/**
 * Debian's Chromium, driven from tests.
 *
 * @module
 */

import { type BrowserContext, chromium } from "playwright-core";
import { chromiumPath } from "./chromium_path.ts";

/** A browser that is ended at the end of its scope. */
export interface Browser extends AsyncDisposable {
  /** Its windows and storages. */
  readonly context: BrowserContext;
}

/** What the browser keeps: `disk` as a user's does, or `private`, as a private window does. */
export type Profile = "disk" | "private";

// the tests run their own pages only, and in containers, where the sandbox has nothing to stand on
const OPTIONS = { executablePath: chromiumPath(), chromiumSandbox: false, headless: true };

/** Starts a browser with a profile of its own. */
export async function startChromium(profile: Profile): Promise<Browser> {
  return profile === "disk" ? await startOnDisk() : await startPrivate();
}

async function startOnDisk(): Promise<Browser> {
  const folder = await Deno.makeTempDir({ prefix: "graft-chromium-" });
  const context = await chromium.launchPersistentContext(folder, OPTIONS);
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function startPrivate(): Promise<Browser> {
  const browser = await chromium.launch(OPTIONS);
  const context = await browser.newContext();
  return { context, [Symbol.asyncDispose]: () => browser.close() };
}
