// The frame of an encoded page set; docs/formats/page_set.md draws the whole.
//
//   magic (4 bytes) · partition of level 1 · number of its keys (u16) · reserved (u16)

/** The first four bytes, DA AE 12 DF. */
export const MAGIC: u32 = 0xdf12aeda;
/** Bytes before the partition of level 1. */
export const MAGIC_BYTES: usize = 4;
/** Bytes after it. */
export const FOOTER_BYTES: usize = 4;
/** The level whose values are blocks; the levels above count from 1. */
export const LAST_LEVEL: u32 = 3;
/** Bytes of an offset at the levels whose values are partitions. */
export const WIDE_OFFSET: u32 = 4;
/** Bytes of an offset at the last level. */
export const NARROW_OFFSET: u32 = 2;
