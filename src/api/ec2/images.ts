/** DescribeImages: one for each release, which stands for the host's own system, of which nodes are made. There are no others to launch. */
import type { DescribeImagesRequest, Image } from "@aws-sdk/client-ec2";
import { rootDevice } from "../../releases/ebs.ts";
import { findRelease, releaseLabels } from "../../releases/release.ts";
import type { Ec2Context, Ec2Request } from "./context.ts";
import { select } from "./listing.ts";
import { hostArchitecture, imageOf } from "./nodes.ts";

const imageShape = (region: string, label: string): Image => ({
  ImageId: imageOf(region, label),
  Name: `${label}-host-${hostArchitecture}`,
  Description: `Howdah: the host's own system, under ${findRelease(label)?.label ?? label}`,
  Architecture: hostArchitecture,
  ImageType: "machine",
  ImageOwnerAlias: "amazon",
  OwnerId: "amazon",
  Public: true,
  State: "available",
  PlatformDetails: "Linux/UNIX",
  UsageOperation: "RunInstances",
  RootDeviceName: rootDevice,
  RootDeviceType: "ebs",
  BlockDeviceMappings: [],
  VirtualizationType: "hvm",
  Hypervisor: "xen",
  Tags: [],
});

export async function DescribeImages(_context: Ec2Context, input: DescribeImagesRequest, { region }: Ec2Request) {
  const { Owners: owners = [], ImageIds, ...rest } = input;
  const all = releaseLabels().map((label) => imageShape(region, label));
  const { items, NextToken } = select(
    owners.length === 0 || owners.includes("amazon") ? all : [],
    { ...rest, ids: ImageIds },
    {
      thing: "image",
      id: ({ ImageId }) => ImageId ?? "",
      tags: () => [],
      position: ({ Name }) => [Name ?? ""],
      filters: {
        architecture: ({ Architecture }) => Architecture,
        description: ({ Description }) => Description,
        hypervisor: ({ Hypervisor }) => Hypervisor,
        "image-id": ({ ImageId }) => ImageId,
        "image-type": ({ ImageType }) => ImageType,
        "is-public": ({ Public }) => Public,
        name: ({ Name }) => Name,
        "owner-alias": () => "amazon",
        "owner-id": ({ OwnerId }) => OwnerId,
        platform: () => undefined,
        "root-device-type": ({ RootDeviceType }) => RootDeviceType,
        state: ({ State }) => State,
        "virtualization-type": ({ VirtualizationType }) => VirtualizationType,
      },
    },
  );
  return { Images: items, NextToken };
}
