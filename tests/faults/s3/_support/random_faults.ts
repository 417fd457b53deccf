/**
 * Faults of HTTP that come by chance, one by one and in bursts.
 *
 * @module
 */

import type { Dice } from "../../../durability/server_load.ts";
import type { Fault, HttpProxy, ProxiedRequest } from "../../../harness/http_proxy.ts";

const ANSWER_503: Fault = { kind: "answer", status: 503 };
const ANSWER_500: Fault = { kind: "answer", status: 500 };

/** What one request in a hundred meets, each: 14 % together. */
const SINGLE: readonly Fault[] = [
  ANSWER_503,
  ANSWER_503,
  ANSWER_503,
  ANSWER_500,
  { kind: "cut" },
  { kind: "cut" },
  { kind: "lose" },
  { kind: "lose" },
  { kind: "lose" },
  { kind: "truncate" },
  { kind: "truncate" },
  { kind: "truncate", bytes: 1 },
  { kind: "hold", delayMs: 200 },
  { kind: "hold", delayMs: 200 },
];

/** What hits many requests in a row, so that attempts run out. */
const BURSTS: readonly Fault[] = [ANSWER_503, { kind: "cut" }, { kind: "lose" }];
/** One request in so many begins a burst. */
const BURST_ONE_IN = 200;
const BURST_REQUESTS = [8, 24] as const;

/** Faults by `dice`: 14 % of requests, and now and then many in a row. */
export function randomFaults(dice: Dice): HttpProxy["fault"] {
  let burst: Fault | undefined;
  let left = 0;
  return (request: ProxiedRequest) => {
    if (left === 0 && dice(1, BURST_ONE_IN) === 1) {
      burst = BURSTS[dice(0, BURSTS.length - 1)];
      left = dice(...BURST_REQUESTS);
    }
    const fault = left > 0 ? burst : SINGLE[dice(0, 99)];
    left = Math.max(left - 1, 0);
    // only what answers with a body can be cut short in it
    return fault?.kind === "truncate" && !/GET|LIST/.test(request.kind) ? undefined : fault;
  };
}
