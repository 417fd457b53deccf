/**
 * Faults of HTTP that come by chance, once, or on every attempt of a request.
 *
 * @module
 */

import type { Dice } from "../../../durability/server_load.ts";
import type { Fault, HttpProxy, ProxiedRequest } from "../../../harness/http_proxy.ts";

const ANSWER_503: Fault = { kind: "answer", status: 503 };
const ANSWER_500: Fault = { kind: "answer", status: 500 };

/** What one request in a hundred meets, each: 10 % together. */
const SINGLE: readonly Fault[] = [
  ANSWER_503,
  ANSWER_503,
  ANSWER_500,
  { kind: "cut" },
  { kind: "lose" },
  { kind: "lose" },
  { kind: "truncate" },
  { kind: "truncate", bytes: 1 },
  { kind: "hold", delayMs: 200 },
  { kind: "hold", delayMs: 200 },
];

/** What a request meets again when it is sent again, so that attempts run out. */
const LASTING: readonly Fault[] = [ANSWER_503, { kind: "cut" }, { kind: "lose" }];
/** One request in so many begins such a series. */
const LASTING_ONE_IN = 40;
/** What lasts longer than the attempts of one call hits the look for what became of it, too. */
const LASTING_REQUESTS = [4, 7] as const;

/** Faults by `dice`: about 10 % of requests, and series of the same for one object in 40. */
export function randomFaults(dice: Dice): HttpProxy["fault"] {
  const lasting = new Map<string, { fault: Fault; left: number }>();
  return ({ kind, path }: ProxiedRequest) => {
    if (dice(1, LASTING_ONE_IN) === 1) {
      const fault = LASTING[dice(0, LASTING.length - 1)];
      lasting.set(path, { fault, left: dice(...LASTING_REQUESTS) });
    }
    const series = lasting.get(path);
    if (series !== undefined && series.left-- > 0) return series.fault;
    const fault = SINGLE[dice(0, 99)];
    // only what answers with a body can be cut short in it
    return fault?.kind === "truncate" && kind !== "GET" && kind !== "LIST" ? undefined : fault;
  };
}
