import type { SSMClient } from "@aws-sdk/client-ssm";
import { LoadError } from "etl-lib";
import type { WarehouseEnvironment } from "./environment.js";
import { readParameter, readPreviousVersion } from "./parameters.js";
import type { PasswordVersion, WarehouseSecrets } from "./warehouse.js";

/** @throws {LoadError} a parameter cannot be read */
export async function readSecrets(
  warehouse: WarehouseEnvironment,
  ssm: SSMClient,
  version: PasswordVersion = "newest",
): Promise<WarehouseSecrets> {
  const { password, sslCaParameter } = warehouse;
  const read = version === "newest" ? readParameter : readPreviousVersion;
  const [passwordValue, ca] = await Promise.all([
    "value" in password ? password.value : read(ssm, password.parameter),
    sslCaParameter === null ? null : readCertificate(ssm, sslCaParameter),
  ]);
  return { password: passwordValue, ca };
}

/** The parameter is there before the host that writes its certificate into it. */
async function readCertificate(ssm: SSMClient, parameter: string): Promise<string> {
  const pem = await readParameter(ssm, parameter);
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new LoadError(
    "retriable",
    `The SSM parameter ${parameter} holds no certificate yet: the warehouse's host publishes it at its first boot.`,
  );
}
