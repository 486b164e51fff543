// Runs in the page: what the browser tests ask of it.
globalThis.checks = {
  /** Every output that can be seen has come, or the banner says why none does; and nothing is being redrawn. */
  settled() {
    const seen = (node) => node.closest(".card")?.checkVisibility();
    const outputs = [...document.querySelectorAll(".tab-pane.active :is(.words, .big)")].filter(seen);
    const done = outputs.length > 0 && outputs.every((output) => output.childNodes.length > 0);
    const stopped = document.querySelector(".notice.stop") !== null;
    const busy = document.documentElement.classList.contains("shiny-busy");
    const again = [...document.querySelectorAll(".tab-pane.active .recalculating:not(details *)")].some(seen);
    return (done || stopped) && !busy && !again;
  },

  /** Elements that stick out of the page sideways, save within a box that scrolls. */
  outside() {
    const sticksOut = ({ left, right }) => right > innerWidth + 0.5 || left < -0.5;
    return [
      ...document.querySelectorAll(
        "body *:not(.visually-hidden, .sr-only, svg *, .scroll *, .sidebar *, .datepicker *)",
      ),
    ]
      .filter(
        (node) =>
          node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
          sticksOut(node.getBoundingClientRect()),
      )
      .map((node) => node.outerHTML.slice(0, 120));
  },

  /** Labels and values that are cut off. */
  clipped() {
    const cut = (node) =>
      node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX !== "visible";
    return [...document.querySelectorAll("h1, h2, label, summary, .big, .change, .btn, th, .tiles, .chip")]
      .filter((node) => node.checkVisibility() && cut(node))
      .map((node) => node.outerHTML.slice(0, 120));
  },

  /** Figures that do not stand on one line within their box. */
  broken() {
    const range = document.createRange();
    return [...document.querySelectorAll(".boxes .big")]
      .filter((node) => {
        range.selectNodeContents(node);
        const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom)));
        return lines.size > 1 || range.getBoundingClientRect().right > node.getBoundingClientRect().right + 1;
      })
      .map((node) => node.textContent);
  },

  /** Pairs of labels that lie over one another: on an axis, in rows of bars, among tabs, filters and tiles. */
  overlapping() {
    const groups = [".plot svg text", ".sidebar .field", "#tab a", ".tile", ".boxes > *"];
    return groups.flatMap((group) => {
      const nodes = [...document.querySelectorAll(group)].filter(
        (node) => node.checkVisibility() && node.textContent !== "",
      );
      const boxes = nodes.map((node) => ({ node, box: node.getBoundingClientRect() }));
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
      if (node.parentElement.closest(".languages, script, style, noscript") === null)
        said.push(node.textContent.trim());
    return said.filter((text) => wrong.has(text));
  },
};

function cross(a, b) {
  return a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
}
