import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity/index.js";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider/index.js";
import { LocalBackend, S3Backend, TerraformElement, TerraformStack } from "cdktf";
import type { Construct, Node } from "constructs";
import type { Config } from "./config.js";
import { stateFile, stateKey } from "./names.js";

/** Tested is the release in .terraform-version. */
export const TERRAFORM_VERSION = "~> 1.11.0";
/** The release that the tests plan and apply with, and no other. */
export const PROVIDER_VERSION = "5.100.0";
const PROVIDER_LOCK = fileURLToPath(new URL(".terraform.lock.hcl", import.meta.url));

/** What every stack has: the provider with its default tags, the state, the account's id. */
export abstract class BaseStack extends TerraformStack {
  private identity?: DataAwsCallerIdentity;

  constructor(
    scope: Construct,
    id: string,
    readonly config: Config,
  ) {
    super(scope, id);
    this.createProvider();
    this.createBackend();
    this.lockProvider();
  }

  /** The id of the account that the stack is deployed to. */
  get accountId(): string {
    this.identity ??= new DataAwsCallerIdentity(this, "account");
    return this.identity.accountId;
  }

  /** An ARN of this region and account. */
  arn(service: string, resource: string): string {
    return `arn:aws:${service}:${this.config.region}:${this.accountId}:${resource}`;
  }

  /** Addresses without cdktf's hash suffix: the path in the tree is unique as it is, and reads better in a plan. */
  protected override allocateLogicalId(element: TerraformElement | Node): string {
    const node = TerraformElement.isTerraformElement(element) ? element.node : (element as Node);
    const path = node.scopes.slice(node.scopes.indexOf(this) + 1);
    return path.map((scope) => scope.node.id.replace(/[^A-Za-z0-9_-]/g, "_")).join("_");
  }

  private createProvider(): void {
    const { project, environment, region } = this.config;
    const tags = { Project: project, Environment: environment, ManagedBy: "cdktf", Stack: this.node.id };
    new AwsProvider(this, "aws", { region, defaultTags: [{ tags }] });
    this.addOverride("terraform.required_version", TERRAFORM_VERSION);
    this.addOverride("terraform.required_providers.aws.version", PROVIDER_VERSION);
  }

  /** Lays the committed lock file beside the JSON, where `terraform init` looks for it. */
  private lockProvider(): void {
    const { synthesizer } = this;
    this.synthesizer = {
      synthesize: (session) => {
        synthesizer.synthesize(session);
        const { workingDirectory } = session.manifest.forStack(this);
        copyFileSync(PROVIDER_LOCK, join(session.outdir, workingDirectory, ".terraform.lock.hcl"));
      },
    };
  }

  private createBackend(): void {
    const { region, stateBucket } = this.config;
    const id = this.node.id;
    if (stateBucket === null) {
      // Relative to <output>/stacks/<stack>: no machine's path gets into the JSON, and the state stays beside the output.
      new LocalBackend(this, { path: `../../../${stateFile(this.config, id)}` });
      return;
    }
    const key = stateKey(this.config, id);
    new S3Backend(this, { bucket: stateBucket, key, region, encrypt: true });
    this.addOverride("terraform.backend.s3.use_lockfile", true); // cdktf 0.21 has no property for it
  }
}
