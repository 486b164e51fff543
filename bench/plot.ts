export interface Bar {
  readonly name: string;
  readonly value: number;
}

const [WIDTH, ROW, LEFT] = [720, 30, 290];

/** Horizontal bars, the first one full length, each with its figure. */
export function barPlot(title: string, unit: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ name, value }, index) => {
    const y = 44 + index * ROW;
    const width = Math.round(((WIDTH - LEFT - 120) * value) / most);
    return `<text x="${LEFT - 10}" y="${y + 14}" text-anchor="end">${name}</text>
<rect x="${LEFT}" y="${y}" width="${width}" height="20" fill="${name.startsWith("this ETL") ? "#2b6cb0" : "#a0aec0"}"/>
<text x="${LEFT + width + 8}" y="${y + 14}">${Math.round(value).toLocaleString("en-US")} ${unit}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${56 + bars.length * ROW}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" font-weight="bold">${title}</text>
${rows.join("\n")}
</svg>
`;
}
