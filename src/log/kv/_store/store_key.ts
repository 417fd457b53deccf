// Which data a store holds, and in which format.

import { GraftError } from "../../../core/errors.ts";
import type { Random } from "../../../core/random.ts";
import { decodeValue, encodeValue } from "../../codec/sealed_value.ts";
import { ALL_KEYS, keyText, STORE_KEY } from "../_keys.ts";
import type { KvCalls } from "./kv_calls.ts";

/** The layout of keys and values that this program reads and writes. */
const FORMAT = 1;
const ID_BYTES = 16;

/**
 * The store's id: 32 hexadecimal digits, drawn when the store is new.
 *
 * @throws {GraftError} `invalid` when the store holds something else than a log, or one of another format.
 */
export async function openStore(calls: KvCalls, random: Random): Promise<string> {
  const found = await readStoreId(calls);
  if (found !== undefined) return found;
  if (await holdsKeys(calls)) {
    // another process that found it empty too may have made it a log since, and written to it
    return await readStoreId(calls) ?? foreign(calls);
  }
  const id = random.fill(new Uint8Array(ID_BYTES));
  const value = encodeValue(keyText(STORE_KEY), (writer) => {
    writer.varint(FORMAT);
    writer.raw(id);
  });
  await calls.commit(
    calls.atomic().check({ key: STORE_KEY, versionstamp: null }).set(STORE_KEY, value),
  );
  // another process may have been first, so what counts is what stands there now
  return await readStoreId(calls) ?? missing(calls);
}

async function readStoreId(calls: KvCalls): Promise<string | undefined> {
  const { value, versionstamp } = await calls.get(STORE_KEY);
  if (versionstamp === null) return undefined;
  const { format, id } = decodeValue(keyText(STORE_KEY), value, (reader) => ({
    format: reader.varint(),
    id: reader.copy(reader.left),
  }));
  if (format !== FORMAT) {
    throw new GraftError(
      "invalid",
      `Cannot open log "${calls.name}": it has format ${format}, and this program reads format ${FORMAT}`,
    );
  }
  return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function holdsKeys(calls: KvCalls): Promise<boolean> {
  for await (const _entry of calls.list(ALL_KEYS)) return true;
  return false;
}

function foreign(calls: KvCalls): never {
  throw new GraftError(
    "invalid",
    `Cannot open log "${calls.name}": it holds keys of something else`,
    { hint: "Name a file that does not exist yet, or a store that holds nothing" },
  );
}

function missing(calls: KvCalls): never {
  throw new GraftError("unavailable", `Cannot open log "${calls.name}": its id is gone again`);
}
