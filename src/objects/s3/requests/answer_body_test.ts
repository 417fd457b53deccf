import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { announcedLength, sizeBeyondRange, wholeBody } from "./answer_body.ts";

function answer(body: string, headers: Record<string, string>): Response {
  return new Response(body, { headers });
}

Deno.test("a body is taken when it is as long as announced, which is told before", async () => {
  const told: number[] = [];
  const bytes = await wholeBody(answer("abc", { "content-length": "3" }), (n) => told.push(n));
  deepEqual([bytes, told], [new TextEncoder().encode("abc"), [3]]);
});

for (const length of ["2", "4", "", "3.0", "-3", "many"]) {
  Deno.test(`a body of three bytes is not taken for one of "${length}"`, async () => {
    const response = answer("abc", { "content-length": length });
    await rejects(wholeBody(response, () => {}), { name: "S3Failure" });
  });
}

Deno.test("an answer without a length announces none", () => {
  throws(() => announcedLength(answer("abc", {})), { name: "S3Failure" });
});

Deno.test("the size behind a range that is not there is read where it is told", () => {
  equal(sizeBeyondRange(answer("", { "content-range": "bytes */20" })), 20);
  equal(sizeBeyondRange(answer("", { "content-range": "bytes */*" })), undefined);
  equal(sizeBeyondRange(answer("", {})), undefined);
});
