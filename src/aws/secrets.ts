/** Which members hold secrets, for messages and records that must not show them. */
import type { Schema } from "./operations.ts";

/** Members that the model does not mark as sensitive, though they are: KdcAdminPassword, SessionToken, KeyMaterial (not PublicKeyMaterial). */
const secretMember =
  /(secret|password|passphrase|private_?key|(?<!public)keymaterial|userdata|(session|security|identity|auth|access|tradein)token|tokencode|assertion|authenticationcode)/i;

/** By its name alone. */
export const isSecretName = (name: string): boolean => secretMember.test(name);

/** `name`: the member's; of an element of a list or map, that of the list or map. */
export const isSecret = (schema: Schema, name: string): boolean => schema.getMergedTraits().sensitive !== undefined || isSecretName(name);

/** A copy of a value of this schema that messages may show. Members that the model does not have may be secrets as well, by their names. */
export function withoutSecrets(schema: Schema | undefined, value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null)
    return schema ? (isSecret(schema, name) ? "…" : value) : isSecretName(name) ? "…" : value;
  if (value instanceof Date || value instanceof Uint8Array) return isSecretName(name) ? "…" : value;
  const element = schema?.isListSchema() || schema?.isMapSchema() ? schema.getValueSchema() : undefined;
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(element, one, name));
  const members = new Map(schema?.isStructSchema() ? schema.structIterator() : []);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(members.get(key) ?? element, inner, key)]));
}
