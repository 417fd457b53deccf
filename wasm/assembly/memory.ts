// The arena: one region of linear memory that every call starts anew. Nothing is ever freed and no
// pointer outlives a call, so there is no allocator to corrupt and no collector to run.

const PAGE_BITS: u32 = 16;
const ALIGN_MASK: usize = 7;

let top: usize = (__heap_base + ALIGN_MASK) & ~ALIGN_MASK;

/** Forgets every allocation. Memory once grown stays. */
export function reset(): void {
  top = (__heap_base + ALIGN_MASK) & ~ALIGN_MASK;
}

/** Room for `bytes`, 8-aligned, holding anything. Traps when 4 GiB are not enough. */
export function alloc(bytes: usize): usize {
  const at = top;
  reserve(at, bytes);
  take(at + bytes);
  return at;
}

/** Like alloc, filled with zeros. */
export function allocZeroed(bytes: usize): usize {
  const at = alloc(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

/** Where the next allocation will lie: the start of an output whose length is not known yet. */
export function tail(): usize {
  return top;
}

/** Makes memory reach `bytes` beyond `at`, without allocating them. */
export function reserve(at: usize, bytes: usize): void {
  const end = <u64>at + <u64>bytes;
  const missing = <i64>((end + 0xffff) >> PAGE_BITS) - <i64>memory.size();
  if (missing > 0 && memory.grow(<i32>missing) < 0) unreachable();
}

/** Ends an output that began at `tail()`: what lies below `end` is allocated. */
export function take(end: usize): void {
  top = (end + ALIGN_MASK) & ~ALIGN_MASK;
}
