/** What listing costs: an ordinary hour against the bucket's past, and a sweep of 72 hours of any size. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { S3Client } from "@aws-sdk/client-s3";
import { listObjects, lookbackWindow } from "etl-lib";
import { s3Source } from "etl-lib/s3";
import { count, table } from "../cli/shared/format.js";
import { priceOf, type Requests } from "./s3/prices.js";
import type { PastServerOptions } from "./s3/server.js";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-24T12:05:00Z");
const LATENCY = { listMs: 80, getMs: 20 };
const PLOT = fileURLToPath(new URL("../docs/images/cost-of-an-hour.svg", import.meta.url));

interface Cost {
  readonly objects: number;
  readonly requests: Requests;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Lists the last hours of a bucket with so many objects an hour and so many hours of past. */
async function list(perHour: number, hoursOfPast: number, hours: number): Promise<Cost> {
  const from = Math.floor(NOW / HOUR) * HOUR - hoursOfPast * HOUR;
  const server = await startServer({ perHour, from, now: NOW, ...LATENCY });
  const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };
  const client = new S3Client({
    endpoint: server.url,
    forcePathStyle: true,
    region: "us-east-1",
    credentials,
  });
  const source = s3Source({ client, bucket: "bench" });
  try {
    const since = { ms: performance.now(), cpu: process.cpuUsage() };
    let objects = 0;
    for await (const page of listObjects({ source, window: lookbackWindow(hours, new Date(NOW)) }))
      objects += page.length;
    const { user, system } = process.cpuUsage(since.cpu);
    const requests = (await (await fetch(`${server.url}/?counts`)).json()) as Requests;
    return {
      objects,
      requests,
      seconds: (performance.now() - since.ms) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
  } finally {
    await source.close();
    server.stop();
  }
}

async function startServer(options: PastServerOptions): Promise<{ url: string; stop: () => void }> {
  const program = fileURLToPath(new URL("s3/server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(createInterface({ input: child.stdout }), "line");
  return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill() };
}

const row = (name: string, { objects, requests, seconds, cpuSeconds }: Cost): string[] => [
  name,
  count(objects),
  count(requests.list),
  `$${priceOf(requests).toFixed(4)}`,
  `${seconds.toFixed(1)} s`,
  `${cpuSeconds.toFixed(1)} s`,
];
const HEAD = ["", "objects listed", "LIST", "price", "80 ms a page", "CPU"];

const A_MILLION_A_DAY = 41_667;
const pasts: [string, number][] = [
  ["3 days", 72],
  ["30 days", 720],
  ["1 year", 8_760],
  ["10 years", 87_600],
];
const hours: { label: string; past: number; cost: Cost }[] = [];
for (const [label, past] of pasts) {
  console.error(`an hour behind ${label} …`);
  hours.push({ label, past: past * A_MILLION_A_DAY, cost: await list(A_MILLION_A_DAY, past, 2) });
}
console.log("\nAn ordinary hour at 1M objects a day, by the bucket's past");
console.log(
  table(
    HEAD,
    hours.map(({ label, past, cost }) => row(`${label}, ${count(past)} objects`, cost)),
  ),
);
writeFileSync(PLOT, plot());

const sweeps: string[][] = [];
for (const total of process.argv.slice(2).map(Number)) {
  console.error(`a sweep of ${count(total)} …`);
  const perHour = Math.round(total / 72);
  sweeps.push(row(`an hour of ${count(total)} in 72 h`, await list(perHour, 73, 2)));
  sweeps.push(row(`a sweep of ${count(total)} in 72 h`, await list(perHour, 73, 72)));
}
if (sweeps.length > 0) console.log(table(HEAD, sweeps));

/** LIST requests of an hour over the objects of the past, on a logarithmic axis: a line, and it is flat. */
function plot(): string {
  const [width, height, left, bottom] = [640, 300, 60, 50];
  const most = Math.max(...hours.map(({ cost }) => cost.requests.list)) * 1.5;
  const [least, greatest] = [Math.log10(hours[0]?.past ?? 1), Math.log10(hours.at(-1)?.past ?? 10)];
  const x = (past: number) => left + ((Math.log10(past) - least) / (greatest - least)) * (width - left - 60);
  const y = (list: number) => height - bottom - (list / most) * (height - bottom - 20);
  const points = hours.map(({ past, cost }) => `${x(past).toFixed(1)},${y(cost.requests.list).toFixed(1)}`);
  const marks = hours.map(
    ({ label, past, cost }) =>
      `<circle cx="${x(past)}" cy="${y(cost.requests.list)}" r="4" fill="#1f5fa8"/><text x="${x(past)}" y="${y(cost.requests.list) - 10}" text-anchor="middle">${cost.requests.list}</text><text x="${x(past)}" y="${height - 28}" text-anchor="middle">${label}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"><title>LIST requests of an hourly run at 1M objects a day, by the bucket's past</title><rect width="100%" height="100%" fill="white"/><path d="M${left} 20V${height - bottom}H${width - 20}" fill="none" stroke="#666"/><polyline points="${points.join(" ")}" fill="none" stroke="#1f5fa8" stroke-width="2"/>${marks.join("")}<text x="${width / 2}" y="${height - 8}" text-anchor="middle">the bucket's past at 1M objects a day</text><text transform="translate(18 ${height / 2}) rotate(-90)" text-anchor="middle">LIST requests of an hour</text></svg>\n`;
}
