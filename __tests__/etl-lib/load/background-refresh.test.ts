import { expect } from "chai";
import { BackgroundRefresh } from "../../../etl-lib/src/load/background-refresh.js";

const DUE = 250_001;

describe("BackgroundRefresh", () => {
  let now: number;
  let started: number;
  /** Ends the refresh under way, after so many milliseconds. */
  let end: (afterMs: number, error?: Error) => Promise<void>;
  let background: BackgroundRefresh;

  beforeEach(() => {
    now = 5_000;
    started = 0;
    const refresh = () =>
      new Promise<void>((resolve, reject) => {
        started++;
        end = (afterMs, error) => {
          now += afterMs;
          error ? reject(error) : resolve();
          return background.ended();
        };
      });
    background = new BackgroundRefresh(refresh, () => now);
  });

  it("leaves a run of an hour to the refresh at its end", async () => {
    for (let batch = 0; batch < 5; batch++) background.committed(50_000);
    expect(started).to.equal(0);
    await background.ended();
  });

  it("starts when enough rows were committed since the last one began, wherever they came from", async () => {
    background.committed(150_000);
    background.committed(100_001);
    expect(started).to.equal(1);
    background.committed(100_000); // meanwhile
    await end(0);
    background.committed(150_000);
    expect(started).to.equal(1);
    background.committed(1);
    expect(started).to.equal(2);
  });

  it("runs one at a time", async () => {
    for (let batch = 0; batch < 3; batch++) background.committed(DUE);
    expect(started).to.equal(1);
    await end(0);
    background.committed(1);
    expect(started).to.equal(2);
  });

  it("rests as long as the last one took", async () => {
    background.committed(DUE);
    await end(700);
    now += 699;
    background.committed(DUE);
    expect(started).to.equal(1);
    now += 1;
    background.committed(1);
    expect(started).to.equal(2);
  });

  it("takes a failure for an end, and waits for the next rows", async () => {
    background.committed(DUE);
    await end(700, new Error("gone"));
    now += 700;
    background.committed(250_000);
    expect(started).to.equal(1);
    background.committed(1);
    expect(started).to.equal(2);
  });

  it("tells when the one under way has ended", async () => {
    let ended = false;
    background.committed(DUE);
    const waiting = background.ended().then(() => {
      ended = true;
    });
    await new Promise(setImmediate);
    expect(ended).to.equal(false);
    await end(0);
    await waiting;
    expect(ended).to.equal(true);
  });
});
