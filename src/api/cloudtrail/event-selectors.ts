/** PutEventSelectors, GetEventSelectors, GetInsightSelectors. */
import type { GetInsightSelectorsRequest, PutEventSelectorsRequest } from "@aws-sdk/client-cloudtrail";
import { AwsError } from "../../aws/errors.ts";
import { defaultSelectors, type Selectors } from "../../observe/selectors.ts";
import { setTrailWish, type TrailRow } from "../../store/trails.ts";
import type { CloudTrailContext, CloudTrailRequest } from "./context.ts";
import { theTrail, theTrailAtHome } from "./lookup.ts";
import { readAdvanced, readBasic } from "./selectors-input.ts";
import { rulesChanged } from "./trails.ts";

/** Replaces what the trail had. */
export async function PutEventSelectors(context: CloudTrailContext, input: PutEventSelectorsRequest, request: CloudTrailRequest) {
  const { EventSelectors: basic, AdvancedEventSelectors: advanced } = input;
  if ((basic === undefined) === (advanced === undefined) || (basic ?? advanced)!.length === 0)
    throw new AwsError(
      "InvalidEventSelectorsException",
      "Give EventSelectors or AdvancedEventSelectors, one of them, with at least one selector.",
    );
  const selectors: Selectors = basic ? { basic: readBasic(basic) } : { advanced: readAdvanced(advanced!) };
  return context.store.transaction(async (tx) => {
    const { arn } = await theTrailAtHome(tx.db, request, input.TrailName);
    await setTrailWish(tx, arn, { selectors });
    return shape(await rulesChanged(tx, context, arn));
  });
}

export async function GetEventSelectors({ store }: CloudTrailContext, input: { TrailName: string }, request: CloudTrailRequest) {
  return shape(await theTrail(store.db, request, input.TrailName));
}

const shape = ({ arn, selectors }: TrailRow) => {
  const given = selectors ?? defaultSelectors;
  return { TrailARN: arn, ...("basic" in given ? { EventSelectors: given.basic } : { AdvancedEventSelectors: given.advanced }) };
};

/** Unusual activity is not looked for: what AWS answers for a trail that has it off. */
export async function GetInsightSelectors(
  { store }: CloudTrailContext,
  input: GetInsightSelectorsRequest,
  request: CloudTrailRequest,
): Promise<never> {
  const { name } = await theTrail(store.db, request, input.TrailName);
  throw new AwsError("InsightNotEnabledException", `Trail ${name} does not have Insights enabled. Howdah has no Insights.`);
}
