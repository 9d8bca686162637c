/** Pages of names in their order: a name's place never changes, so none is repeated or left out. */
import { AwsError } from "../../aws/errors.ts";
import { openList } from "../emr/paging.ts";
import { type GlueRequest, invalidInput } from "./context.ts";

export interface PageInput {
  NextToken?: string | undefined;
  MaxResults?: number | undefined;
}

/** Of `operation`'s list with these filters. */
export function pageOfNames(
  operation: string,
  request: GlueRequest,
  filters: object,
  { NextToken, MaxResults }: PageInput,
  usual: number,
  names: readonly string[],
): { names: string[]; NextToken?: string } {
  try {
    const list = openList(operation, request, filters, ["string"], NextToken, "NextToken");
    const [after] = list.after ?? [];
    const rest = names.toSorted(compare).filter((name) => after === undefined || compare(name, after) > 0);
    const { items, Marker } = list.page(rest, MaxResults ?? usual, (name) => [name]);
    return Marker === undefined ? { names: items } : { names: items, NextToken: Marker };
  } catch (error) {
    if (error instanceof AwsError && error.code === "InvalidRequestException") throw invalidInput(error.message);
    throw error;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
