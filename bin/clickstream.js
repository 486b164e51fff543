#!/usr/bin/env node
import module from "node:module";
import { build, isStale } from "./build.js";

module.enableCompileCache?.(); // from Node 22 on; each start is 50 ms shorter

// In a checkout the sources may be newer than what `npm ci` built.
if (isStale()) await build();
await import("../dist/cli/main.js");
