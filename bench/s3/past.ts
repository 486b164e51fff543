import { createHash } from "node:crypto";
import { eventJson } from "../events.js";

const HOUR = 3_600_000;
/** Of each hour's objects, one in so many comes late, by up to so many hours. */
const LATE = { oneIn: 10_000, hours: 70 };
const PAGE = 1000;

/** One object of the past: the `index`-th of an hour, in the order of keys. */
export interface PastObject {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: Date;
}

/** What a bucket holds, computed from its numbers alone: nothing of it is stored, whatever their size. */
export class Past {
  /**
   * @param perHour one-event objects of each hour
   * @param from milliseconds since 1970, on the hour
   * @param now what is written later is not there yet; may be moved on
   */
  constructor(
    readonly perHour: number,
    readonly from: number,
    public now: number,
  ) {}

  /** `events/2026/11/20/05/` */
  prefixOf(hour: number): string {
    return `events/${new Date(hour).toISOString().slice(0, 13).replace(/[-T]/g, "/")}/`;
  }

  /** The hour that a prefix or key names; null for none of this past. */
  hourOf(key: string): number | null {
    const [, date, hour] = /^events\/(\d{4}\/\d{2}\/\d{2})\/(\d{2})\//.exec(key) ?? [];
    const time = Date.parse(`${date?.replaceAll("/", "-")}T${hour}:00:00Z`);
    return time >= this.from && time <= this.now ? time : null;
  }

  keyOf(hour: number, index: number): string {
    return `${this.prefixOf(hour)}event-${String(index).padStart(8, "0")}-5d1c-4f7a-9e21-0b8f6a3c5d17.json`;
  }

  indexOf(key: string): number {
    return Number(/event-(\d{8})-/.exec(key)?.[1]);
  }

  etagOf(hour: number, index: number): string {
    return `${(hour / HOUR).toString(16).padStart(16, "0")}${index.toString(16).padStart(16, "0")}`;
  }

  isLate(index: number): boolean {
    return index % LATE.oneIn === LATE.oneIn - 1;
  }

  /** When an object is written: evenly over its hour, or late. */
  writtenAt(hour: number, index: number): number {
    const within = Math.floor((index / this.perHour) * HOUR);
    const late = this.isLate(index) ? (1 + (((index / LATE.oneIn) | 0) % LATE.hours)) * HOUR : 0;
    return hour + within + late;
  }

  isThere(hour: number, index: number): boolean {
    return this.writtenAt(hour, index) <= this.now;
  }

  /** A page of an hour's listing behind `after` (-1: from its beginning). */
  page(hour: number, after: number): { readonly indexes: number[]; readonly isTruncated: boolean } {
    const indexes: number[] = [];
    for (let index = after + 1; index < this.perHour; index++) {
      if (!this.isThere(hour, index)) continue;
      if (indexes.length === PAGE) return { indexes, isTruncated: true };
      indexes.push(index);
    }
    return { indexes, isTruncated: false };
  }

  body(key: string): Buffer {
    const hour = this.hourOf(key) ?? 0;
    const index = this.indexOf(key);
    const id = createHash("md5").update(`${hour} ${index}`).digest("hex");
    const uuid = `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
    const at = new Date(hour + Math.floor((index / this.perHour) * HOUR)).toISOString();
    return Buffer.from(
      TEMPLATE.replace(/"eventId":"[^"]*"/, `"eventId":"${uuid}"`).replace(
        /"receivedAt":"[^"]*"/,
        `"receivedAt":"${at}"`,
      ),
    );
  }

  /** All are equally long. */
  get size(): number {
    return this.#size;
  }

  readonly #size = Buffer.byteLength(TEMPLATE);
}

const TEMPLATE = eventJson(1);
