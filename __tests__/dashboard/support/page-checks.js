// Runs in the page: what the browser tests ask of it.
globalThis.checks = {
  /** Every output of the tab in front has come, or the banner says why none does; and nothing is being made anew. */
  settled() {
    const outputs = [...document.querySelectorAll(".tab-pane.active .shiny-html-output")];
    const done = outputs.length > 0 && outputs.every((output) => output.childNodes.length > 0);
    const stopped = document.querySelector(".notice.stop") !== null;
    const busy = document.documentElement.classList.contains("shiny-busy");
    return (done || stopped) && !busy && document.querySelector(".recalculating") === null;
  },

  /** Elements that stick out of the page sideways, save within a box that scrolls. */
  outside() {
    const sticksOut = ({ left, right }) => right > innerWidth + 0.5 || left < -0.5;
    return [...document.querySelectorAll("body *:not(.visually-hidden, svg *, .scroll *)")]
      .filter((node) => node.checkVisibility() && sticksOut(node.getBoundingClientRect()))
      .map((node) => node.outerHTML.slice(0, 120));
  },

  /** Labels and values that are cut off. */
  clipped() {
    const cut = (node) =>
      node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX !== "visible";
    return [
      ...document.querySelectorAll(
        "h1, h2, label, summary, .name, .value, .big, .change, .btn, th, .bars, .funnel, .tiles",
      ),
    ]
      .filter((node) => node.checkVisibility() && cut(node))
      .map((node) => node.outerHTML.slice(0, 120));
  },

  /** Pairs of labels that lie over one another: on an axis, in rows of bars, among tabs, filters and tiles. */
  overlapping() {
    const groups = [
      ".x-axis span",
      ".y-axis span",
      ".week .hour",
      ".bars > *, .funnel > *",
      ".filters .field, .presets",
      "#tab a",
      ".tile",
    ];
    return groups.flatMap((group) => {
      const nodes = [...document.querySelectorAll(group)].filter(
        (node) => node.checkVisibility() && node.textContent !== "",
      );
      const boxes = nodes.map((node) => ({ node, box: boxOf(node) }));
      return boxes.flatMap(({ node, box }, i) =>
        boxes
          .slice(i + 1)
          .filter((other) => other.node.parentElement === node.parentElement && cross(box, other.box))
          .map((other) => `${group}: ${node.textContent} / ${other.node.textContent}`),
      );
    });
  },

  /** What is said on the page, to the eye and to a screen reader, that is one of these texts. The switch names itself. */
  spoken(texts) {
    const wrong = new Set(texts);
    const said = [...document.querySelectorAll("[aria-label], [title]")].flatMap((node) => [
      node.getAttribute("aria-label"),
      node.getAttribute("title"),
    ]);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode())
      if (node.parentElement.closest(".language, script") === null) said.push(node.textContent.trim());
    return said.filter((text) => wrong.has(text));
  },
};

/** Of the text where an element is laid out wider or narrower than what it says. */
function boxOf(node) {
  if (!node.matches(".x-axis span, .y-axis span, .hour")) return node.getBoundingClientRect();
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect();
}

function cross(a, b) {
  return a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
}
