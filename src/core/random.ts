/**
 * Chance as a part that engines are given, so that a simulation can seed it.
 *
 * @module
 */

/** A source of chance. */
export interface Random {
  /** Fills `target` with random bytes and returns it. */
  fill(target: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** A number from 0 (inclusive) to 1 (exclusive). */
  fraction(): number;
}

/** The platform's cryptographic generator, and its ordinary one for jitter. */
export const systemRandom: Random = {
  fill: (target) => crypto.getRandomValues(target),
  fraction: () => Math.random(),
};
