import { AwsProvider } from "@cdktf/provider-aws/lib/provider/index.js";
import { Vpc } from "@cdktf/provider-aws/lib/vpc/index.js";
import { App, TerraformStack } from "cdktf";

const app = new App();
const s = new TerraformStack(app, "x");
new AwsProvider(s, "aws", { region: "ap-southeast-1" });
new Vpc(s, "vpc", { cidrBlock: "10.0.0.0/16" });
app.synth();
