/**
 * SQLite on JavaScript promise integration: a call that reads pages is a promise, and the stack of the
 * WebAssembly code is switched only when a page has to be waited for.
 *
 * @module
 */

import { instantiate } from "./instantiate.ts";
import { RowReader } from "./row_reader.ts";
import type {
  Answer,
  Pointer,
  SqliteExports,
  SqliteInstance,
  SqliteModule,
  SqliteModuleFactory,
  SuspendingExports,
} from "./sqlite_module.ts";

// lib.dom knows neither of them yet
interface PromiseIntegration {
  readonly Suspending: new (run: VfsImport) => WebAssembly.ImportValue;
  readonly promising: (run: unknown) => (...args: number[]) => Promise<number>;
}

type VfsImport = (
  key: Pointer,
  method: Pointer,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
) => Answer;
type VfsMethod = (a: number, b: number, c: number, d: number, e: number) => Answer;

/** Whether this runtime has it. */
export function hasPromiseIntegration(): boolean {
  return "Suspending" in WebAssembly && "promising" in WebAssembly;
}

/**
 * Makes an instance. Its methods of the VFS are our own imports: the glue's would await every answer, which
 * costs a switch of stacks for pages that are here.
 */
export async function instantiateJspi(
  factory: SqliteModuleFactory,
  compiled: WebAssembly.Module,
): Promise<SqliteInstance> {
  const { promising } = integration();
  const methods = new VfsTable();
  const made = await instantiate(factory, compiled, (env) => vfsImports(env, methods));
  const exports = made.exports as unknown as SqliteExports & SuspendingExports;
  const suspending = Object.fromEntries(
    SUSPENDING.map((name) => [name, promising(exports[name])]),
  ) as unknown as SuspendingExports;
  const { module } = made;
  methods.serve(module);
  const rows = await RowReader.create(exports, () => module.HEAPU8, promising);
  return { module, exports, suspending, rows };
}

const SUSPENDING = [
  "sqlite3_close",
  "sqlite3_finalize",
  "sqlite3_open_v2",
  "sqlite3_prepare_v3",
  "sqlite3_reset",
  "sqlite3_step",
] as const satisfies (keyof SuspendingExports)[];

function integration(): PromiseIntegration {
  return WebAssembly as unknown as PromiseIntegration;
}

/** `ipp`, `ippp_async` and so on: the types of result and arguments, and whether it may wait. */
const RELAY = /^[iv][pij]+(_async)?$/;

function vfsImports(env: WebAssembly.ModuleImports, methods: VfsTable): WebAssembly.ModuleImports {
  const { Suspending } = integration();
  const call: VfsImport = (_, method, a, b, c, d, e) => methods.get(method)(a, b, c, d, e);
  const relays = Object.keys(env).filter((name) => RELAY.test(name));
  return Object.fromEntries(
    relays.map((name) => [name, name.endsWith("_async") ? new Suspending(call) : call]),
  );
}

/** The methods of the VFS by the addresses of their names, which are constants of the program. */
class VfsTable {
  readonly #methods = new Map<Pointer, VfsMethod>();
  #module: SqliteModule | undefined;
  #vfs: Record<string, VfsMethod> = {};

  /** Takes the VFS that is registered. */
  serve(module: SqliteModule): void {
    const register = module.vfs_register;
    this.#module = module;
    module.vfs_register = (vfs, makeDefault) => {
      this.#vfs = vfs as unknown as Record<string, VfsMethod>;
      return register(vfs, makeDefault);
    };
  }

  get(name: Pointer): VfsMethod {
    return this.#methods.get(name) ?? this.#find(name);
  }

  #find(name: Pointer): VfsMethod {
    const method = this.#vfs[this.#module!.UTF8ToString(name)].bind(this.#vfs);
    this.#methods.set(name, method);
    return method;
  }
}
