import { relative, resolve } from "node:path";
import type { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket/index.js";
import { S3Object } from "@cdktf/provider-aws/lib/s3-object/index.js";
import { App, AssetType, TerraformAsset } from "cdktf";
import { Construct } from "constructs";
import type { Artefact, Artefacts } from "../artefacts.js";
import type { BaseStack } from "../base-stack.js";
import { ARTIFACTS } from "../names.js";

const NO_DASHBOARD = "no dashboard bundle: run npm run dashboard:bundle, then deploy again";

/** What the hosts fetch at their first boot: their files, the migrations and, once built, the dashboard. */
export class Uploads extends Construct {
  /** What every host needs. */
  readonly hostFiles: S3Object;
  /** What the warehouse needs too. */
  readonly objects: readonly S3Object[];
  /** One line on what was uploaded of the dashboard, for the plan. */
  readonly dashboardStatus: string;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly bucket: S3Bucket,
    artefacts: Artefacts,
  ) {
    super(stack, id);
    this.hostFiles = this.uploadAsset(ARTIFACTS.host, artefacts.hostFiles);
    const migrations = artefacts.migrations.map((file) => this.uploadAsset(ARTIFACTS.migrations, file));
    const { dashboard } = artefacts;
    const bundle = dashboard?.files.map((file) => this.uploadBundle(file, dashboard.sha256)) ?? [];
    this.objects = [this.hostFiles, ...migrations, ...bundle];
    this.dashboardStatus = dashboard === null ? NO_DASHBOARD : `dashboard bundle sha256 ${dashboard.sha256}`;
  }

  private uploadAsset(folder: string, { name, path }: Artefact): S3Object {
    const asset = new TerraformAsset(this, `file_${name}`, { path, type: AssetType.FILE });
    return this.upload(folder, name, asset.path, asset.assetHash);
  }

  /** Read where it lies: it is too large to be copied and hashed at every synth. */
  private uploadBundle({ name, path }: Artefact, hash: string): S3Object {
    const workingDir = resolve(App.of(this).outdir, "stacks", this.stack.node.id);
    return this.upload(ARTIFACTS.dashboard, name, relative(workingDir, path), hash);
  }

  private upload(folder: string, name: string, source: string, sourceHash: string): S3Object {
    const key = `${folder}/${name}`;
    return new S3Object(this, name, { bucket: this.bucket.id, key, source, sourceHash });
  }
}
