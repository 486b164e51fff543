import { createHmac } from "node:crypto";
import type { Queryable } from "./warehouse.js";

export const PERSON_KINDS = ["user_id", "client_id"] as const;
/** Which of a person's ids is meant: a column of the event table. */
export type PersonKind = (typeof PERSON_KINDS)[number];

/** What is remembered of a person: no way leads back from it to the id, not even for who guesses ids, without the secret. */
export const hashOf = (secret: Buffer, kind: PersonKind, id: string): Buffer =>
  createHmac("sha256", secret).update(`${kind}\0${id}`).digest();

const MAX_KNOWN = 50_000;
const IDS_IN_TEXT = /"(userId|user_id|clientId|client_id)"\s*:\s*(?:("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*))/g;

/** Persons who were erased, as a load asks for them: nearly always about ids that it has asked about before. */
export class ErasedPersons {
  readonly #known = new Map<string, boolean>();

  private constructor(
    private readonly secret: Buffer,
    private readonly hashes: ReadonlySet<string>,
  ) {}

  static async read(db: Queryable): Promise<ErasedPersons> {
    const { rows: keys } = await db.query<{ secret: Buffer }>("SELECT secret FROM etl.erasure_key");
    const { rows } = await db.query<{ kind: string; person: Buffer }>(
      "SELECT kind, person FROM etl.erasures",
    );
    const hashes = new Set(rows.map(({ kind, person }) => `${kind} ${person.toString("base64")}`));
    return new ErasedPersons(keys[0]?.secret as Buffer, hashes);
  }

  has(kind: PersonKind, id: string | null): boolean {
    if (id === null) return false;
    const name = `${kind} ${id}`;
    let isErased = this.#known.get(name);
    if (isErased === undefined) {
      isErased = this.hashes.has(`${kind} ${hashOf(this.secret, kind, id).toString("base64")}`);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(name, isErased);
    }
    return isErased;
  }

  /** Whether a record's text names one of them: it need not be valid JSON. */
  inText(text: string): boolean {
    for (const [, key = "", quoted, number] of text.matchAll(IDS_IN_TEXT)) {
      const id = quoted === undefined ? (number as string) : unquoted(quoted);
      if (this.has(key.startsWith("user") ? "user_id" : "client_id", id)) return true;
    }
    return false;
  }
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(1, -1);
  }
}
