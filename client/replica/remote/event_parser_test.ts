import assert from "node:assert/strict";
import { EventParser } from "./event_parser.ts";

const STREAM = "retry: 1000\n\nid: a.1\nevent: commit\ndata: {1}\n\n:\n\n" +
  "event: resync\ndata: {}\r\n\r\ndata: ü\ndata:two\nid: a.2\n\n";

function parse(chunkBytes: number) {
  const parser = new EventParser();
  const bytes = new TextEncoder().encode(STREAM);
  const events = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    events.push(...parser.push(bytes.subarray(at, at + chunkBytes)));
  }
  return { events, lastId: parser.lastId };
}

Deno.test("events come out of chunks of any size", () => {
  for (const chunkBytes of [1, 2, 7, 1000]) {
    assert.deepEqual(parse(chunkBytes), {
      events: [
        { type: "commit", data: "{1}" },
        { type: "resync", data: "{}" },
        { type: "message", data: "ü\ntwo" },
      ],
      lastId: "a.2",
    });
  }
});

Deno.test("an event that does not end is refused", () => {
  const parser = new EventParser();
  const chunk = new TextEncoder().encode("x".repeat(300_000));
  assert.throws(() => {
    for (let i = 0; i < 5; i++) parser.push(chunk);
  }, /does not end/);
});
