import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { FixedClock, KEY, OTHER_KEY, tokenWith } from "./_testing.ts";
import { Authenticator } from "./authenticator.ts";

function refusal(authenticator: Authenticator, header: string | null): string {
  try {
    authenticator.authenticate(header);
  } catch (error) {
    assert(isGraftError(error, "unauthorized"), String(error));
    return error.message;
  }
  return "no refusal";
}

Deno.test("Authenticator returns the claims of a token, the same ones when it comes again", () => {
  const authenticator = new Authenticator([KEY], new FixedClock());
  const header = `Bearer ${tokenWith({ subject: "laptop" })}`;
  const claims = authenticator.authenticate(header);
  assert.equal(claims.subject, "laptop");
  assert.equal(authenticator.authenticate(header), claims);
});

Deno.test("Authenticator says what is wrong with a request's token", () => {
  const authenticator = new Authenticator([KEY], new FixedClock());
  assert.match(refusal(authenticator, null), /carries no token/);
  assert.match(refusal(authenticator, "Basic YTpi"), /not "Bearer"/);
  assert.match(refusal(authenticator, "Bearer"), /not "Bearer"/);
  assert.match(refusal(authenticator, "Bearer nonsense"), /malformed/);
  assert.match(refusal(authenticator, `Bearer ${tokenWith({}, OTHER_KEY)}`), /key/);
});

Deno.test("Authenticator ends a token that it remembers", () => {
  const clock = new FixedClock();
  const authenticator = new Authenticator([KEY], clock);
  const header = `Bearer ${tokenWith({ expiresAtMs: clock.nowMs + 1000 })}`;
  authenticator.authenticate(header);
  clock.nowMs += 999;
  authenticator.authenticate(header);
  clock.nowMs += 1;
  assert.match(refusal(authenticator, header), /expired/);
});

Deno.test("Authenticator does not remember what it refused", () => {
  const clock = new FixedClock();
  const authenticator = new Authenticator([KEY], clock);
  const header = `Bearer ${tokenWith({ notBeforeMs: clock.nowMs + 120_000 })}`;
  assert.match(refusal(authenticator, header), /not valid before/);
  clock.nowMs += 120_000;
  assert.equal(authenticator.authenticate(header).subject, "test");
});
