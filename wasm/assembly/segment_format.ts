// The layout of a segment's directory and trailer, as docs/formats/segment.md draws it.

export const HEADER_MAGIC: u64 = 0x4745535446415247; // "GRAFTSEG"
export const TRAILER_MAGIC: u64 = 0x444e455446415247; // "GRAFTEND"
export const FORMAT_VERSION: u16 = 1;

export const SID_BYTES: usize = 16;
export const VID_KIND: u8 = 0x80;

export const HEADER_BYTES: u32 = 32;
export const HEADER_VERSION: usize = 8;
export const HEADER_SID: usize = 16;

export const VOLUME_BYTES: u32 = 48;
export const VOLUME_DIGEST: usize = 16;
export const VOLUME_KEY_ID: usize = 32;
export const VOLUME_PAGE_SET_BYTES: usize = 36;
export const VOLUME_PAGES: usize = 40;
export const VOLUME_FRAMES: usize = 44;

export const FRAME_BYTES: u32 = 20;
export const FRAME_FIRST_RANK: usize = 0;
export const FRAME_PAGES: usize = 2;
export const FRAME_CODEC: usize = 3;
export const FRAME_OFFSET: usize = 4;
export const FRAME_STORED_BYTES: usize = 8;
export const FRAME_HASH: usize = 12;

export const CODEC_RAW: u8 = 0;
export const CODEC_ZSTD: u8 = 1;

export const TRAILER_BYTES: u32 = 64;
export const TRAILER_DIRECTORY_OFFSET: usize = 0;
export const TRAILER_DIRECTORY_BYTES: usize = 4;
export const TRAILER_FEATURES: usize = 8;
export const TRAILER_VOLUMES: usize = 12;
export const TRAILER_SID: usize = 16;
export const TRAILER_PAGES: usize = 32;
export const TRAILER_FRAMES: usize = 36;
export const TRAILER_VERSION: usize = 40;
export const TRAILER_CHECKSUM: usize = 48;
export const TRAILER_MAGIC_AT: usize = 56;

export const PAGE_BYTES: u32 = 4096;
export const PAGE_HASH_BYTES: u32 = 8;
export const PAGE_INDEX_MAX: u32 = 1 << 28;
export const FRAME_PAGES_MAX: u32 = 16;
export const SEGMENT_PAGES_MAX: u32 = 16_384;
export const SEGMENT_VOLUMES_MAX: u32 = 400;
export const TAIL_BYTES_MAX: u32 = 60 * 1024;
