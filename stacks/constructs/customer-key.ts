import type { BaseStack } from "../base-stack.js";
import { allow, type Statement } from "./policy.js";

/** `kmsKeyId` of what can be encrypted with the customer key; nothing without one, which leaves it to AWS's own. */
export function kmsKeyId({ config }: BaseStack): { kmsKeyId?: string } {
  return config.kmsKeyArn === null ? {} : { kmsKeyId: config.kmsKeyArn };
}

/** What a role needs to read and write what is encrypted with it. @param more actions beside these */
export function useCustomerKey({ config }: BaseStack, ...more: string[]): Statement[] {
  if (config.kmsKeyArn === null) return [];
  return [allow("UseCustomerKey", ["kms:Decrypt", "kms:GenerateDataKey", ...more], [config.kmsKeyArn])];
}
