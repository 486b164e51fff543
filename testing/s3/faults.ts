import type { IncomingMessage, ServerResponse } from "node:http";

/** One request as the server saw it. `status` is null until it is answered, and stays so when it is cut off. */
export interface S3Request {
  readonly operation: "ListObjectsV2" | "GetObject" | "Other";
  readonly key: string;
  status: number | null;
}

/** A request on its way; what an effect may change. */
export interface Exchange {
  readonly request: S3Request;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** @returns true when the effect has answered (or cut) the request itself */
export type Effect = (exchange: Exchange) => boolean | Promise<boolean>;

/** Every request for the bytes of an object, or of one object. */
export const gets =
  (key?: string) =>
  ({ operation, key: requested }: S3Request): boolean =>
    operation === "GetObject" && (key === undefined || key === requested);

/** S3's answer to too many requests. */
export const slowDown = (): Effect => refuse(503, "SlowDown");

export const refuse =
  (status: number, code: string): Effect =>
  ({ res }) => {
    sendError(res, status, code);
    return true;
  };

/** The connection is cut with a TCP reset, before an answer. */
export const reset =
  (): Effect =>
  ({ req }) => {
    req.socket.resetAndDestroy();
    return true;
  };

/** The connection stays open and nothing comes. */
export const hang = (): Effect => () => true;

export const delay =
  (ms: number): Effect =>
  async () => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return false;
  };

/** Runs `action` before the request is answered as usual. */
export const before =
  (action: () => unknown): Effect =>
  async () => {
    await action();
    return false;
  };

/** The answer is as usual, but the connection ends after `bytes` of its body. */
export const truncateAfter = (bytes: number): Effect =>
  cutIn(bytes, async ({ res }) => {
    res.socket?.destroySoon();
    return "stop";
  });

/** Runs `action` when `bytes` of the body have been sent; the rest follows when it is done. */
export const halfWay = (bytes: number, action: () => unknown): Effect =>
  cutIn(bytes, async () => {
    await action();
    return "go on";
  });

function cutIn(bytes: number, act: (exchange: Exchange) => Promise<"stop" | "go on">): Effect {
  return (exchange) => {
    const { res } = exchange;
    const write = res.write.bind(res) as (chunk: Buffer) => boolean;
    const end = res.end.bind(res) as () => unknown;
    const held: Buffer[] = [];
    let left = bytes;
    let state: "before" | "held" | "behind" = "before";
    let ended = false;

    const goOn = () => {
      state = "behind";
      for (const chunk of held) write(chunk);
      if (ended) end();
      else res.emit("drain");
    };
    const take = (chunk: Buffer): boolean => {
      if (state === "behind") return write(chunk);
      if (state === "before" && chunk.length < left) {
        left -= chunk.length;
        return write(chunk);
      }
      if (state === "before") {
        state = "held";
        write(chunk.subarray(0, left));
        held.push(chunk.subarray(left));
        void act(exchange).then((verdict) => verdict === "go on" && goOn());
      } else held.push(chunk);
      return false;
    };
    res.write = ((chunk: Buffer) => take(Buffer.from(chunk))) as typeof res.write;
    res.end = ((chunk?: Buffer) => {
      if (chunk?.length) take(Buffer.from(chunk));
      ended = true;
      if (state !== "held") end();
      return res;
    }) as typeof res.end;
    return false;
  };
}

export function sendError(res: ServerResponse, status: number, code: string): void {
  res.writeHead(status, { "content-type": "application/xml" });
  res.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`,
  );
}
