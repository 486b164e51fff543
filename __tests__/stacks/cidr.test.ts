import { expect } from "chai";
import { type Cidr, contains, isHostAddress, overlap, parseAddress, parseCidr } from "../../stacks/cidr.js";

const cidr = (text: string) => parseCidr(text) as Cidr;

describe("cidr", () => {
  it("reads a network, up to the whole internet and down to one address", () => {
    expect(parseCidr("10.0.128.0/20")).to.deep.equal({ first: 10 * 2 ** 24 + 128 * 2 ** 8, bits: 20 });
    expect(parseCidr("0.0.0.0/0")).to.deep.equal({ first: 0, bits: 0 });
    expect(parseCidr("255.255.255.255/32")).to.deep.equal({ first: 2 ** 32 - 1, bits: 32 });
  });

  for (const text of [
    "10.0.0.0",
    "10.0.0.1/16",
    "10.0.0/16",
    "10.0.0.0/33",
    "10.0.0.0/",
    "256.0.0.0/8",
    "::/0",
  ])
    it(`takes ${text} for no network`, () => expect(parseCidr(text)).to.equal(null));

  for (const text of ["10.0.0", "10.0.0.256", "10.0.0.01", "a.b.c.d", ""])
    it(`takes "${text}" for no address`, () => expect(parseAddress(text)).to.equal(null));

  it("knows what lies inside and what overlaps", () => {
    expect(contains(cidr("10.0.0.0/16"), cidr("10.0.128.0/20"))).to.equal(true);
    expect(contains(cidr("10.0.0.0/16"), cidr("10.1.0.0/20"))).to.equal(false);
    expect(contains(cidr("10.0.0.0/20"), cidr("10.0.0.0/16"))).to.equal(false);
    expect(overlap(cidr("10.0.0.0/20"), cidr("10.0.8.0/21"))).to.equal(true);
    expect(overlap(cidr("10.0.0.0/20"), cidr("10.0.16.0/20"))).to.equal(false);
  });

  it("keeps the first four addresses and the last for AWS", () => {
    const holds = (address: string) => isHostAddress(cidr("10.0.128.0/28"), parseAddress(address) as number);
    const all = Array.from({ length: 18 }, (_, index) => index).filter((index) => holds(`10.0.128.${index}`));
    expect(all).to.deep.equal([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });
});
