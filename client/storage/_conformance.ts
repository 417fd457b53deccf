// What every storage of a replica does. It runs in Deno and in browsers: a backend names its place and the
// function that registers a test.

import { full, owners } from "./_conformance_owners.ts";
import { batches, listing, oneRow } from "./_conformance_rows.ts";
import type { Behaviour, StoragePlace } from "./_testing.ts";

/** Storages that are opened in the same way. */
export interface Backend {
  /** Begins the name of each test: `sqlite:`. */
  readonly name: string;
  /** Makes a new place. */
  makePlace(): Promise<StoragePlace>;
  /** Whether rows outlive their owner, of whom there is one at a time. */
  readonly isKept: boolean;
}

/** Registers a test: `Deno.test`, or a browser's. */
export type RegisterTest = (name: string, run: () => Promise<void>) => void;

/** Registers one test for each behaviour. */
export function testStorage(backend: Backend, test: RegisterTest): void {
  register(backend, test, {
    ...oneRow,
    ...batches,
    ...listing,
    ...backend.isKept ? owners : {},
  });
}

/** Registers tests of what happens when a storage is full; the places open with room for 2 to 20 MiB. */
export function testFullStorage(backend: Backend, test: RegisterTest): void {
  register(backend, test, full);
}

function register(
  backend: Backend,
  test: RegisterTest,
  behaviours: Record<string, Behaviour>,
): void {
  for (const [behaviour, check] of Object.entries(behaviours)) {
    test(`${backend.name} ${behaviour}`, async () => {
      const place = await backend.makePlace();
      try {
        await check(place);
      } finally {
        await place.remove();
      }
    });
  }
}
