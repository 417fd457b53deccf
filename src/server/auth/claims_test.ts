import assert from "node:assert/strict";
import { systemClock } from "../../core/clock.ts";
import { isGraftError } from "../../core/errors.ts";
import { newGid } from "../../core/gid.ts";
import { systemRandom } from "../../core/random.ts";
import {
  ALL_RIGHTS,
  allows,
  type Claims,
  claimsToPayload,
  parseClaims,
  requireRight,
  requireTime,
} from "./claims.ts";

const MINE = newGid("volume", systemClock, systemRandom);
const OTHERS = newGid("volume", systemClock, systemRandom);

Deno.test("parseClaims() takes a token of the original, a subject only, as one for everything", () => {
  const claims = parseClaims({ sub: "client" });
  assert.equal(claims.subject, "client");
  for (const verb of ["read", "write", "fork", "admin"] as const) {
    assert(allows(claims, verb, MINE));
    assert(allows(claims, verb, "all"));
  }
});

Deno.test("parseClaims() restricts volumes and verbs each on its own", () => {
  const reader = parseClaims({ can: ["read"] });
  assert(allows(reader, "read", "all"));
  assert(!allows(reader, "write", MINE));
  const owner = parseClaims({ volumes: [MINE] });
  assert(allows(owner, "admin", MINE));
  assert(!allows(owner, "read", OTHERS));
  assert(!allows(owner, "read", "all"));
  assert(!allows(parseClaims({ volumes: [] }), "read", MINE));
});

Deno.test("parseClaims() refuses claims of the wrong shape instead of allowing everything", () => {
  const bad: [unknown, RegExp][] = [
    ["text", /payload/],
    [null, /payload/],
    [{ sub: 7 }, /"sub"/],
    [{ volumes: 5 }, /"volumes"/],
    [{ volumes: MINE }, /"volumes"/],
    [{ volumes: ["nonsense"] }, /"volumes"/],
    [{ volumes: null }, /"volumes"/],
    [{ can: "read" }, /"can"/],
    [{ can: ["reed"] }, /"can"/],
    [{ can: null }, /"can"/],
    [{ exp: 5 }, /"exp"/],
    [{ exp: "tomorrow" }, /"exp"/],
    [{ iat: "soon" }, /"iat"/],
    [{ nbf: {} }, /"nbf"/],
  ];
  for (const [payload, message] of bad) {
    assert.throws(() => parseClaims(payload), (error) => {
      assert(isGraftError(error, "unauthorized"), `${JSON.stringify(payload)} was taken`);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("claimsToPayload() is what parseClaims() reads", () => {
  const claims: Claims = {
    subject: "laptop",
    volumes: new Set([MINE, OTHERS]),
    can: new Set(["read", "fork"]),
    issuedAtMs: 1_000,
    notBeforeMs: 2_000,
    expiresAtMs: 3_000,
  };
  assert.deepEqual(parseClaims(JSON.parse(JSON.stringify(claimsToPayload(claims)))), claims);
});

Deno.test("claimsToPayload() leaves out what restricts nothing", () => {
  assert.deepEqual(claimsToPayload({ ...ALL_RIGHTS, subject: "laptop" }), { sub: "laptop" });
});

Deno.test("requireTime() ends a token at its expiry, and lets one without it live", () => {
  requireTime({ ...ALL_RIGHTS, expiresAtMs: 1001 }, 1000);
  requireTime(ALL_RIGHTS, Number.MAX_SAFE_INTEGER);
  assert.throws(
    () => requireTime({ ...ALL_RIGHTS, expiresAtMs: 1000 }, 1000),
    (error) => isGraftError(error, "unauthorized") && /expired at 1970/.test(error.message),
  );
});

Deno.test("requireTime() forgives a clock that is behind by a minute, not more", () => {
  for (const claim of ["issuedAtMs", "notBeforeMs"] as const) {
    requireTime({ ...ALL_RIGHTS, [claim]: 60_000 }, 0);
    assert.throws(
      () => requireTime({ ...ALL_RIGHTS, [claim]: 60_001 }, 0),
      (error) => isGraftError(error, "unauthorized") && /not valid before/.test(error.message),
    );
  }
});

Deno.test("requireRight() says which right is missing", () => {
  const claims: Claims = { ...ALL_RIGHTS, volumes: new Set([MINE]), can: new Set(["read"]) };
  requireRight(claims, "read", MINE);
  const refusals: [Parameters<typeof requireRight>, RegExp][] = [
    [[claims, "write", MINE], /Cannot write volume "G.*does not allow to write/],
    [[claims, "read", OTHERS], /Cannot read volume "G.*other volumes/],
    [[claims, "read", "all"], /Cannot read all volumes/],
  ];
  for (const [args, message] of refusals) {
    assert.throws(
      () => requireRight(...args),
      (error) => isGraftError(error, "forbidden") && message.test(error.message),
    );
  }
});
