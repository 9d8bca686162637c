/** What becomes of each parameter of an instance fleet, as parameters.ts has it for all others. */
import type {
  InstanceFleetConfig,
  InstanceFleetModifyConfig,
  InstanceFleetProvisioningSpecifications,
  InstanceFleetResizingSpecifications,
  InstanceTypeConfig,
  OnDemandProvisioningSpecification,
  OnDemandResizingSpecification,
  SpotProvisioningSpecification,
  SpotResizingSpecification,
} from "@aws-sdk/client-emr";
import { type Fates, noAmi, refused, sortOut, warned } from "./parameters.ts";

const fleet: Fates<InstanceFleetConfig> = {
  Name: "honoured",
  InstanceFleetType: "honoured",
  TargetOnDemandCapacity: "honoured",
  TargetSpotCapacity: "honoured",
  InstanceTypeConfigs: "honoured",
  LaunchSpecifications: "honoured",
  ResizeSpecifications: "honoured",
  Context: "honoured",
};
const change: Fates<InstanceFleetModifyConfig> = {
  InstanceFleetId: "honoured",
  TargetOnDemandCapacity: "honoured",
  TargetSpotCapacity: "honoured",
  ResizeSpecifications: "honoured",
  InstanceTypeConfigs: "honoured",
  Context: "honoured",
};
const type: Fates<InstanceTypeConfig> = {
  InstanceType: "honoured",
  WeightedCapacity: "honoured",
  BidPrice: "honoured",
  BidPriceAsPercentageOfOnDemandPrice: "honoured",
  EbsConfiguration: "honoured",
  Configurations: "honoured",
  CustomAmiId: noAmi,
  Priority: "honoured",
};
const noReservations = warned(
  "CapacityReservationOptions is kept and shown, but there are no capacity reservations: instances are those of this host",
);
const launch: Fates<InstanceFleetProvisioningSpecifications> = { SpotSpecification: "honoured", OnDemandSpecification: "honoured" };
const onDemand: Fates<OnDemandProvisioningSpecification> = {
  AllocationStrategy: "honoured",
  CapacityReservationOptions: noReservations,
};
const spot: Fates<SpotProvisioningSpecification> = {
  TimeoutDurationMinutes: "honoured",
  TimeoutAction: "honoured",
  BlockDurationMinutes: refused(
    "BlockDurationMinutes: EC2 has no Spot Instances with a defined duration any more. Leave the parameter out.",
  ),
  AllocationStrategy: "honoured",
};
const resize: Fates<InstanceFleetResizingSpecifications> = {
  SpotResizeSpecification: "honoured",
  OnDemandResizeSpecification: "honoured",
};
const onDemandResize: Fates<OnDemandResizingSpecification> = {
  TimeoutDurationMinutes: "honoured",
  AllocationStrategy: "honoured",
  CapacityReservationOptions: noReservations,
};
const spotResize: Fates<SpotResizingSpecification> = { TimeoutDurationMinutes: "honoured", AllocationStrategy: "honoured" };

/** Warnings to record. Throws ValidationException for a parameter that is refused. */
export function sortOutFleet(config: InstanceFleetConfig): string[] {
  const { LaunchSpecifications = {} } = config;
  return [
    ...sortOut(config, fleet),
    ...sortOut(LaunchSpecifications, launch),
    ...(LaunchSpecifications.OnDemandSpecification ? sortOut(LaunchSpecifications.OnDemandSpecification, onDemand) : []),
    ...(LaunchSpecifications.SpotSpecification ? sortOut(LaunchSpecifications.SpotSpecification, spot) : []),
    ...sortOutParts(config),
  ];
}

/** The same of ModifyInstanceFleet. */
export const sortOutFleetChange = (config: InstanceFleetModifyConfig): string[] => [...sortOut(config, change), ...sortOutParts(config)];

function sortOutParts({ InstanceTypeConfigs: types = [], ResizeSpecifications = {} }: Partial<InstanceFleetConfig>): string[] {
  const { OnDemandResizeSpecification, SpotResizeSpecification } = ResizeSpecifications;
  return [
    ...types.flatMap((config) => sortOut(config, type)),
    ...sortOut(ResizeSpecifications, resize),
    ...(OnDemandResizeSpecification ? sortOut(OnDemandResizeSpecification, onDemandResize) : []),
    ...(SpotResizeSpecification ? sortOut(SpotResizeSpecification, spotResize) : []),
  ];
}
