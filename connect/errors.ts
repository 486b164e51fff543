/** The target database cannot be used. The message is one sentence with the setting to change or what to do next. */
export class TargetError extends Error {
  override readonly name = "TargetError";
}
