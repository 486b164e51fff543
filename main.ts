import { App } from "cdktf";
import { collectArtefacts } from "./stacks/artefacts.js";
import { createStacks } from "./stacks/clickstream.js";
import { loadConfig } from "./stacks/config.js";

const app = new App();
createStacks(app, loadConfig(app.node.getAllContext()), collectArtefacts());
app.synth();
