/** What instances cost: EC2's price list of us-east-1 (tools/generate-prices.ts), by which fleets choose among types. Nobody pays here. */
import table from "./prices.json" with { type: "json" };

const usdPerHour: Readonly<Record<string, number>> = table.usdPerHour;

/** USD an hour, on demand; Infinity for a type that the list does not have. */
export const onDemandPrice = (instanceType: string): number => usdPerHour[instanceType] ?? Infinity;
