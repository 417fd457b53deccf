import { deepEqual, equal } from "node:assert/strict";
import { toLsn } from "../core/lsn.ts";
import { type Metrics, noMetrics } from "../core/metrics.ts";
import { newVolume } from "./_testing.ts";
import { Subscribers } from "./subscribers.ts";

const NEWS = [{ vid: newVolume(), lsn: toLsn(1), record: undefined, deleted: false }];

Deno.test("everyone hears of changes at once, in the order of subscription", () => {
  const subscribers = new Subscribers(noMetrics, () => {});
  const heard: string[] = [];
  subscribers.subscribe((changes) => heard.push(`first ${changes.length}`));
  subscribers.subscribe((changes) => heard.push(`second ${changes.length}`));
  subscribers.publish(NEWS);
  deepEqual(heard, ["first 1", "second 1"]);
});

Deno.test("who unsubscribes hears no more, and may do so twice", () => {
  const subscribers = new Subscribers(noMetrics, () => {});
  let heard = 0;
  const unsubscribe = subscribers.subscribe(() => void heard++);
  subscribers.publish(NEWS);
  unsubscribe();
  unsubscribe();
  subscribers.publish(NEWS);
  equal(heard, 1);
});

Deno.test("listeners may come and go while changes are told", () => {
  const subscribers = new Subscribers(noMetrics, () => {});
  const heard: string[] = [];
  const unsubscribe = subscribers.subscribe(() => {
    heard.push("once");
    unsubscribe();
    subscribers.subscribe(() => heard.push("late"));
  });
  subscribers.subscribe(() => heard.push("always"));
  subscribers.publish(NEWS);
  deepEqual(heard, ["once", "always"]);
  subscribers.publish(NEWS);
  deepEqual(heard, ["once", "always", "always", "late"]);
});

Deno.test("what a listener throws is reported and counted, and the others hear all the same", () => {
  const reported: unknown[] = [];
  let counted = 0;
  const metrics: Metrics = { ...noMetrics, counter: () => ({ add: () => void counted++ }) };
  const subscribers = new Subscribers(metrics, (error) => reported.push(error));
  let heard = 0;
  subscribers.subscribe(() => {
    throw "not even an Error";
  });
  subscribers.subscribe(() => void heard++);
  subscribers.publish(NEWS);
  deepEqual(reported, ["not even an Error"]);
  equal(counted, 1);
  equal(heard, 1);
});

Deno.test("who asked to know hears that changes may have been missed", () => {
  const broken = new Error("broken");
  const reported: unknown[] = [];
  const subscribers = new Subscribers(noMetrics, (error) => reported.push(error));
  let heard = 0;
  subscribers.subscribe(() => {}, () => {
    throw broken;
  });
  subscribers.subscribe(() => heard += 10);
  const unsubscribe = subscribers.subscribe(() => {}, () => void heard++);
  subscribers.resync();
  equal(heard, 1);
  deepEqual(reported, [broken]);
  unsubscribe();
  subscribers.resync();
  equal(heard, 1);
});
