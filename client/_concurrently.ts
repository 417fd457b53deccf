// Several requests at once, but not too many.

/**
 * Calls `run` for every item, at most `limit` at once, and answers the results in the items' order. An item
 * is drawn only when it can start. The first failure aborts the signal that the others were given, and
 * is thrown once they have ended.
 */
export async function mapConcurrently<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  signal: AbortSignal | undefined,
  run: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const source = numbered(items);
  const work = async () => {
    for (const [i, item] of source) results[i] = await run(item, either);
  };
  const workers = Array.from({ length: limit }, () =>
    work().catch((error) => {
      failure.abort(error);
      throw error;
    }));
  const ended = await Promise.allSettled(workers);
  const failed = ended.find((worker) => worker.status === "rejected");
  if (failed !== undefined) throw failure.signal.reason;
  return results;
}

/** The items with their numbers. Several loops may draw from it: each item goes to one, and a loop that fails ends all. */
function* numbered<Item>(items: Iterable<Item>): Generator<[number, Item]> {
  let i = 0;
  for (const item of items) yield [i++, item];
}
