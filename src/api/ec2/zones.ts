/** DescribeRegions, DescribeAvailabilityZones, DescribeAccountAttributes. */
import type {
  AccountAttributeName,
  AvailabilityZone,
  DescribeAccountAttributesRequest,
  DescribeAvailabilityZonesRequest,
  DescribeRegionsRequest,
} from "@aws-sdk/client-ec2";
import { allRegions, zonesOf } from "../../releases/zones.ts";
import { defaultVpc } from "../../store/ec2-vpcs.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { invalidValue } from "./errors.ts";
import { filtered } from "./filters.ts";

/** All are answered by the one endpoint; the names are AWS's, for clients make their lists of regions of this. */
export async function DescribeRegions(_context: Ec2Context, input: DescribeRegionsRequest, request: Ec2Request) {
  const all = allRegions(request.region).map(({ name, optIn }) => ({
    RegionName: name,
    Endpoint: `ec2.${name}.amazonaws.com`,
    OptInStatus: optIn,
  }));
  for (const name of input.RegionNames ?? [])
    if (!all.some(({ RegionName }) => RegionName === name)) throw invalidValue(`Invalid region names: [${name}]`);
  const asked = input.RegionNames?.length ? all.filter(({ RegionName }) => input.RegionNames?.includes(RegionName)) : all;
  const Regions = filtered(asked, input.Filters, {
    endpoint: ({ Endpoint }) => Endpoint,
    "opt-in-status": ({ OptInStatus }) => OptInStatus,
    "region-name": ({ RegionName }) => RegionName,
  });
  return { Regions };
}

export async function DescribeAvailabilityZones(_context: Ec2Context, input: DescribeAvailabilityZonesRequest, { region }: Ec2Request) {
  const all: AvailabilityZone[] = zonesOf(region).map(({ name, id }) => ({
    State: "available",
    OptInStatus: "opt-in-not-required",
    Messages: [],
    RegionName: region,
    ZoneName: name,
    ZoneId: id,
    GroupName: `${region}-zg-1`,
    NetworkBorderGroup: region,
    ZoneType: "availability-zone",
  }));
  const pick = (names: readonly string[] | undefined, of: (zone: AvailabilityZone) => string | undefined, zones: AvailabilityZone[]) => {
    for (const name of names ?? [])
      if (!zones.some((zone) => of(zone) === name)) throw invalidValue(`Invalid availability zone: [${name}]`);
    return names?.length ? zones.filter((zone) => names.includes(of(zone) ?? "")) : zones;
  };
  const byName = pick(input.ZoneNames, ({ ZoneName }) => ZoneName, all);
  const AvailabilityZones = filtered(
    pick(input.ZoneIds, ({ ZoneId }) => ZoneId, byName),
    input.Filters,
    {
      "group-name": ({ GroupName }) => GroupName,
      message: () => [],
      "network-border-group": ({ NetworkBorderGroup }) => NetworkBorderGroup,
      "opt-in-status": ({ OptInStatus }) => OptInStatus,
      "parent-zone-id": () => undefined,
      "parent-zone-name": () => undefined,
      "region-name": ({ RegionName }) => RegionName,
      state: ({ State }) => State,
      "zone-id": ({ ZoneId }) => ZoneId,
      "zone-name": ({ ZoneName }) => ZoneName,
      "zone-type": ({ ZoneType }) => ZoneType,
    },
  );
  return { AvailabilityZones };
}

/** The two attributes that the model still has. */
export async function DescribeAccountAttributes({ store }: Ec2Context, input: DescribeAccountAttributesRequest, request: Ec2Request) {
  const attributes: Record<AccountAttributeName, string> = {
    "supported-platforms": "VPC",
    "default-vpc": (await defaultVpc(store.db, request))?.id ?? "none",
  };
  const names = input.AttributeNames?.length ? input.AttributeNames : (Object.keys(attributes) as AccountAttributeName[]);
  return {
    AccountAttributes: names.map((AttributeName) => ({
      AttributeName,
      AttributeValues: [{ AttributeValue: attributes[AttributeName] }],
    })),
  };
}
