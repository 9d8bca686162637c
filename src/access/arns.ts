/** ARNs of IAM. Source: IAM User Guide, "IAM ARNs". */
import type { IamKind } from "../store/iam-schema.ts";

/** arn:aws:iam::123456789012:role/PATH/NAME. */
export function iamArn(entity: { account_id: string; kind: IamKind; path: string; name: string }): string {
  return `arn:aws:iam::${entity.account_id}:${entity.kind}${entity.path}${entity.name}`;
}

export const rootArn = (accountId: string): string => `arn:aws:iam::${accountId}:root`;

/** Without the role's path, as in AWS. */
export const sessionArn = (accountId: string, roleName: string, sessionName: string): string =>
  `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`;
