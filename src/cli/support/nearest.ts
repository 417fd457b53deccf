/**
 * What somebody may have meant.
 *
 * @module
 */

/**
 * The name that is nearest to `text`, if one is near: at most a third of its characters differ.
 *
 * @example
 * ```ts
 * import { nearest } from "./nearest.ts";
 *
 * console.log(nearest("lisen", ["listen", "role"])); // "listen"
 * ```
 */
export function nearest(text: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(text, name) }))
    .filter(({ name, distance }) => distance <= Math.ceil(Math.max(name.length, text.length) / 3))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.name;
}

/** Characters to insert, delete or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j] + 1, current[j - 1] + 1));
    }
    previous = current;
  }
  return previous[b.length];
}
