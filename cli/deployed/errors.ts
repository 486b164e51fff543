/** What keeps a command from its work and the operator can mend. The message is one sentence, with what to do. */
export class DeployedError extends Error {
  override readonly name = "DeployedError";
}
