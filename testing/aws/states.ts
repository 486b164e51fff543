import type { IncomingMessage, ServerResponse } from "node:http";

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
