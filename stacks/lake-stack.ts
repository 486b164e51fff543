import { AthenaNamedQuery } from "@cdktf/provider-aws/lib/athena-named-query/index.js";
import { AthenaWorkgroup } from "@cdktf/provider-aws/lib/athena-workgroup/index.js";
import { DataAwsS3Bucket } from "@cdktf/provider-aws/lib/data-aws-s3-bucket/index.js";
import { GlueCatalogDatabase } from "@cdktf/provider-aws/lib/glue-catalog-database/index.js";
import { GlueCatalogTable } from "@cdktf/provider-aws/lib/glue-catalog-table/index.js";
import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy/index.js";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import { BaseStack } from "./base-stack.js";
import type { Config } from "./config.js";
import { useCustomerKey } from "./constructs/customer-key.js";
import { allow, policy, type Statement } from "./constructs/policy.js";
import { SAVED_QUERIES } from "./lake-queries.js";
import {
  ARTIFACTS,
  artifactsBucketName,
  LAKE_COLUMNS,
  LAKE_TABLE,
  lakeBucketName,
  lakeDatabase,
  lakeWorkgroup,
  stateKey,
} from "./names.js";
import type { WarehouseStack } from "./warehouse-stack.js";

const GIB = 1024 ** 3;
const HIVE = "org.apache.hadoop.hive.ql.io.parquet";

/** What Athena reads the lake's files with: table, workgroup, saved queries, and a policy for whoever may ask. */
export class LakeStack extends BaseStack {
  constructor(scope: Construct, config: Config, warehouse: WarehouseStack) {
    super(scope, "lake", config);
    this.addDependency(warehouse); // its bucket holds the answers, and without `lakeBucket` the files
    // Terraform's error names the data source, and lets nobody put other words to it.
    if (config.lakeBucket !== null)
      new DataAwsS3Bucket(this, "the_lakeBucket_has_to_exist", { bucket: config.lakeBucket });
    const database = new GlueCatalogDatabase(this, "database", { name: lakeDatabase(config) });
    this.createTable(database);
    const workgroup = this.createWorkgroup();
    for (const { name, question, sql } of SAVED_QUERIES)
      new AthenaNamedQuery(this, `query_${name}`, {
        name,
        description: question,
        query: sql,
        database: database.name,
        workgroup: workgroup.name,
      });
    const analyst = this.createAnalystPolicy();
    new TerraformOutput(this, "workgroup_name", { value: workgroup.name });
    new TerraformOutput(this, "database_name", { value: database.name });
    new TerraformOutput(this, "analyst_policy_arn", { value: analyst.arn });
  }

  /**
   * Partition projection: the days are reckoned, so that nobody has to tell Glue of a new one.
   * https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
   */
  private createTable(database: GlueCatalogDatabase): void {
    const location = `s3://${lakeBucketName(this.config, this.accountId)}/${ARTIFACTS.lake}/${LAKE_TABLE}`;
    new GlueCatalogTable(this, "table", {
      name: LAKE_TABLE,
      databaseName: database.name,
      description: "The closed days of the clickstream, with their details",
      tableType: "EXTERNAL_TABLE",
      parameters: {
        EXTERNAL: "TRUE",
        classification: "parquet",
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.format": "yyyy-MM-dd",
        "projection.day.range": "2000-01-01,NOW", // the first day that an event can have
        "storage.location.template": `${location}/day=$\${day}`,
      },
      partitionKeys: [{ name: "day", type: "date", comment: "The UTC day" }],
      storageDescriptor: {
        location: `${location}/`,
        inputFormat: `${HIVE}.MapredParquetInputFormat`,
        outputFormat: `${HIVE}.MapredParquetOutputFormat`,
        serDeInfo: { serializationLibrary: `${HIVE}.serde.ParquetHiveSerDe` },
        columns: [...LAKE_COLUMNS],
      },
    });
  }

  private createWorkgroup(): AthenaWorkgroup {
    const { kmsKeyArn, lakeScanLimitGb, protectData } = this.config;
    const encryption =
      kmsKeyArn === null ? { encryptionOption: "SSE_S3" } : { encryptionOption: "SSE_KMS", kmsKeyArn };
    return new AthenaWorkgroup(this, "workgroup", {
      name: lakeWorkgroup(this.config),
      description: "Queries over the lake, each with a limit of what it may read",
      forceDestroy: !protectData,
      configuration: {
        enforceWorkgroupConfiguration: true,
        publishCloudwatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: lakeScanLimitGb * GIB,
        engineVersion: { selectedEngineVersion: "Athena engine version 3" },
        resultConfiguration: {
          outputLocation: `s3://${artifactsBucketName(this.config, this.accountId)}/${ARTIFACTS.queryResults}/`,
          encryptionConfiguration: encryption,
        },
      },
    });
  }

  /** For an administrator to attach, as the warehouse's policies. */
  private createAnalystPolicy(): IamPolicy {
    return new IamPolicy(this, "analyst", {
      name: `${lakeWorkgroup(this.config)}-analyst`,
      description: "What an analyst of the lake needs",
      policy: policy(...this.analystStatements()),
    });
  }

  /** https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html */
  private analystStatements(): Statement[] {
    const { config, accountId } = this;
    const database = lakeDatabase(config);
    const lake = `arn:aws:s3:::${lakeBucketName(config, accountId)}`;
    const artifacts = `arn:aws:s3:::${artifactsBucketName(config, accountId)}`;
    const listed = (sid: string, bucket: string, folder: string): Statement => ({
      ...allow(sid, ["s3:ListBucket"], [bucket]),
      Condition: { StringLike: { "s3:prefix": [`${folder}/*`] } },
    });
    return [
      ...useCustomerKey(this),
      allow("Query", QUERY_ACTIONS, [this.arn("athena", `workgroup/${lakeWorkgroup(config)}`)]),
      allow(
        "ReadTable",
        ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions", "glue:GetPartition"],
        [
          this.arn("glue", "catalog"),
          this.arn("glue", `database/${database}`),
          this.arn("glue", `table/${database}/${LAKE_TABLE}`),
        ],
      ),
      allow("ReadFiles", ["s3:GetObject"], [`${lake}/${ARTIFACTS.lake}/${LAKE_TABLE}/*`]),
      listed("ListFiles", lake, ARTIFACTS.lake),
      allow("FindBuckets", ["s3:GetBucketLocation"], [lake, artifacts]),
      allow(
        "KeepAnswers",
        ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
        [`${artifacts}/${ARTIFACTS.queryResults}/*`],
      ),
      ...(config.stateBucket === null
        ? []
        : [
            allow(
              "ReadState",
              ["s3:GetObject"],
              [`arn:aws:s3:::${config.stateBucket}/${stateKey(config, "lake")}`],
            ),
          ]),
    ];
  }
}

const QUERY_ACTIONS = [
  "athena:StartQueryExecution",
  "athena:StopQueryExecution",
  "athena:GetQueryExecution",
  "athena:GetQueryResults",
  "athena:GetWorkGroup",
  "athena:ListNamedQueries",
  "athena:GetNamedQuery",
  "athena:BatchGetNamedQuery",
];
