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

/** A browser of private windows: what one stores, another does not see. */
export interface PrivateBrowser extends Browser {
  /** Opens one more. */
  newWindow(): Promise<BrowserContext>;
}

/**
 * What the browser keeps: `disk` as a user's does; `private`, as a private window does; nothing at all where it
 * is `blocked`, as a user may set it.
 */
export type Profile = "disk" | "private" | "blocked";

// the tests run their own pages only, and in containers, where the sandbox has nothing to stand on
const OPTIONS = { executablePath: chromiumPath(), chromiumSandbox: false, headless: true };

/** Starts a browser with a profile of its own. */
export function startChromium(profile: "private"): Promise<PrivateBrowser>;
export function startChromium(profile: Profile): Promise<Browser>;
export async function startChromium(profile: Profile): Promise<Browser> {
  return profile === "private" ? await startPrivate() : await startOnDisk(profile);
}

async function startOnDisk(profile: "disk" | "blocked"): Promise<Browser> {
  const folder = await Deno.makeTempDir({ prefix: "graft-chromium-" });
  if (profile === "blocked") await blockStorages(folder);
  const context = await chromium.launchPersistentContext(folder, OPTIONS);
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** "Don't allow sites to save data on your device": what Chromium calls cookies there is every storage. */
async function blockStorages(folder: string): Promise<void> {
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  await Deno.mkdir(`${folder}/Default`);
  await Deno.writeTextFile(`${folder}/Default/Preferences`, JSON.stringify(settings));
}

async function startPrivate(): Promise<PrivateBrowser> {
  const browser = await chromium.launch(OPTIONS);
  const newWindow = () => browser.newContext();
  const context = await newWindow();
  return { context, newWindow, [Symbol.asyncDispose]: () => browser.close() };
}
