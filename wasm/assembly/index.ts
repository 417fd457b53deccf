export { alloc, reset } from "./memory";
export { xxh64, xxh64Pages } from "./xxh64";
