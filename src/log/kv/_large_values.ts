// Values of any size under keys that take 60 KiB.

import { isSameBytes } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import { newGid } from "../../core/gid.ts";
import type { Random } from "../../core/random.ts";
import type { ByteReader } from "../codec/byte_reader.ts";
import type { ByteWriter } from "../codec/byte_writer.ts";
import type { KvKey } from "./kv_handle.ts";
import { VALUE_BYTES_MAX } from "./_limits.ts";
import { cutValue, decodeChunkable, encodeChunkable } from "./_store/chunks.ts";
import type { KvCalls } from "./_store/kv_calls.ts";
import type { Mutation } from "./_write/batch.ts";
import type { GroupWriter } from "./_write/group_writer.ts";

/** A value that is ready to be set. */
export interface Prepared {
  /** What to set at the key: the value, or the name of its parts. */
  readonly value: Uint8Array;
  /** The parts, which are stored already. */
  readonly parts: readonly Mutation[];
}

/** What {@linkcode LargeValues} is made of. */
export interface LargeValuesParts {
  readonly calls: KvCalls;
  readonly writer: GroupWriter;
  readonly clock: Clock;
  readonly random: Random;
}

/** Stores what is too large for its key beside it, before the key is set. */
export class LargeValues {
  readonly #parts: LargeValuesParts;

  constructor(parts: LargeValuesParts) {
    this.#parts = parts;
  }

  /** Encodes a value, and stores its parts where it is too large. */
  async prepare(key: KvKey, write: (writer: ByteWriter) => void): Promise<Prepared> {
    const whole = encodeChunkable(key, write);
    if (whole.length <= VALUE_BYTES_MAX) return { value: whole, parts: [] };
    const { writer, clock, random } = this.#parts;
    // any fresh id does, and those of segments sort by their time
    const { parts, name } = cutValue(key, whole, newGid("segment", clock, random));
    await Promise.all(parts.map((part) => writer.write([part])));
    return { value: name, parts };
  }

  /**
   * Removes the parts of a value that was not set; what fails to go is for the collector.
   */
  async discard(key: KvKey, { value, parts }: Prepared): Promise<void> {
    if (parts.length === 0) return;
    try {
      // on the way to a store on the network a write may be repeated: its second try fails though it landed
      const { value: standing } = await this.#parts.calls.get(key);
      if (standing instanceof Uint8Array && isSameBytes(standing, value)) return;
      await this.#parts.writer.write(parts.map((part) => ({ key: part.key, value: undefined })));
    } catch (error) {
      if (!(error instanceof GraftError)) throw error;
    }
  }

  /** Decodes what stands at a key, fetching its parts where there are any. */
  async decode<T>(key: KvKey, value: unknown, read: (reader: ByteReader) => T): Promise<T> {
    return await decodeChunkable(this.#parts.calls, key, value, read);
  }
}
