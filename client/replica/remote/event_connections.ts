/**
 * The connections over which a server tells of its volumes.
 *
 * @module
 */

import type { VolumeId } from "../../../src/core/gid.ts";
import {
  EVENT_VOLUMES_MAX,
  EventConnection,
  type EventConnectionParts,
} from "./event_connection.ts";
import type { RemoteNews } from "./remote.ts";

/** Follows any number of volumes on as few connections as the server allows. */
export class EventConnections {
  readonly #parts: EventConnectionParts;
  readonly #connections: EventConnection[] = [];

  /** Nothing is followed yet. */
  constructor(parts: EventConnectionParts) {
    this.#parts = parts;
  }

  /** Tells `listener` of a volume until the returned function is called. */
  follow(vid: VolumeId, listener: (news: RemoteNews) => void): () => void {
    let connection = this.#connections.find((known) => known.has(vid)) ??
      this.#connections.find((known) => known.size < EVENT_VOLUMES_MAX);
    if (connection === undefined) {
      connection = new EventConnection(this.#parts);
      this.#connections.push(connection);
    }
    return connection.follow(vid, listener);
  }

  /** Ends them all. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
