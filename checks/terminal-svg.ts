/** One line of a screen. */
interface Row {
  cells: { char: string; color: string }[];
  /** When something first stood in it, in seconds. */
  since: number;
}

const [CHAR, LINE, MARGIN, ROWS] = [7.8, 17, 16, 36];
const PLAIN = "#d4d4d4";
const COLORS: Readonly<Record<string, string>> = {
  "31": "#f48771",
  "32": "#89d185",
  "33": "#e2c08d",
  "36": "#4ec9d6",
};
/** Nobody waits longer than this for the next line, and none comes sooner than this after the one before it. */
const [LONGEST, SHORTEST] = [0.8, 0.07];
const HOLD_SECONDS = 8;

/** A picture that shows line after line, as they came, and then the last screen for a while. */
export function drawTerminal(
  chunks: readonly { readonly at: number; readonly text: string }[],
  { command, columns }: { readonly command: string; readonly columns: number },
): string {
  const prompt: Row = { cells: [...`$ ${command}`].map((char) => ({ char, color: "#ffffff" })), since: 0 };
  const rows = [prompt, ...screenOf(chunks)];
  while (rows.at(-1)?.cells.length === 0) rows.pop();
  const shown = paced(rows.map(({ since }) => since));
  const total = (shown.at(-1) ?? 0) + HOLD_SECONDS;
  const percent = (seconds: number) => ((100 * seconds) / total).toFixed(2);
  const [width, height] = [columns * CHAR + 2 * MARGIN, ROWS * LINE + 2 * MARGIN];
  const lines = rows.map(
    (row, at) =>
      `<text class="l${at}" y="${(at + 1) * LINE - 4}" xml:space="preserve">${spansOf(row)}</text>`,
  );
  const appear = shown.map(
    (at, n) =>
      `.l${n}{animation:a${n} ${total.toFixed(2)}s infinite step-end}@keyframes a${n}{0%{opacity:0}${percent(at)}%{opacity:1}}`,
  );
  const scrolls = shown
    .map((at, n) => `${percent(at)}%{transform:translateY(${-Math.max(0, n + 1 - ROWS) * LINE}px)}`)
    .join("");
  const end = -Math.max(0, rows.length - ROWS) * LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${command} in a terminal">
<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${PLAIN}}
.all{transform:translateY(${end}px)}
@media (prefers-reduced-motion:no-preference){${appear.join("\n")}
.all{animation:scroll ${total.toFixed(2)}s infinite step-end}@keyframes scroll{${scrolls}}}</style>
<rect width="100%" height="100%" rx="8" fill="#1e1e1e"/>
<svg x="${MARGIN}" y="${MARGIN}" width="${width - 2 * MARGIN}" height="${height - 2 * MARGIN}"><g class="all">
${lines.join("\n")}
</g></svg>
</svg>
`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal reads
const TOKEN = /\u001b\[([\d;?]*)([A-Za-z])|\u001b[78]|[^\u001b]/gu;

/** What a terminal shows of the output: line feeds, carriage returns, colours, and what a progress bar needs. */
function screenOf(chunks: readonly { readonly at: number; readonly text: string }[]): Row[] {
  const rows: Row[] = [];
  let [row, column, color] = [0, 0, PLAIN];
  const rowAt = (at: number, since: number): Row => {
    while (rows.length <= at) rows.push({ cells: [], since });
    return rows[at] as Row;
  };
  for (const { at, text } of chunks)
    for (const [token, parameters = "", command] of text.matchAll(TOKEN)) {
      if (command === "m") color = COLORS[parameters] ?? PLAIN;
      else if (command === "K") rowAt(row, at).cells.length = parameters === "2" ? 0 : column;
      else if (command === "G") column = Math.max(0, Number(parameters || 1) - 1);
      else if (command !== undefined || token.length > 1) continue;
      else if (token === "\n") row += 1;
      else if (token === "\r") column = 0;
      else {
        const { cells } = rowAt(row, at);
        while (cells.length < column) cells.push({ char: " ", color });
        cells[column++] = { char: token, color };
      }
    }
  return rows;
}

function paced(times: readonly number[]): number[] {
  let shown = 0;
  return times.map((time, at) => {
    const gap = at === 0 ? SHORTEST : time - (times[at - 1] as number);
    shown += Math.min(LONGEST, Math.max(SHORTEST, gap));
    return shown;
  });
}

function spansOf({ cells }: Row): string {
  const parts: { color: string; text: string; x: number }[] = [];
  for (const [at, { char, color }] of cells.entries()) {
    const last = parts.at(-1);
    if (last?.color === color) last.text += char;
    else parts.push({ color, text: char, x: at * CHAR });
  }
  return parts
    .map(({ color, text, x }) => {
      const fill = color === PLAIN ? "" : ` fill="${color}" style="fill:${color}"`;
      const length = ([...text].length * CHAR).toFixed(1);
      return `<tspan x="${x.toFixed(1)}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${fill}>${escaped(text)}</tspan>`;
    })
    .join("");
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
