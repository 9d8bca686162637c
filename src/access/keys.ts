/** Access keys: who signs with what. Read here by the pipeline and, in a thread of its own, by the S3 front door; written by the store. */
import { DatabaseSync } from "node:sqlite";

/** `sessionToken` is set for temporary credentials, `clusterId` for the credentials that Howdah gives to a cluster's nodes. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string | null;
  accountId: string;
  principalArn: string;
  clusterId: string | null;
}

/** Undefined for a key that does not exist or is disabled. */
export type KeyLookup = (accessKeyId: string) => AccessKey | undefined;

interface Row {
  access_key_id: string;
  secret_access_key: string;
  session_token: string | null;
  account_id: string;
  principal_arn: string;
  cluster_id: string | null;
}

/**
 * Looks keys up in the store's `access_keys`, read only. Nothing is cached, so a key works from the commit that makes it and
 * stops with the commit that disables it. Throws where the database or its table is not there yet.
 */
export function openKeyLookup(databasePath: string): KeyLookup & { close(): void } {
  const database = new DatabaseSync(databasePath, { readOnly: true, timeout: 5000 });
  const statement = database.prepare(
    `SELECT access_key_id, secret_access_key, session_token, account_id, principal_arn, cluster_id
     FROM access_keys WHERE access_key_id = ? AND disabled_at IS NULL`,
  );
  const lookup = (accessKeyId: string): AccessKey | undefined => {
    const row = statement.get(accessKeyId) as unknown as Row | undefined;
    return (
      row && {
        accessKeyId: row.access_key_id,
        secretAccessKey: row.secret_access_key,
        sessionToken: row.session_token,
        accountId: row.account_id,
        principalArn: row.principal_arn,
        clusterId: row.cluster_id,
      }
    );
  };
  return Object.assign(lookup, { close: () => database.close() });
}
