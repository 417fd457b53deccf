// A database in the engine's own memory, in both builds.

import { loadEngine } from "./load_engine.ts";
import { Engine } from "./engine.ts";
import { OpenFlag } from "./result_codes.ts";
import type { SqliteInstance, VfsMethods } from "./sqlite_module.ts";

/** The builds that this runtime can run. */
export const BUILDS = ["jspi", "asyncify"] as const;

/** Opens a database that is nowhere but in memory. */
export async function openEngine(build: (typeof BUILDS)[number]): Promise<Engine> {
  const { instantiate } = await loadEngine({ build });
  return await openIn(await instantiate());
}

/** Opens one in an instance. */
export async function openIn(instance: SqliteInstance): Promise<Engine> {
  return await Engine.open({
    instance,
    name: ":memory:",
    flags: OpenFlag.READWRITE | OpenFlag.CREATE,
    makeVfs: () =>
      ({
        name: "none",
        mxPathname: 64,
        hasAsyncMethod: () => false,
        hasFailed: false,
        takeFailure: () => undefined,
      }) as unknown as VfsMethods,
  });
}
