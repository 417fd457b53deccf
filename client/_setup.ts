// What a client's options become when it is made.

import { GraftError } from "../src/core/errors.ts";

/** A URL that a path can be put behind. */
export function baseUrl(url: string | URL): string {
  if (!URL.canParse(url)) {
    throw new GraftError("invalid", `Cannot use "${url}" as a URL: it is none`);
  }
  const { protocol, host, pathname } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new GraftError("invalid", `Cannot use "${url}" as a URL: it is neither http nor https`);
  }
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
}

/** The headers of every request. */
export function headersFor(token: string | undefined): Headers {
  const headers = new Headers();
  if (token === undefined) return headers;
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new GraftError("invalid", "Cannot use the token: it is not one word of ASCII");
  }
  headers.set("authorization", `Bearer ${token}`);
  return headers;
}

/** Throws for an option that is none: one that is mistyped would be taken for one that is not given. */
export function requireKnown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new GraftError(
    "invalid",
    `Cannot take the option "${unknown}": there is none of that name`,
    {
      hint: `There are ${known.join(", ")}`,
    },
  );
}
