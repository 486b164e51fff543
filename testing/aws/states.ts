import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Transform } from "node:stream";

/** What Terraform asks of Step Functions and moto has no answer to, by the operation's name. */
const ANSWERS: { readonly [operation: string]: object } = {
  ValidateStateMachineDefinition: { result: "OK", diagnostics: [], truncated: false },
  ListStateMachineVersions: { stateMachineVersions: [] },
};

const operationOf = ({ headers }: IncomingMessage): string =>
  /^AWSStepFunctions\.(\w+)$/.exec(String(headers["x-amz-target"]))?.[1] ?? "";

export const isStatesQuestion = (incoming: IncomingMessage): boolean => operationOf(incoming) in ANSWERS;

export function answerStates(incoming: IncomingMessage, outgoing: ServerResponse): void {
  incoming.resume();
  outgoing.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
  outgoing.end(JSON.stringify(ANSWERS[operationOf(incoming)]));
}

const DEFINES = new Set(["CreateStateMachine", "UpdateStateMachine"]);

/**
 * A request with a definition, as moto can execute it: its percentages have to be written as fractions, and nobody waits
 * for the seconds between two attempts. Null: another request, which stays as it is.
 */
export function executable(
  incoming: IncomingMessage,
): { headers: IncomingHttpHeaders; body: Transform } | null {
  if (!DEFINES.has(operationOf(incoming))) return null;
  const chunks: Buffer[] = [];
  const body = new Transform({
    transform(chunk, _, done) {
      chunks.push(chunk);
      done();
    },
    flush(done) {
      const text = Buffer.concat(chunks).toString();
      done(
        null,
        text
          .replace(/(\\"ToleratedFailurePercentage\\":\d+)(?=[,}])/g, "$1.0")
          .replace(/(\\"(?:IntervalSeconds|MaxDelaySeconds)\\":)\d+/g, "$11"),
      );
    },
  });
  const { "content-length": _, ...headers } = incoming.headers;
  return { headers, body };
}
