import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter/index.js";
import { Construct } from "constructs";
import type { BaseStack } from "../base-stack.js";
import { kmsKeyId } from "./customer-key.js";

const PASSWORD_LENGTH = 40;

export interface DatabaseSecretsProps {
  /** SSM path without a trailing slash. */
  readonly path: string;
  /** Names of the passwords below it. */
  readonly passwords: readonly string[];
}

/**
 * A database's passwords, which neither the JSON nor the state ever holds: an ephemeral resource makes them and a
 * write-only argument stores them as SecureStrings. Also the parameter in which the host publishes its certificate.
 */
export class DatabaseSecrets extends Construct {
  readonly certificate: SsmParameter;
  private readonly passwords: ReadonlyMap<string, SsmParameter>;

  constructor(
    private readonly stack: BaseStack,
    id: string,
    private readonly props: DatabaseSecretsProps,
  ) {
    super(stack, id);
    this.passwords = new Map(props.passwords.map((name) => [name, this.createPassword(name)]));
    this.certificate = this.createCertificate();
  }

  /** @throws {Error} when there is no password of this name. */
  password(name: string): SsmParameter {
    const parameter = this.passwords.get(name);
    if (parameter === undefined) throw new Error(`${this.props.path} has no password "${name}".`);
    return parameter;
  }

  get parameters(): readonly SsmParameter[] {
    return [...this.passwords.values()];
  }

  private createPassword(name: string): SsmParameter {
    const ephemeral = `${this.node.id}_${name}`.replaceAll("-", "_");
    // cdktf 0.21 knows no ephemeral block.
    this.stack.addOverride(`ephemeral.aws_secretsmanager_random_password.${ephemeral}`, {
      password_length: PASSWORD_LENGTH,
      exclude_punctuation: true,
    });
    const key = kmsKeyId(this.stack);
    return new SsmParameter(this, name.replaceAll("-", "_"), {
      name: `${this.props.path}/${name}`,
      type: "SecureString",
      ...("kmsKeyId" in key ? { keyId: key.kmsKeyId } : {}),
      valueWo: `\${ephemeral.aws_secretsmanager_random_password.${ephemeral}.random_password}`,
      valueWoVersion: this.stack.config.passwordVersion,
    });
  }

  /** Made here so that destroy removes it, written by the host: its value is none of Terraform's business. */
  private createCertificate(): SsmParameter {
    return new SsmParameter(this, "certificate", {
      name: `${this.props.path}/certificate`,
      type: "String",
      insecureValue: "not published yet: the host writes its certificate here at its first boot",
      lifecycle: { ignoreChanges: ["insecure_value"] },
    });
  }
}
