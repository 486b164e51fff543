import { expect } from "chai";
import { ContractSample } from "../../../etl-lib/src/contract/sample.js";

const EVENT = {
  ...{ eventName: "product_view", eventId: "1", pageUrl: "https://shop.example/x", referrer: null },
  ...{ userId: null, userLoginState: "anonymous", clientId: "c", sessionId: "s", isFirstVisit: true },
  product: { id: "1", name: "x", price: 1.5, brand: null },
  _ingest: { receivedAt: "2025-12-06T05:00:00.123Z", userAgent: "x" },
};

async function findings(...events: { readonly eventName: string }[]) {
  const sample = new ContractSample();
  await sample.prepare();
  for (const event of events)
    sample.look(
      event.eventName,
      () => JSON.stringify(event).length,
      () => event,
    );
  return {
    checked: sample.summary.checked,
    findings: sample.summary.findings.map((one) => Object.values(one).join(" ")),
  };
}

describe("the contract", () => {
  it("finds nothing in what the publisher writes", async () => {
    expect(await findings(EVENT, { ...EVENT, eventName: "share_click" })).to.deep.equal({
      checked: 2,
      findings: [],
    });
  });

  it("tells what differs by event, field and kind, each once an event", async () => {
    const { product, ...bare } = EVENT;
    const { findings: found } = await findings(
      bare,
      { ...EVENT, product: { ...product, price: "1", colour: "red" } } as unknown as typeof EVENT,
      { ...EVENT, utm: "x", userLoginState: "vip", pageUrl: "no address" } as typeof EVENT,
      { ...EVENT, _ingest: { receivedAt: "yesterday" } } as typeof EVENT,
    );
    expect(found.sort()).to.deep.equal([
      "product_view _ingest.receivedAt format 1",
      "product_view pageUrl format 1",
      "product_view product missing 1",
      "product_view product.colour unknown_field 1",
      "product_view product.price type 1",
      "product_view userLoginState enum 1",
      "product_view utm unknown_field 1",
    ]);
  });

  it("tells names that it does not know", async () => {
    const { findings: found } = await findings({ ...EVENT, eventName: "toString" }, EVENT);
    expect(found).to.deep.equal(["toString eventName unknown_event 1"]);
  });

  it("checks the first events of each name, then one in 32", async () => {
    const many = Array.from({ length: 200 + 32 * 10 }, () => EVENT);
    expect((await findings(...many, { ...EVENT, eventName: "logout" })).checked).to.equal(200 + 10 + 1);
  });

  it("keeps a bound on what strangers make up, and passes over what is huge", async () => {
    const made = Array.from({ length: 5_000 }, (_, n) => ({
      ...EVENT,
      eventName: `made up ${n}`,
      [`f${n}`]: 1,
    }));
    const { findings: found } = await findings(...made, {
      ...EVENT,
      note: "x".repeat(70_000),
    } as typeof EVENT);
    expect(found.length).to.be.at.most(201);
    expect(found[0]).to.match(/^other other other \d+$/);
  });
});
