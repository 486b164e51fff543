let hasPrinted = false;

/** The one JSON object of `--json`. */
export function printJson(value: object): void {
  hasPrinted = true;
  console.log(JSON.stringify(value));
}

/** As `printJson`, unless the command has printed its own. */
export function printJsonOnce(value: object): void {
  if (!hasPrinted) printJson(value);
}

/** A reader that has seen enough (`| head`) is no failure. */
export function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit();
    });
}
