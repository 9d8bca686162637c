/** Event selectors as they are sent, checked and filled in. Throws InvalidEventSelectorsException. */
import type { AdvancedEventSelector, EventSelector } from "@aws-sdk/client-cloudtrail";
import { AwsError } from "../../aws/errors.ts";
import { advancedFields, type AdvancedSelector, type BasicSelector, s3Object, selectorOperators } from "../../observe/selectors.ts";

const mostSelectors = 5;
const mostDataResources = 250;
const mostConditions = 500;
/** "The source can be an empty list, or it can filter out AWS Key Management Service or Amazon RDS Data API events." */
const excludable = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

const invalid = (message: string) => new AwsError("InvalidEventSelectorsException", message);

export function readBasic(given: readonly EventSelector[]): BasicSelector[] {
  if (given.length > mostSelectors) throw invalid(`EventSelectors: at most ${mostSelectors}.`);
  const selectors = given.map((selector, i): BasicSelector => {
    const at = `EventSelectors[${i}]`;
    const excluded = selector.ExcludeManagementEventSources ?? [];
    const odd = excluded.find((source) => !excludable.includes(source));
    if (odd !== undefined)
      throw invalid(`${at}.ExcludeManagementEventSources: '${odd}' cannot be excluded, only ${excludable.join(" and ")}.`);
    return {
      ReadWriteType: selector.ReadWriteType ?? "All",
      IncludeManagementEvents: selector.IncludeManagementEvents ?? true,
      DataResources: (selector.DataResources ?? []).map(({ Type = "", Values = [] }, j) => {
        if (Type !== s3Object) throw invalid(`${at}.DataResources[${j}].Type: Howdah has data events of ${s3Object}, not of '${Type}'.`);
        for (const value of Values)
          if (!isS3Value(value))
            throw invalid(`${at}.DataResources[${j}].Values: '${value}' is not arn:aws:s3 or arn:aws:s3:::BUCKET/PREFIX.`);
        return { Type, Values: Values.map((value) => (value === "arn:aws:s3" ? "arn:aws:s3:::" : value)) };
      }),
      ExcludeManagementEventSources: excluded,
    };
  });
  const values = selectors.flatMap(({ DataResources }) => DataResources.flatMap(({ Values }) => Values));
  if (values.length > mostDataResources) throw invalid(`DataResources: at most ${mostDataResources} values for a trail.`);
  return selectors;
}

/** All buckets, a bucket with its slash, or the beginning of keys in one. */
const isS3Value = (value: string) => /^arn:aws:s3(:::([a-z0-9.-]+\/.*)?)?$/s.test(value);

export function readAdvanced(given: readonly AdvancedEventSelector[]): AdvancedSelector[] {
  let conditions = 0;
  const selectors = given.map((selector, i): AdvancedSelector => {
    const at = `AdvancedEventSelectors[${i}]`;
    const fields = selector.FieldSelectors ?? [];
    const category = fields.find(({ Field }) => Field === "eventCategory")?.Equals;
    if (category?.length !== 1 || !(category[0] === "Management" || category[0] === "Data"))
      throw invalid(`${at}: it must have the field eventCategory, which Equals Management or Data.`);
    const allowed: readonly string[] = advancedFields[category[0]];
    const names = fields.map(({ Field = "" }) => Field);
    const odd = names.find((name) => !allowed.includes(name));
    if (odd !== undefined) throw invalid(`${at}: the field '${odd}' is not one of ${allowed.join(", ")}.`);
    if (new Set(names).size < names.length) throw invalid(`${at}: each field may be there once.`);
    const FieldSelectors = fields.map(({ Field = "", ...rest }) => {
      const conditionsOf = selectorOperators.flatMap((operator) => (rest[operator]?.length ? [[operator, rest[operator]] as const] : []));
      if (conditionsOf.length === 0) throw invalid(`${at}: the field ${Field} has no condition: ${selectorOperators.join(", ")}.`);
      if (
        ["eventCategory", "readOnly", "resources.type"].includes(Field) &&
        conditionsOf.some(([operator, { length }]) => operator !== "Equals" || length !== 1)
      )
        throw invalid(`${at}: the field ${Field} takes Equals with one value only.`);
      conditions += conditionsOf.reduce((sum, [, list]) => sum + list.length, 0);
      return { Field, ...Object.fromEntries(conditionsOf) };
    });
    checkFields(at, category[0], FieldSelectors);
    return { ...(selector.Name === undefined ? {} : { Name: selector.Name }), FieldSelectors };
  });
  if (conditions > mostConditions) throw invalid(`AdvancedEventSelectors: at most ${mostConditions} values for a trail.`);
  return selectors;
}

function checkFields(at: string, category: "Management" | "Data", fields: AdvancedSelector["FieldSelectors"]): void {
  const equals = (name: string) => fields.find(({ Field }) => Field === name)?.Equals?.[0];
  const readOnly = equals("readOnly");
  if (readOnly !== undefined && !["true", "false"].includes(readOnly))
    throw invalid(`${at}: readOnly is true or false, not '${readOnly}'.`);
  if (category === "Data" && equals("resources.type") !== s3Object)
    throw invalid(`${at}: Howdah has data events of the resources.type ${s3Object} only, and the selector must say so.`);
}
