// Which of two protocols a server speaks.

import { GraftError } from "../src/core/errors.ts";
import type { ProtocolName } from "./options.ts";
import { NoV1Error } from "./replica/remote/v1_transport.ts";

/** Tries v1 first, until a server has answered, and from then on what it answered over; or what it is told to. */
export class ProtocolChoice {
  #known: ProtocolName | undefined;
  readonly #isForced: boolean;

  /** @param forced The one to speak in any case; undefined: the server decides. */
  constructor(forced: ProtocolName | undefined) {
    this.#known = forced;
    this.#isForced = forced !== undefined;
  }

  /** Undefined until a server has answered. */
  get known(): ProtocolName | undefined {
    return this.#known;
  }

  /**
   * Makes a call, over v1 where that is there. A server that has answered over v1 has it: when its path is
   * gone later, that is some proxy's doing, and no reason to go on without checksums.
   */
  async run<T>(overV1: () => Promise<T>, overProtocol: () => Promise<T>): Promise<T> {
    if (this.#known !== "v0.1") {
      try {
        const result = await overV1();
        this.#known ??= "v1";
        return result;
      } catch (error) {
        if (!(error instanceof NoV1Error) || this.#isForced) throw error;
        if (this.#known === "v1") throw goneForNow(error);
      }
    }
    const result = await overProtocol();
    this.#known ??= "v0.1";
    return result;
  }
}

function goneForNow(cause: NoV1Error): GraftError {
  return new GraftError("unavailable", cause.message, {
    cause,
    hint: "The server has answered over v1 before; what answers now is something in between",
  });
}
