// The answer to a watch: a stream that goes on for as long as both ends want.
//
// stream := (length (4 bytes, little-endian) · message)…        an empty message is a sign of life

import { bodyChunks } from "../../../core/body_chunks.ts";
import type { Timers } from "../../../core/timers.ts";
import { Deadline } from "./deadline.ts";
import { decodeWatch } from "./messages.ts";

/** The store sends a sign of life every five seconds; one that is silent for longer than this is gone. */
export const SILENCE_MS_MAX = 15_000;

const LENGTH_BYTES = 4;
/** A message has the watched keys' values in it: one of a few bytes, here. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/**
 * Brings an item at each message. The stream fails when `open` does, when the store ends it or falls silent,
 * and when `closing` fires.
 *
 * @param open Begins the watch.
 */
export function watchStream(
  timers: Timers,
  closing: AbortSignal,
  open: (signal: AbortSignal) => Promise<Response>,
): ReadableStream<unknown> {
  const ended = new AbortController();
  const messages = readMessages(timers, AbortSignal.any([closing, ended.signal]), open);
  return new ReadableStream<unknown>({
    async pull(controller) {
      const { done } = await messages.next();
      if (done) controller.error(new Error("the store ended the watch"));
      else controller.enqueue(undefined);
    },
    cancel: () => ended.abort(new Error("nobody watches any more")),
  }, { highWaterMark: 0 });
}

async function* readMessages(
  timers: Timers,
  ending: AbortSignal,
  open: (signal: AbortSignal) => Promise<Response>,
): AsyncGenerator<void> {
  const silence = new AbortController();
  const signal = AbortSignal.any([ending, silence.signal]);
  const whileListening = async <T>(wait: () => Promise<T>): Promise<T> => {
    using deadline = new Deadline(timers, SILENCE_MS_MAX, ending);
    deadline.signal.addEventListener("abort", () => silence.abort(deadline.signal.reason));
    return await wait();
  };
  const response = await whileListening(() => open(signal));
  const chunks = bodyChunks(response.body, signal);
  let left: Uint8Array = new Uint8Array();
  try {
    for (;;) {
      const { done, value } = await whileListening(() => chunks.next());
      if (done) return;
      const { messages, rest } = split(concat(left, value));
      left = rest;
      // several messages at once are one piece of news
      if (messages.length > 0) yield;
    }
  } finally {
    // a store that sends nonsense would go on, on a connection that nobody reads
    silence.abort(new Error("nobody watches any more"));
  }
}

function split(bytes: Uint8Array): { messages: Uint8Array[]; rest: Uint8Array } {
  const messages: Uint8Array[] = [];
  let at = 0;
  while (bytes.length - at >= LENGTH_BYTES) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
    if (length > MESSAGE_BYTES_MAX) throw new Error(`the store sent a message of ${length} bytes`);
    const end = at + LENGTH_BYTES + length;
    if (end > bytes.length) break;
    const message = bytes.subarray(at + LENGTH_BYTES, end);
    at = end;
    if (length === 0) continue;
    if (!decodeWatch(message)) throw new Error("the store serves no watch at the moment");
    messages.push(message);
  }
  return { messages, rest: bytes.subarray(at) };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
