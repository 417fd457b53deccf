import { deepEqual, equal, match, ok } from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import { diskWith, rejectsWith, systemError, TemporaryDirectory } from "./_testing.ts";
import { DataDirectory } from "./data_directory.ts";

Deno.test("a data directory is made where it is missing", async () => {
  await using parent = await TemporaryDirectory.make();
  const directory = await DataDirectory.open(`${parent.path}/not/there`);
  equal(directory.path, `${parent.path}/not/there`);
  equal(directory.resolve("log.kv"), `${parent.path}/not/there/log.kv`);
  ok((await Deno.stat(directory.path)).isDirectory);
  directory.close();
});

Deno.test("a second holder is refused, with the way out", async () => {
  await using parent = await TemporaryDirectory.make();
  const first = await DataDirectory.open(parent.path);
  await rejectsWith(
    DataDirectory.open(parent.path),
    "unavailable",
    new RegExp(`"${parent.path}": process ${Deno.pid} holds it$`),
  );
  const refusal = await DataDirectory.open(parent.path).catch((error) => error);
  ok(isGraftError(refusal));
  match(refusal.hint ?? "", /--data/);
  first.close();
});

Deno.test("a directory that was let go can be taken again", async () => {
  await using parent = await TemporaryDirectory.make();
  (await DataDirectory.open(parent.path)).close();
  (await DataDirectory.open(parent.path)).close();
});

Deno.test("the lock dies with its process, however that ends", async () => {
  await using parent = await TemporaryDirectory.make();
  const module = JSON.stringify(new URL("data_directory.ts", import.meta.url).href);
  const program = `
    import { DataDirectory } from ${module};
    await DataDirectory.open(${JSON.stringify(parent.path)});
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", program],
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  equal(new TextDecoder().decode((await output.read()).value), "held\n");
  await rejectsWith(
    DataDirectory.open(parent.path),
    "unavailable",
    new RegExp(`process ${child.pid} holds it`),
  );
  child.kill("SIGKILL");
  await child.status;
  await output.cancel();
  const directory = await DataDirectory.open(parent.path);
  equal(await Deno.readTextFile(`${parent.path}/lock`), `${Deno.pid}\n`);
  directory.close();
});

Deno.test("a lock file without a process number does not matter", async () => {
  await using parent = await TemporaryDirectory.make();
  await Deno.writeTextFile(`${parent.path}/lock`, "a longer text than any number of a process");
  const first = await DataDirectory.open(parent.path);
  equal(await Deno.readTextFile(`${parent.path}/lock`), `${Deno.pid}\n`);
  await Deno.writeTextFile(`${parent.path}/lock`, "scribbled");
  await rejectsWith(DataDirectory.open(parent.path), "unavailable", /another process holds it/);
  first.close();
});

Deno.test("a directory that cannot be made says why", async () => {
  await using parent = await TemporaryDirectory.make();
  const io = diskWith({
    makeDirectory() {
      throw systemError("EACCES");
    },
  });
  await rejectsWith(
    DataDirectory.open(`${parent.path}/new`, { io }),
    "unavailable",
    /data directory ".*new": the system does not allow it/,
  );
});

Deno.test({
  name: "a place where nothing can be created is told, with the way out",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const refusal = await DataDirectory.open("/proc/nope").catch((error) => error);
    ok(isGraftError(refusal, "unavailable"), String(refusal));
    equal(
      refusal.message,
      'Cannot create the data directory "/proc/nope": nothing can be created there',
    );
    match(refusal.hint ?? "", /another place with --data/);
  },
});

Deno.test("a directory that is made is synced into its parent", async () => {
  await using parent = await TemporaryDirectory.make();
  const failures: string[] = [];
  const io = diskWith({ sync: () => Promise.reject(systemError("EIO")) });
  const onSyncFailure = (path: string): never => {
    failures.push(path);
    throw new Error("the process ends");
  };
  await DataDirectory.open(`${parent.path}/new`, { io, onSyncFailure }).catch(() => {});
  deepEqual(failures, [parent.path]);
});
