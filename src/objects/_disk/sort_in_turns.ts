// Sorting that does not hold the event loop.

/** Items that are handled between two turns of the event loop: some milliseconds. */
const ITEMS_PER_TURN = 16_384;

/**
 * Sorts `items` by `key`, giving the event loop a turn now and then: a native sort of a million strings
 * takes a second.
 *
 * @returns The sorted items, in a new array or in `items` itself, which is changed in either case.
 */
export async function sortInTurns<T extends { readonly key: string }>(
  items: T[],
  breathe: () => Promise<void>,
): Promise<T[]> {
  if (items.length <= ITEMS_PER_TURN) return items.sort(byKey);
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += ITEMS_PER_TURN) {
    runs.push(items.slice(start, start + ITEMS_PER_TURN).sort(byKey));
    await breathe();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(i + 1 < runs.length ? await merge(runs[i], runs[i + 1], breathe) : runs[i]);
    }
    runs = merged;
  }
  return runs[0];
}

async function merge<T extends { readonly key: string }>(
  left: readonly T[],
  right: readonly T[],
  breathe: () => Promise<void>,
): Promise<T[]> {
  const merged: T[] = [];
  let [fromLeft, fromRight] = [0, 0];
  while (fromLeft < left.length && fromRight < right.length) {
    const takesLeft = left[fromLeft].key <= right[fromRight].key;
    merged.push(takesLeft ? left[fromLeft++] : right[fromRight++]);
    if (merged.length % ITEMS_PER_TURN === 0) await breathe();
  }
  while (fromLeft < left.length) merged.push(left[fromLeft++]);
  while (fromRight < right.length) merged.push(right[fromRight++]);
  return merged;
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}
