import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ConfigError, loadConfig } from "../../stacks/config.js";
import { configKeys } from "../../stacks/config-keys.js";
import { REPOSITORY } from "../../testing/terraform/terraform.js";

describe("configuration", () => {
  it("has the names and numbers of docs/requirements.md as defaults", () => {
    expect(loadConfig()).to.include({
      region: "ap-southeast-1",
      vpcName: "SBW_Project_VPC",
      vpcCidr: "10.0.0.0/16",
      publicSubnetName: "SBW_Project-subnet-public1-ap-southeast-1a",
      publicSubnetCidr: "10.0.0.0/20",
      privateSubnetName: "SBW_Project-subnet-private1-ap-southeast-1a",
      privateSubnetCidr: "10.0.128.0/20",
      functionSecurityGroupName: "sg_Lambda_ETL",
      warehouseSecurityGroupName: "sg_analytics_ShinyDWH",
      webDbSecurityGroupName: "sg_oltp_webDB",
      warehouseName: "SBW_EC2_ShinyDWH",
      warehouseDatabase: "clickstream_dw",
      webDbName: "SBW_EC2_WebDB",
      webDbDatabase: "clickstream_web",
      rawBucket: "clickstream-s3-ingest",
      functionName: "SBW_Lamda_ETL",
      ruleName: "SBW_ETL_HOURLY_RULE",
      ruleSchedule: "rate(1 hour)",
      protectData: true,
      webDb: false,
      createRawBucket: false,
    });
  });

  it("takes what the context sets and leaves cdktf's own keys alone", () => {
    const config = loadConfig({ environment: "staging", cdktfVersion: "0.21.0", cdktfRelativeModules: [] });
    expect(config).to.include({ environment: "staging", project: "clickstream" });
  });

  it("gives another environment names of its own, unless they are set", () => {
    expect(loadConfig({ environment: "staging", functionName: "Etl" })).to.include({
      vpcName: "SBW_Project_VPC-staging",
      warehouseName: "SBW_EC2_ShinyDWH-staging",
      webDbName: "SBW_EC2_WebDB-staging",
      ruleName: "SBW_ETL_HOURLY_RULE-staging",
      rawBucket: "clickstream-s3-ingest-staging",
      functionName: "Etl",
    });
  });

  it("keeps the state in S3 by default, and in this folder for the environment local alone", () => {
    const bucketOf = (context: Record<string, unknown>) => loadConfig(context).stateBucket;
    expect(bucketOf({})).to.equal("clickstream-production-terraform-state");
    expect(bucketOf({ project: "shop", environment: "staging" })).to.equal("shop-staging-terraform-state");
    expect(bucketOf({ environment: "local" })).to.equal(null);
    expect(bucketOf({ stateBucket: null })).to.equal(null);
  });

  it("takes the key that cdktf's successor puts into the context", () => {
    expect(loadConfig({ targetVersions: { terraform: ">=1.11.0" } })).to.deep.equal(loadConfig());
  });

  it("answers an unknown key with the known ones", () => {
    expect(() => loadConfig({ protectDate: false }))
      .to.throw(ConfigError, /^Configuration has no key "protectDate"; it knows project, .*protectData/)
      .with.property("name", "ConfigError");
  });

  const refused: [context: Record<string, unknown>, sentence: string][] = [
    [
      { retentionDays: 2 },
      'Configuration "retentionDays" must be 0, or days of at least lookbackHours 72, but is 2.',
    ],
    [{ protectData: "no" }, 'Configuration "protectData" must be true or false, but is "no".'],
    [
      { logRetentionDays: 31 },
      'Configuration "logRetentionDays" must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, but is 31.',
    ],
    [
      { rawBucket: "Raw_Bucket" },
      'Configuration "rawBucket" must be a bucket name of 3 to 63 lower-case letters, digits and hyphens, but is "Raw_Bucket".',
    ],
    [
      { availabilityZone: "eu-west-1a" },
      'Configuration "availabilityZone" must be a zone of the region ap-southeast-1, but is "eu-west-1a".',
    ],
    [
      { privateSubnetCidr: "10.1.0.0/20" },
      'Configuration "privateSubnetCidr" must be inside vpcCidr 10.0.0.0/16, but is "10.1.0.0/20".',
    ],
    [
      { privateSubnetCidr: "10.0.8.0/21" },
      'Configuration "privateSubnetCidr" must be apart from publicSubnetCidr 10.0.0.0/20, but is "10.0.8.0/21".',
    ],
    [
      { vpcCidr: "10.0.0.1/16" },
      'Configuration "vpcCidr" must be an IPv4 network from /16 to /28 such as 10.0.0.0/16, but is "10.0.0.1/16".',
    ],
    [
      { warehousePrivateIp: "10.0.128.3" },
      'Configuration "warehousePrivateIp" must be an address of privateSubnetCidr 10.0.128.0/20 other than the five that AWS keeps, but is "10.0.128.3".',
    ],
    [
      { webDb: true, webDbAllowedCidrs: ["0.0.0.0/0"] },
      'Configuration "webDbAllowedCidrs" must be a list of IPv4 networks of at least /8, never 0.0.0.0/0, but is ["0.0.0.0/0"].',
    ],
    [
      { webDbAllowedCidrs: ["203.0.113.0/24"] },
      'Configuration "webDbAllowedCidrs" must be empty while webDb is false, but is ["203.0.113.0/24"].',
    ],
    [
      { warehouseInstanceType: "t4g.medium" },
      'Configuration "warehouseInstanceType" must be an x86_64 instance type such as t3.medium, but is "t4g.medium".',
    ],
    [
      { ruleSchedule: "hourly" },
      'Configuration "ruleSchedule" must be a rate(…) or cron(…) expression of EventBridge, but is "hourly".',
    ],
    [
      { ruleSchedule: "rate(3 hours)" },
      'Configuration "ruleSchedule" must be a schedule with less than alarmNoLoadHours 3 h between two runs, but is "rate(3 hours)".',
    ],
    [
      { ruleSchedule: "cron(0 3 ? * MON-FRI *)", alarmNoLoadHours: 24 },
      'Configuration "ruleSchedule" must be a schedule with less than alarmNoLoadHours 24 h between two runs, but is "cron(0 3 ? * MON-FRI *)".',
    ],
    ...["aws-shop", "ssmshop"].map((project): [Record<string, unknown>, string] => [
      { project },
      `Configuration "project" must be 2 to 17 lower-case letters, digits and hyphens, starting with a letter, but not with aws, ssm, amazon or amzn, but is "${project}".`,
    ]),
    [
      { rawBucketKmsKeyArn: "alias/raw" },
      'Configuration "rawBucketKmsKeyArn" must be the ARN of a KMS key, or null, but is "alias/raw".',
    ],
    [
      {
        createRawBucket: true,
        rawBucketKmsKeyArn: "arn:aws:kms:ap-southeast-1:111122223333:key/0f1e2d3c",
      },
      'Configuration "rawBucketKmsKeyArn" must be null while createRawBucket is true: kmsKeyArn is its key, but is "arn:aws:kms:ap-southeast-1:111122223333:key/0f1e2d3c".',
    ],
    [
      { alarmEmail: "nobody" },
      'Configuration "alarmEmail" must be an e-mail address, or null, but is "nobody".',
    ],
  ];
  for (const [context, sentence] of refused) {
    it(`refuses ${JSON.stringify(context)} in one sentence`, () => {
      expect(() => loadConfig(context)).to.throw(ConfigError, sentence);
    });
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and the services' own pages */
  const bounds: [key: string, min: number, max: number][] = [
    ["functionMemoryMb", 256, 10_240],
    ["functionTimeoutSeconds", 60, 900],
    ["warehouseDataGb", 10, 16_384],
    ["snapshotRetentionDays", 1, 365],
    ["rawInfrequentAccessDays", 30, 3_650],
    ["alarmNoLoadHours", 2, 24],
  ];
  for (const [key, min, max] of bounds) {
    it(`takes ${key} from ${min} to ${max}, and nothing beyond`, () => {
      for (const value of [min, max]) expect(loadConfig({ [key]: value })).to.have.property(key, value);
      for (const value of [min - 1, max + 1, min + 0.5])
        expect(() => loadConfig({ [key]: value })).to.throw(
          ConfigError,
          `a whole number from ${min} to ${max}`,
        );
    });
  }

  it("is documented: docs/configuration.md lists every key with its default, rule and purpose", () => {
    const page = readFileSync(join(REPOSITORY, "docs/configuration.md"), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const expected = Object.entries(configKeys).map(
      ([key, { default: value, rule, purpose }]) =>
        `| \`${key}\` | \`${JSON.stringify(value)}\` | ${purpose} | ${rule} |`,
    );
    expect(rows).to.deep.equal(expected);
  });

  it("asks whether another key was meant", () => {
    expect(() => loadConfig({ lookbackHour: 24 })).to.throw(ConfigError, 'Did you mean "lookbackHours"?');
    expect(() => loadConfig({ colour: "red" })).to.throw(ConfigError, /webDb.*\.$/);
  });
});
