/** IAM's errors, with the statuses of its API reference. */
import { AwsError } from "../../aws/errors.ts";

export const noSuchEntity = (message: string): AwsError => new AwsError("NoSuchEntity", message, 404);
export const alreadyExists = (message: string): AwsError => new AwsError("EntityAlreadyExists", message, 409);
export const deleteConflict = (message: string): AwsError => new AwsError("DeleteConflict", message, 409);
export const limitExceeded = (message: string): AwsError => new AwsError("LimitExceeded", message, 409);
export const invalidInput = (message: string): AwsError => new AwsError("InvalidInput", message, 400);
export const validationError = (message: string): AwsError => new AwsError("ValidationError", message, 400);
export const malformedPolicy = (message: string): AwsError => new AwsError("MalformedPolicyDocument", message, 400);
export const unmodifiable = (message: string): AwsError => new AwsError("UnmodifiableEntity", message, 400);
