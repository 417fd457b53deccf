// That an answer comes after the syncs it promises, as the kernel sees it. What the order is for is
// proved in tests/faults/objects_power_loss_test.ts; here, that the calls of the real disk are real.

import { ok } from "node:assert/strict";

const CALLS =
  "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat," +
  "openat,write";

/** One system call that succeeded, with the paths of its descriptors as strace shows them (-y). */
interface Call {
  readonly name: string;
  readonly text: string;
}

async function traceChild(root: string): Promise<Call[]> {
  const child = new URL("fsync_child.ts", import.meta.url).pathname;
  const trace = `${root}.trace`;
  const args = ["-f", "-y", "-s", "80", "-e", `trace=${CALLS}`, "-o", trace];
  const { success, stderr } = await new Deno.Command("strace", {
    args: [...args, Deno.execPath(), "run", "-A", "--no-lock", child, root],
  }).output();
  ok(success, new TextDecoder().decode(stderr));
  return parse(await Deno.readTextFile(trace));
}

/** Joins calls that another thread interrupted, at the place where they ended. */
function parse(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const [, thread, rest] = line.match(/^(\d+) +(.*)$/) ?? [];
    if (rest === undefined) continue;
    const begun = rest.match(/^(\w+\(.*) <unfinished \.\.\.>$/);
    if (begun) {
      unfinished.set(thread, begun[1]);
      continue;
    }
    const resumed = rest.match(/^<\.\.\. \w+ resumed>(.*)$/);
    const text = resumed ? `${unfinished.get(thread)}${resumed[1]}` : rest;
    const call = text.match(/^(\w+)\(.*\) += \d/);
    if (call) calls.push({ name: call[1], text });
  }
  return calls;
}

/** The calls that a put, a link or a deletion consists of, found by what they name. */
class Trace {
  readonly #calls: readonly Call[];
  readonly #root: string;

  constructor(calls: readonly Call[], root: string) {
    this.#calls = calls;
    this.#root = root;
  }

  /** Where the first such call stands after `after`. */
  find(what: string, names: RegExp, text: (text: string) => boolean, after = -1): number {
    const at = this.#calls.findIndex((call, i) =>
      i > after && names.test(call.name) && text(call.text)
    );
    ok(at >= 0, `no ${what} after call ${after}: ${this.#calls[after]?.text ?? "the start"}`);
    return at;
  }

  answer(line: string): number {
    return this.find(
      `answer "${line}"`,
      /^write$/,
      (text) => text.includes(`"answer: ${line}\\n"`),
    );
  }

  /** Where the object was given its name, and by which temporary file. */
  naming(key: string): { readonly at: number; readonly temporary: string } {
    const target = `"${this.#root}/${key}"`;
    const at = this.find(`naming of ${key}`, /^(rename|link)/, (text) => text.includes(target));
    const temporary = this.#calls[at].text.match(/tmp\/([0-9a-f]+-\d+)"/)?.[1];
    ok(temporary, `${key} was not made from a temporary file: ${this.#calls[at].text}`);
    return { at, temporary };
  }

  directorySync(directory: string, after: number): number {
    const path = `<${this.#root}${directory}>`;
    return this.find(`fsync of ${path}`, /^fsync$/, (text) => text.includes(path), after);
  }

  checkPut(key: string, answer: string): void {
    const { at, temporary } = this.naming(key);
    const isOfTemporary = (text: string) => text.includes(`/tmp/${temporary}>`);
    const lastWrite = this.#calls.findLastIndex(({ name, text }) =>
      name === "write" && isOfTemporary(text)
    );
    const dataSync = this.find("fdatasync", /^fdatasync$/, isOfTemporary, lastWrite);
    ok(lastWrite >= 0 && dataSync < at, `${key} was named before its data was synced`);
    const folder = key.includes("/") ? `/${key.slice(0, key.lastIndexOf("/"))}` : "";
    const named = this.directorySync(folder, at);
    ok(named < this.answer(answer), `${key} was answered before its name was synced`);
  }
}

Deno.test("every answer comes after the syncs that it promises", async (t) => {
  const parent = await Deno.realPath(await Deno.makeTempDir({ prefix: "graft-fsync-" }));
  try {
    const root = `${parent}/new/store`;
    await Deno.mkdir(`${parent}/new`);
    const trace = new Trace(await traceChild(root), root);
    await t.step("a put", () => trace.checkPut("segments/second", "second"));
    await t.step("a put into a new directory", () => {
      trace.checkPut("segments/first", "first");
      const isMaking = (text: string) => text.includes(`"${root}/segments"`);
      const made = trace.find("mkdir", /^mkdir/, isMaking);
      ok(trace.directorySync("", made) < trace.answer("first"));
    });
    await t.step("a put of a key that must be free", () => {
      trace.checkPut("graft.json", "graft.json");
    });
    await t.step("a large put", () => trace.checkPut("segments/large", "large"));
    await t.step("puts at once", () => {
      for (const key of ["a", "b", "c", "d"]) trace.checkPut(`segments/${key}`, "together");
    });
    await t.step("a deletion", () => {
      const isFirst = (text: string) => text.includes(`"${root}/segments/first"`);
      const removed = trace.find("unlink", /^unlink/, isFirst);
      ok(trace.directorySync("/segments", removed) < trace.answer("deleted"));
    });
    await t.step("the making of the store", () => {
      const made = trace.find("mkdir", /^mkdir/, (text) => text.includes(`"${root}"`));
      const isParent = (text: string) => text.includes(`<${parent}/new>`);
      ok(trace.find("fsync", /^fsync$/, isParent, made) < trace.answer("opened"));
    });
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
