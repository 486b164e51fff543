/** Calls of services whose SDK client the project has no other use for. The emulator checks no signature. */
export interface AwsApi {
  /** IAM and SNS speak AWS's query protocol. @returns the texts of all `tag` elements of the answer */
  query(service: "iam" | "sns", parameters: Readonly<Record<string, string>>, tag: string): Promise<string[]>;
  /** Names of the log groups, with the days they keep. */
  logGroups(): Promise<{ logGroupName: string; retentionInDays?: number }[]>;
}

const VERSIONS = { iam: "2010-05-08", sns: "2010-03-31" };

export function awsApi(endpoint: string): AwsApi {
  return {
    async query(service, parameters, tag) {
      const body = new URLSearchParams({ Version: VERSIONS[service], ...parameters });
      const xml = await call(endpoint, service, body, {});
      return [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, "g"))].map(([, text = ""]) => text);
    },
    async logGroups() {
      const headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "Logs_20140328.DescribeLogGroups",
      };
      return JSON.parse(await call(endpoint, "logs", "{}", headers)).logGroups;
    },
  };
}

async function call(
  endpoint: string,
  service: string,
  body: string | URLSearchParams,
  headers: Record<string, string>,
): Promise<string> {
  const authorization = `AWS4-HMAC-SHA256 Credential=emulator/20250101/ap-southeast-1/${service}/aws4_request, SignedHeaders=host, Signature=none`;
  const answer = await fetch(endpoint, { method: "POST", body, headers: { ...headers, authorization } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${service} answered ${answer.status}: ${text}`);
  return text;
}
