/**
 * Addresses to listen on.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";

/** A place to listen. */
export interface ListenAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly hostname: string;
  /** 0 to 65,535; 0 takes any free one. */
  readonly port: number;
}

const PATTERN = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/;

/**
 * Reads `HOST:PORT`; an IPv6 address stands in brackets.
 *
 * @throws {GraftError} `invalid` for anything else.
 *
 * @example
 * ```ts
 * import { parseAddress } from "./address.ts";
 *
 * console.log(parseAddress("[::1]:3000")); // { hostname: "::1", port: 3000 }
 * ```
 */
export function parseAddress(text: string): ListenAddress {
  const match = PATTERN.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new GraftError("invalid", `Cannot listen on "${text}": it is not HOST:PORT`, {
      hint: "For example 127.0.0.1:3000, localhost:0 or [::1]:3000",
    });
  }
  return { hostname: match[1] ?? match[2], port };
}

/** The address as it stands in a URL. */
export function formatAddress({ hostname, port }: ListenAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Tells whether a host name, with or without brackets, can only mean this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const name = hostname.toLowerCase();
  if (name === "localhost" || name === "::1" || name === "[::1]") return true;
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}
