// What a worker started from source runs.

import { serveEncoding } from "./encode_worker.ts";

serveEncoding();
