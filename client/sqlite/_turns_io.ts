/**
 * Lets others have a turn: timers, the network, and what the user does.
 *
 * @module
 */

import { systemClock } from "../../src/core/clock.ts";

/** What keeps others waiting for longer is noticed. */
const TURN_MS_MAX = 10;

let turnBeganAt = 0;

/**
 * A promise for a new turn of the event loop where the last one began 10 ms ago or longer; else nothing has to be
 * waited for.
 *
 * Pages that are here come without one, so that a program which awaits one statement after the other would run alone
 * for as long as it takes.
 */
export function otherTurns(): Promise<void> | undefined {
  if (systemClock.monotonic() - turnBeganAt < TURN_MS_MAX) return undefined;
  return nextTurn();
}

async function nextTurn(): Promise<void> {
  await ("setImmediate" in globalThis ? networkTurn() : message());
  turnBeganAt = systemClock.monotonic();
}

/**
 * While there is something else to do, Deno looks at the network only every 61 turns (the event interval of tokio), so
 * that a request would take half a second. All of them together take 0.1 ms.
 */
const NETWORK_TURNS = 61;

async function networkTurn(): Promise<void> {
  for (let i = 0; i < NETWORK_TURNS; i++) await immediate();
}

// lib.dom does not know it
interface WithImmediates {
  setImmediate(callback: () => void): unknown;
}

function immediate(): Promise<void> {
  return new Promise((resolve) => {
    (globalThis as unknown as WithImmediates).setImmediate(resolve);
  });
}

/** In browsers. A timer would come 4 ms late there, and once a second in a hidden tab. */
function message(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
