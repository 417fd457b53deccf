export { alloc, reset } from "./memory";
export { xxh64, xxh64Pages } from "./xxh64";
export { contentDigest } from "./content_digest";
export { result as pageSetResult } from "./page_set/result";
export { decode as pageSetDecode } from "./page_set/decode";
export { directory as pageSetDirectory, members as pageSetMembers } from "./page_set/members";
export {
  difference as pageSetDifference,
  intersection as pageSetIntersection,
  union as pageSetUnion,
} from "./page_set/merge";
export {
  addMembers as pageSetAddMembers,
  addRange as pageSetAddRange,
  addSet as pageSetAddSet,
  begin as pageSetBegin,
  finish as pageSetFinish,
} from "./page_set/accumulator";
export {
  segmentPutFrame,
  segmentPutHeader,
  segmentPutTrailer,
  segmentPutVolume,
} from "./segment_encode";
export { segmentOpen } from "./segment_open";
export { segmentOrder } from "./segment_order";
