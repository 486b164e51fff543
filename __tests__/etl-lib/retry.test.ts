import { expect } from "chai";
import { type ErrorKind, ExtractError, LoadError } from "../../etl-lib/src/errors.js";
import { DEFAULT_RETRY, retrying } from "../../etl-lib/src/retry.js";

const QUICK = { retries: 4, minDelayMs: 1, maxDelayMs: 2 };

/** Fails with `error` so many times, then gives 42. */
function failing(times: number, error: unknown) {
  let attempts = 0;
  return {
    attempt: async () => {
      if (++attempts <= times) throw error;
      return 42;
    },
    attempts: () => attempts,
  };
}
const of = (kind: ErrorKind) => new LoadError(kind, `${kind} error`);
const outcome = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe("retrying", () => {
  for (const [what, times, error, attempts, succeeds] of [
    ["nothing fails", 0, of("retriable"), 1, true],
    ["a retriable error passes", 3, of("retriable"), 4, true],
    ["a retriable error passes at the last attempt", 4, of("retriable"), 5, true],
    ["a retriable error stays", 5, of("retriable"), 5, false],
    ["the error is fatal", 1, of("fatal"), 1, false],
    ["the object changed", 1, new ExtractError("changed", "changed"), 1, false],
    ["the error is not of this library", 1, new Error("bug"), 1, false],
    ["the error is a TypeError", 1, new TypeError("x is not a function"), 1, false],
  ] as const)
    it(`makes ${attempts} ${attempts === 1 ? "attempt" : "attempts"} when ${what}`, async () => {
      const work = failing(times, error);
      expect(await outcome(retrying(QUICK, work.attempt))).to.equal(succeeds ? 42 : error);
      expect(work.attempts()).to.equal(attempts);
    });

  it("stops at a fatal error that follows a retriable one", async () => {
    const errors = [of("retriable"), of("fatal")];
    let attempts = 0;
    const error = await outcome(retrying(QUICK, async () => Promise.reject(errors[attempts++])));
    expect(error).to.equal(errors[1]);
    expect(attempts).to.equal(2);
  });

  it("never retries with a policy of no retries", async () => {
    const work = failing(1, of("retriable"));
    await outcome(retrying({ ...QUICK, retries: 0 }, work.attempt));
    expect(work.attempts()).to.equal(1);
  });

  it("waits between attempts, no longer than the cap", async () => {
    const since = performance.now();
    await outcome(
      retrying({ retries: 3, minDelayMs: 10, maxDelayMs: 15 }, failing(9, of("retriable")).attempt),
    );
    expect(performance.now() - since).to.be.at.least(29);
  });

  it("is broken off by its signal", async () => {
    const abort = new AbortController();
    const work = failing(99, of("retriable"));
    const pending = outcome(
      retrying({ retries: 99, minDelayMs: 50_000, maxDelayMs: 50_000 }, work.attempt, abort.signal),
    );
    await new Promise((done) => setTimeout(done, 5));
    abort.abort(new Error("enough"));
    expect(await pending).to.have.property("message", "enough");
    expect(work.attempts()).to.equal(1);
  });

  it("by default outlasts the restart of a database, within a minute or two", () => {
    const { retries, minDelayMs, maxDelayMs } = DEFAULT_RETRY;
    const delays = Array.from({ length: retries }, (_, n) => Math.min(minDelayMs * 2 ** n, maxDelayMs));
    expect(delays.reduce((sum, delay) => sum + delay)).to.be.within(45_000, 120_000);
  });
});
