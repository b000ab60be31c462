/** Waits for what should come true, never for time to pass. */

import { setTimeout as pause } from "node:timers/promises";

/** How long something may take, in ms, before it counts as never: generous, for a machine that is busy. */
export const PATIENCE_MS = 10_000;

/** What a busy machine may add to a limit that is promised to users, in ms. */
export const SLACK_MS = 1000;

const LOOK_EVERY_MS = 25;

/** Repeats an assertion until it holds, and resolves to what it returns; fails as it failed last. */
export async function eventually(holds, withinMs = PATIENCE_MS) {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await holds();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** How long something takes, in ms. */
export async function timed(action) {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Fails where a promise takes too long, saying what was waited for. */
export async function inTime(promise, what, withinMs = PATIENCE_MS) {
  const tooLate = new AbortController();
  const alarm = pause(withinMs, undefined, { signal: tooLate.signal }).then(
    () => Promise.reject(new Error(`${what} did not come within ${withinMs} ms`)),
    () => undefined,
  );
  try {
    return await Promise.race([promise, alarm]);
  } finally {
    tooLate.abort();
  }
}
