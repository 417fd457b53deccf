/**
 * Ports for servers that are killed and come back to the same one.
 *
 * @module
 */

/**
 * Below what Linux gives to outgoing connections (32768 and up): with hundreds of those, one of them
 * would now and then sit on the port of a server that is down, and its restart would fail.
 */
const FROM = 20_000;
const TO = 32_000;

let next = FROM + Math.floor(Math.random() * (TO - FROM));

/** An address of the loopback whose port nobody listens on, and no outgoing connection will take. */
export function lastingAddress(): string {
  for (let tries = FROM; tries < TO; tries++) {
    next = next + 1 < TO ? next + 1 : FROM;
    if (isFree(next)) return `127.0.0.1:${next}`;
  }
  throw new Error(`Cannot find a port: ${FROM} to ${TO} are all taken`);
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
