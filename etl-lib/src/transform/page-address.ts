/** What an address says of where a visitor came from. */

/** A scheme, what may stand before the host, the host, its port. */
const HOST =
  /^[a-z][a-z\d+.-]{0,30}:\/\/(?:[^/?#@]{0,100}@)?(?:www\.)?([a-z\d](?:[a-z\d._-]{0,251}[a-z\d])?)(?::\d{0,5})?$/i;

/** Behind the scheme and the host of an address; -1 when it has none that is plausible. */
export function originEnd(address: string): number {
  const from = address.indexOf("://") + 3;
  if (from < 3 || from > 40) return -1;
  const end = address.slice(from).search(/[/?#]/);
  return end < 0 ? address.length : from + end;
}

/** The host of an address, in lower case and without www.; null when it has none. */
export function hostOf(address: string): string | null {
  const end = originEnd(address);
  if (end < 0 || end > 400) return null;
  return HOST.exec(address.slice(0, end))?.[1]?.toLowerCase() ?? null;
}

export interface Campaign {
  readonly utm_source: string | null;
  readonly utm_medium: string | null;
  readonly utm_campaign: string | null;
}

export const NO_CAMPAIGN: Campaign = { utm_source: null, utm_medium: null, utm_campaign: null };

/** The campaign that the query of an address names, decoded; text that PostgreSQL may not be able to hold. */
export function campaignOf(address: string): Campaign {
  const query = address.indexOf("?");
  if (query < 0 || !address.includes("utm_", query)) return NO_CAMPAIGN;
  const fields = new URLSearchParams(address.slice(query + 1).split("#", 1)[0]);
  const first = (name: string) => fields.getAll(name).find((value) => value !== "") ?? null;
  return {
    utm_source: first("utm_source"),
    utm_medium: first("utm_medium"),
    utm_campaign: first("utm_campaign"),
  };
}
