#!/usr/bin/env node
import { build, isStale } from "./build.js";

// In a checkout the sources may be newer than what `npm ci` built.
if (isStale()) await build();
await import("../dist/cli/main.js");
