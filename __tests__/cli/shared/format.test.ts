import { expect } from "chai";
import { oneLine, printable, table } from "../../../cli/shared/format.js";

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

describe("a table", () => {
  const head = ["id", { name: "detail", wrapTo: 10 }, { name: "less", drop: 1 }, { name: "least", drop: 2 }];
  const rows = [["7", "a sentence that is longer than others", "kept longer", "dropped first"]];

  it("is as wide as its cells where there is room", () => {
    expect(table(head, rows, 200))
      .to.include("a sentence that is longer than others")
      .and.include("dropped first");
  });

  for (const width of [80, 60, 40, 24])
    it(`fits ${width} columns`, () => {
      expect(widest(table(head, rows, width))).to.be.at.most(width);
    });

  it("wraps before it leaves a column out, and leaves the least out first", () => {
    expect(table(head, rows, 60)).to.include("least");
    expect(table(head, rows, 40))
      .to.include("less")
      .and.not.include("least");
    expect(table(head, rows, 24))
      .to.include("id")
      .and.not.include("less");
  });

  it("takes the codes of a colour for nothing, and wraps none of them apart", () => {
    const green = "\u001b[32msucceeded\u001b[39m";
    expect(table(["status"], [[green]], 80)).to.include(`│ ${green} │`);
    const narrow = table([{ name: "status", wrapTo: 4 }], [[green]], 8);
    expect(narrow).to.include("│ succ │").and.include("│ eede │").and.include("│ d    │");
  });

  it("has numbers to the right", () => {
    expect(table(["n"], [["1"], ["1,000"]], 80)).to.include("│     1 │");
  });
});

describe("text of a stranger", () => {
  it("cannot steer the terminal", () => {
    expect(oneLine("a\u001b[31m\nb", 20)).to.equal("a [31m b");
    expect(printable("a\u001b[31m\nb\u0007")).to.equal("a�[31m\nb�");
  });
});
