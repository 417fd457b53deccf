// The way from one process to many, as docs/topologies.md describes it: the log's file goes on under
// denokv, the segments go on in a bucket.

import { deepEqual, equal } from "node:assert/strict";
import { GraftClient } from "../../client/mod.ts";
import { DenoKvServer } from "../harness/programs/denokv.ts";
import { S3Server } from "../harness/programs/s3.ts";
import { startServer } from "../harness/server.ts";

const page = (value: number) => new Uint8Array(4096).fill(value);

Deno.test("a server's data moves to many processes, and on", async () => {
  const data = await Deno.makeTempDir({ prefix: "graft-moving-" });
  await using s3 = await S3Server.start("minio");
  const bucket = await s3.makeBucket();

  const alone = await startServer({ data });
  const client = new GraftClient(alone.url);
  const vid = client.newVolumeId();
  const first = await client.push(vid, undefined, new Map([[1, page(1)], [9, page(9)]]), 9);
  equal(await alone.stop(), 0);

  await copyToBucket(data, s3, bucket);
  await using denokv = await DenoKvServer.start({ file: `${data}/log.kv` });
  const options = {
    args: ["--objects", `s3://${bucket}/graft`, "--log", `kv+${denokv.url}`],
    env: { ...s3.env(), ...denokv.env() },
  };
  await using one = await startServer(options);
  await using other = await startServer(options);
  const throughOne = new GraftClient(one.url);
  const throughOther = new GraftClient(other.url);
  deepEqual(await throughOne.snapshot(vid), first);
  const second = await throughOne.push(vid, first.lsn, new Map([[2, page(2)]]), 9);
  const read = await throughOther.read(vid, second.lsn, [1, 2, 9]);
  deepEqual([1, 2, 9].map((at) => read.page(at)), [page(1), page(2), page(9)]);
  await Deno.remove(data, { recursive: true });
});

/** What any tool that copies files to S3 does. */
async function copyToBucket(data: string, s3: S3Server, bucket: string): Promise<void> {
  const target = s3.client(bucket);
  await target.putObject("graft/graft.json", await Deno.readFile(`${data}/graft.json`));
  for await (const { name } of Deno.readDir(`${data}/segments`)) {
    await target.putObject(
      `graft/segments/${name}`,
      await Deno.readFile(`${data}/segments/${name}`),
    );
  }
}
