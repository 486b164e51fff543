import { App } from "cdktf";
import { collectArtefacts } from "./stacks/artefacts.js";
import { createStacks } from "./stacks/clickstream.js";
import { ConfigError, loadConfig } from "./stacks/config.js";

try {
  const app = new App();
  createStacks(app, loadConfig(app.node.getAllContext()), collectArtefacts());
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message); // a sentence for whoever configures; a stack trace would only hide it
  process.exitCode = 1;
}
