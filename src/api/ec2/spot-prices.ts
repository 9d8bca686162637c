/** DescribeSpotPriceHistory: what the market's prices are and were. */
import type { DescribeSpotPriceHistoryRequest, SpotPrice } from "@aws-sdk/client-ec2";
import { instanceTypeNames } from "../../releases/instance-types.ts";
import { zonesOf } from "../../releases/zones.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { filtered } from "./filters.ts";
import { select } from "./listing.ts";

const ProductDescription = "Linux/UNIX";
/** EC2's history. */
const longestMs = 90 * 24 * 3600_000;
/** EC2's largest page. */
const mostInPage = 1_000;

/** Newest first, each price from when it began. Without StartTime: those at EndTime, which is now where it is not given. */
export async function DescribeSpotPriceHistory(
  { store, market }: Ec2Context,
  input: DescribeSpotPriceHistoryRequest,
  { region }: Ec2Request,
) {
  const now = store.now();
  const end = Math.min(now, input.EndTime?.getTime() ?? now);
  const start = Math.max(now - longestMs, Math.min(end, input.StartTime?.getTime() ?? end));
  const types = instanceTypeNames().filter((name) => !input.InstanceTypes?.length || input.InstanceTypes.some((one) => one === name));
  const zones = zonesOf(region)
    .map(({ name }) => name)
    .filter((name) => input.AvailabilityZone === undefined || input.AvailabilityZone === name);
  const isAsked = !input.ProductDescriptions?.length || input.ProductDescriptions.some((one) => one.startsWith(ProductDescription));
  const pools = filtered(
    isAsked ? types.flatMap((type) => zones.map((zone) => ({ type, zone }))) : [],
    input.Filters?.filter(({ Name }) => Name !== "spot-price" && Name !== "timestamp"),
    {
      "instance-type": ({ type }) => type,
      "availability-zone": ({ zone }) => zone,
      "product-description": () => ProductDescription,
    },
  );
  const ofPrice = input.Filters?.filter(({ Name }) => Name === "spot-price" || Name === "timestamp");
  const size = Math.min(input.MaxResults || mostInPage, mostInPage);
  const after = position(input.NextToken);
  const found: SpotPrice[] = [];
  // One more than a page, so that it is known whether there is another.
  for (let at = Math.min(end, after ?? end); pools.length > 0 && at >= 0; at = market.began(at) - 1) {
    const began = market.began(at);
    const prices = pools.flatMap(({ type, zone }): SpotPrice[] => {
      const price = market.price(type, zone, at);
      if (price === Infinity) return [];
      const InstanceType = type as SpotPrice["InstanceType"];
      return [{ AvailabilityZone: zone, InstanceType, ProductDescription, SpotPrice: price.toFixed(6), Timestamp: new Date(began) }];
    });
    const timeOf = ({ Timestamp }: SpotPrice) => Timestamp!.toISOString();
    found.push(...filtered(prices, ofPrice, { "spot-price": ({ SpotPrice: text }) => text, timestamp: timeOf }));
    if (began <= start || found.length > size + mostInPage * 3) break;
  }
  const { items: SpotPriceHistory, NextToken } = select(
    found,
    { MaxResults: size, ...(input.NextToken ? { NextToken: input.NextToken } : {}) },
    {
      thing: "instance",
      id: ({ InstanceType }) => InstanceType ?? "",
      position: ({ Timestamp, InstanceType = "", AvailabilityZone = "" }) => [-Timestamp!.getTime(), InstanceType, AvailabilityZone],
      filters: {},
    },
  );
  return { SpotPriceHistory, NextToken: NextToken ?? "" };
}

/** The time that a page goes on from; undefined for the first, or for a token that `select` will refuse. */
function position(token: string | undefined): number | undefined {
  try {
    const [negative] = JSON.parse(Buffer.from(token ?? "", "base64url").toString("utf8")) as unknown[];
    return typeof negative === "number" ? -negative : undefined;
  } catch {
    return undefined;
  }
}
