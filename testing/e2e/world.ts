import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescribeInstanceAttributeCommand, DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { type FunctionConfiguration, GetFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Context } from "mocha";
import type { BackfillState } from "../../cli/backfill/executions.js";
import { type AwsEmulator, startEmulator } from "../aws/emulator.js";
import { skipWithout, skipWithoutHost } from "../host/fixture.js";
import { LambdaProcess, unpackReadOnly } from "../lambda/runtime.js";
import { type CommandResult, REPOSITORY, run } from "../terraform/terraform.js";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.js";
import { installToolchain, missingForToolchain, type Toolchain } from "./toolchain.js";
import { DeployedWarehouse } from "./warehouse.js";

const FUNCTION = "SBW_Lamda_ETL";
const PARAMETERS = "/clickstream/production/dwh";
/** Where the deployed address is redirected to; the server's certificate names it too. */
const ADDRESS = "127.0.0.1";
const SETTINGS = { createRawBucket: true };
/** Holds the cluster, its WAL and the events of the suite, and can really be full. */
const VOLUME_MB = 1536;

/** An object to put into the raw bucket. */
export interface RawObject {
  readonly key: string;
  readonly body: string | Uint8Array;
}

/** All of the deployed system: stacks on the emulator, a booted host, the function's package. */
export class World {
  readonly bucket = "clickstream-s3-ingest";
  readonly #clients: ReturnType<typeof createClients>;
  readonly #started = new Set<LambdaProcess>();
  readonly #proxies = new Set<FaultProxy>();

  private constructor(
    readonly aws: AwsEmulator,
    readonly warehouse: DeployedWarehouse,
    private readonly toolchain: Toolchain,
    readonly configuration: FunctionConfiguration,
    private readonly folder: string,
  ) {
    this.#clients = createClients(aws);
  }

  /** For a `before` hook: skips the suite, or with REQUIRE_AWS_TESTS=1 fails it, where something is missing. */
  static async deploy(context: Context): Promise<World> {
    skipWithout(context, missingForToolchain());
    skipWithoutHost(context);
    const toolchain = installToolchain();
    const aws = await startEmulator(context, { executesMachines: true });
    const folder = mkdtempSync(join(tmpdir(), "e2e-"));
    try {
      const { code, output } = await aws.cdktf("deploy", SETTINGS);
      if (code !== 0) throw new Error(`cdktf deploy failed: ${output.slice(-3000)}`);
      const configuration = await unpackFunction(aws, join(folder, "task"));
      const warehouse = await bootHost(aws);
      return new World(aws, warehouse, toolchain, configuration, folder);
    } catch (error) {
      await aws.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A cold start. @param endpoint of the emulator, or of a proxy in front of it */
  async startFunction(endpoint = this.aws.standIn.url): Promise<LambdaProcess> {
    const { Environment, Handler = "", MemorySize = 0, Timeout = 0 } = this.configuration;
    const started = await LambdaProcess.start({
      toolchain: this.toolchain,
      folder: join(this.folder, "task"),
      name: FUNCTION,
      handler: Handler,
      memoryMb: MemorySize,
      timeoutSeconds: Timeout,
      region: this.aws.region,
      environment: { ...Environment?.Variables, ...this.#redirected(), AWS_ENDPOINT_URL: endpoint },
    });
    this.#started.add(started);
    return started;
  }

  /** A cold start behind a proxy of its own. */
  async startBehindFaults(): Promise<{ faults: FaultProxy; etl: LambdaProcess }> {
    const faults = await startFaultProxy(this.aws.standIn.url);
    this.#proxies.add(faults);
    return { faults, etl: await this.startFunction(faults.url) };
  }

  /** Execution environments behind the function's name, as many as it may run at a time. @returns what stops them */
  async serveFunction(environments: number): Promise<() => Promise<void>> {
    const all = await Promise.all(Array.from({ length: environments }, () => this.startFunction()));
    const idle = [...all];
    this.aws.standIn.functions.set(FUNCTION, (event) => {
      const process = idle.pop();
      return process ? process.invoke(event).finally(() => idle.push(process)) : null;
    });
    return async () => {
      this.aws.standIn.functions.delete(FUNCTION);
      await Promise.all(all.map((process) => process.stop()));
    };
  }

  /** `npm run backfill -- …`, to the end of the execution. */
  async backfill(...args: string[]): Promise<BackfillState> {
    const { stdout, output } = await this.aws.command(
      SETTINGS,
      "backfill",
      ...args,
      "--json",
      "--output",
      this.aws.output,
    );
    if (stdout === "") throw new Error(output);
    return JSON.parse(stdout);
  }

  /** An object that no one can read. */
  async putArchived({ key, body }: RawObject): Promise<void> {
    await this.#clients.s3.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, StorageClass: "GLACIER" }),
    );
  }

  /** Puts objects with the AWS SDK, a few at a time. */
  async put(objects: Iterable<RawObject>): Promise<void> {
    const queue = objects[Symbol.iterator]();
    const worker = async () => {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        const { key, body } = next.value;
        await this.#clients.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body }));
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  }

  /** @param name below the warehouse's path, e.g. `etl-writer-password` */
  async parameter(name: string): Promise<string> {
    const command = new GetParameterCommand({ Name: `${PARAMETERS}/${name}`, WithDecryption: true });
    return (await this.#clients.ssm.send(command)).Parameter?.Value ?? "";
  }

  async rotate(name: string, value: string): Promise<void> {
    const Name = `${PARAMETERS}/${name}`;
    await this.#clients.ssm.send(
      new PutParameterCommand({ Name, Value: value, Type: "SecureString", Overwrite: true }),
    );
  }

  /** `npm run etl:local -- …` on the same bucket and database, as an engineer at the end of a tunnel. */
  etlLocal(...args: string[]): Promise<CommandResult> {
    const env = {
      ...this.aws.environment(SETTINGS),
      ...this.#redirected(),
      DWH_USER: "dwh_owner",
      DWH_PASSWORD_PARAMETER: `${PARAMETERS}/owner-password`,
      DWH_DATABASE: "clickstream_dw",
      DWH_SSL: "verify-full",
      DWH_SSL_CA_PARAMETER: `${PARAMETERS}/certificate`,
      RAW_BUCKET: this.bucket,
    };
    return run(process.execPath, ["bin/clickstream.js", ...args], { cwd: REPOSITORY, env });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#started].map((process) => process.stop()));
    await Promise.all([...this.#proxies].map((proxy) => proxy.stop()));
    await this.warehouse.stop();
    await this.aws.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #redirected(): { DWH_HOST: string; DWH_PORT: string } {
    return { DWH_HOST: ADDRESS, DWH_PORT: `${this.warehouse.host.port}` };
  }
}

function createClients({ standIn, region, credentials }: AwsEmulator) {
  const options = { endpoint: standIn.url, region, credentials };
  return { s3: new S3Client({ ...options, forcePathStyle: true }), ssm: new SSMClient(options) };
}

/** The emulator keeps the package and hands out only its hash: of what was uploaded, the file that has it. */
async function unpackFunction(aws: AwsEmulator, folder: string): Promise<FunctionConfiguration> {
  const lambda = new LambdaClient({
    endpoint: aws.standIn.url,
    region: aws.region,
    credentials: aws.credentials,
  });
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: FUNCTION }));
  const assets = readdirSync(join(aws.output, "stacks/scheduler/assets"), {
    recursive: true,
    encoding: "utf8",
  });
  for (const name of assets.filter((path) => path.endsWith(".zip"))) {
    const zip = readFileSync(join(aws.output, "stacks/scheduler/assets", name));
    if (createHash("sha256").update(zip).digest("base64") !== Configuration?.CodeSha256) continue;
    unpackReadOnly(zip, folder);
    return Configuration;
  }
  throw new Error(`No uploaded package has the hash ${Configuration?.CodeSha256} of the function's record.`);
}

async function bootHost(aws: AwsEmulator): Promise<DeployedWarehouse> {
  return DeployedWarehouse.boot({
    userData: await deployedUserData(aws),
    overrides: { ADDRESS, CLIENT_CIDRS: `${ADDRESS}/32` },
    volumeMb: VOLUME_MB,
    awsEnvironment: {
      HOME: process.env.HOME ?? "/",
      AWS_ENDPOINT_URL: aws.standIn.url,
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
    },
  });
}

/** As cloud-init on the instance sees it. */
async function deployedUserData({ standIn, region, credentials }: AwsEmulator): Promise<string> {
  const ec2 = new EC2Client({ endpoint: standIn.url, region, credentials });
  const { Reservations } = await ec2.send(new DescribeInstancesCommand());
  const InstanceId = Reservations?.[0]?.Instances?.[0]?.InstanceId;
  const command = new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "userData" });
  const { UserData } = await ec2.send(command);
  return Buffer.from(UserData?.Value ?? "", "base64").toString();
}
