/**
 * SQLite where WebAssembly cannot wait for promises: its stack is unwound and rebuilt around each page that
 * has to be waited for.
 *
 * @module
 */

import { instantiate } from "./instantiate.ts";
import type {
  Answer,
  SqliteExports,
  SqliteInstance,
  SqliteModule,
  SqliteModuleFactory,
  SuspendingExports,
  VfsMethods,
} from "./sqlite_module.ts";

/** Makes an instance of the build that can be unwound. */
export async function instantiateAsyncify(
  factory: SqliteModuleFactory,
  compiled: WebAssembly.Module,
): Promise<SqliteInstance> {
  const { module } = await instantiate(factory, compiled);
  const register = module.vfs_register;
  module.vfs_register = (vfs, makeDefault) => register(withThenables(vfs), makeDefault);
  return {
    module,
    exports: plainExports(module),
    suspending: suspendingExports(module),
    rows: undefined,
  };
}

/** The functions under their names: those of the WebAssembly itself are shortened in this build. */
function plainExports(module: SqliteModule): SqliteExports {
  const named = Object.entries(module).filter(([name]) => name.startsWith("_"));
  const functions = named.map(([name, value]) => [name.slice(1), value]);
  return Object.fromEntries(functions) as unknown as SqliteExports;
}

/** How many arguments each takes. */
const SUSPENDING = {
  sqlite3_close: 1,
  sqlite3_finalize: 1,
  sqlite3_open_v2: 4,
  sqlite3_prepare_v3: 6,
  sqlite3_reset: 1,
  sqlite3_step: 1,
} as const satisfies Record<keyof SuspendingExports, number>;

function suspendingExports(module: SqliteModule): SuspendingExports {
  return Object.fromEntries(
    Object.entries(SUSPENDING).map(([name, count]) => {
      const types = Array.from({ length: count }, () => "number");
      // with options, even empty ones, the answer is a promise only where it has to be
      return [name, (...values: number[]) => module.ccall(name, "number", types, values, {})];
    }),
  ) as unknown as SuspendingExports;
}

/** The glue calls `then` on what an asynchronous method answers; where that calls back at once nothing is unwound. */
function withThenables(vfs: VfsMethods): VfsMethods {
  return new Proxy(vfs, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      const method = value.bind(target) as (...args: number[]) => Answer;
      if (typeof name !== "string" || !target.hasAsyncMethod(name)) return method;
      return (...args: number[]) => toThenable(method(...args));
    },
  });
}

function toThenable(
  answer: Answer,
): PromiseLike<number> | { then(use: (n: number) => void): void } {
  return typeof answer === "number" ? { then: (use: (n: number) => void) => use(answer) } : answer;
}
