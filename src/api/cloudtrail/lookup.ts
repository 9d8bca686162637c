/** Trails by name or ARN, as CloudTrail's operations find them. Source: API reference, CreateTrail and the errors of each operation. */
import { AwsError } from "../../aws/errors.ts";
import { findTrail, type TrailRow } from "../../store/trails.ts";
import type { Db } from "../../store/store.ts";
import type { CloudTrailRequest } from "./context.ts";

const form = /^arn:aws:cloudtrail:([a-z0-9-]+):(\d{12}):trail\/(.+)$/;

export const trailArn = ({ region, accountId }: CloudTrailRequest, name: string): string =>
  `arn:aws:cloudtrail:${region}:${accountId}:trail/${name}`;

/** Throws InvalidTrailNameException. */
export function checkTrailName(name: string): void {
  const refuse = (why: string) => {
    throw new AwsError("InvalidTrailNameException", `Trail name '${name}' is not valid: ${why}.`);
  };
  if (name.length < 3 || name.length > 128) refuse("it must have 3 to 128 characters");
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) refuse("it may have letters, digits, periods, underscores and hyphens only");
  if (!/^[a-zA-Z0-9].*[a-zA-Z0-9]$/.test(name)) refuse("it must start and end with a letter or a digit");
  if (/[._-]{2}/.test(name)) refuse("periods, underscores and hyphens may not be next to one another");
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) refuse("it may not look like an IP address");
}

/** The ARN that `nameOrArn` stands for. Throws CloudTrailARNInvalidException, InvalidTrailNameException. */
export function arnOf(request: CloudTrailRequest, nameOrArn: string): string {
  if (!nameOrArn.startsWith("arn:")) {
    checkTrailName(nameOrArn);
    return trailArn(request, nameOrArn);
  }
  const match = form.exec(nameOrArn);
  if (!match)
    throw new AwsError(
      "CloudTrailARNInvalidException",
      `'${nameOrArn}' is not the ARN of a trail: arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME.`,
    );
  checkTrailName(match[3]!);
  return nameOrArn;
}

const notFound = (arn: string, { accountId }: CloudTrailRequest) =>
  new AwsError("TrailNotFoundException", `Unknown trail: ${arn} for the user: ${accountId}`);

/** A trail of the account that is of this region, or of all. Throws TrailNotFoundException. */
export async function theTrail(db: Db, request: CloudTrailRequest, nameOrArn: string | undefined): Promise<TrailRow> {
  const arn = arnOf(request, nameOrArn ?? "");
  const trail = await findTrail(db, arn);
  const isThere = trail?.account_id === request.accountId && (trail.region === request.region || trail.multi_region === 1);
  if (!isThere) throw notFound(arn, request);
  return trail;
}

/** To be changed: in its home region only. Throws InvalidHomeRegionException. */
export async function theTrailAtHome(db: Db, request: CloudTrailRequest, nameOrArn: string | undefined): Promise<TrailRow> {
  const trail = await theTrail(db, request, nameOrArn);
  if (trail.region !== request.region)
    throw new AwsError("InvalidHomeRegionException", `The trail ${trail.arn} is changed in its home region, ${trail.region}, only.`);
  return trail;
}
