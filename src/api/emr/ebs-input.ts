/** EBS volumes of instance groups. Rules: the API reference's VolumeSpecification. */
import type { EbsConfiguration, VolumeSpecification } from "@aws-sdk/client-emr";
import { validationException } from "../../aws/errors.ts";

interface VolumeType {
  /** Least and most; undefined where the type has none to choose. */
  iops?: [number, number];
  mustHaveIops?: boolean;
  throughput?: [number, number];
}

const volumeTypes: Record<string, VolumeType> = {
  gp3: { iops: [3000, 16_000], throughput: [125, 1000] },
  gp2: {},
  io1: { iops: [100, 64_000], mustHaveIops: true },
  st1: {},
  sc1: {},
  standard: {},
};

/** Of every EbsConfiguration. */
export const ebsWarning = (isLoop = false): string =>
  isLoop
    ? "EbsConfiguration: IOPS and throughput of volumes have no effect"
    : "EbsConfiguration: volumes are folders of the host's disk. HDFS takes no more of one than its size, all else may; IOPS and throughput have no effect";

/** EC2's largest volume, in GiB. */
const largestVolume = 16_384;
const mostVolumes = 25;

/** Throws ValidationException, naming the member. */
export function checkEbs(ebs: EbsConfiguration, at: string): void {
  let volumes = 0;
  for (const [index, device] of (ebs.EbsBlockDeviceConfigs ?? []).entries()) {
    const where = `${at}.EbsBlockDeviceConfigs[${index}]`;
    checkVolume(device.VolumeSpecification ?? { VolumeType: undefined, SizeInGB: undefined }, `${where}.VolumeSpecification`);
    const each = device.VolumesPerInstance ?? 1;
    if (each < 1) throw validationException(`${where}.VolumesPerInstance must be at least 1, not ${each}.`);
    volumes += each;
  }
  if (volumes > mostVolumes) throw validationException(`${at}: an instance may have ${mostVolumes} volumes, not ${volumes}.`);
}

function checkVolume(volume: VolumeSpecification, at: string): void {
  const { VolumeType: name = "", SizeInGB: size = 0, Iops: iops, Throughput: throughput } = volume;
  const type = Object.hasOwn(volumeTypes, name) ? volumeTypes[name] : undefined;
  if (!type) throw validationException(`${at}.VolumeType must be one of ${Object.keys(volumeTypes).join(", ")}, not '${name}'.`);
  if (size < 1 || size > largestVolume) throw validationException(`${at}.SizeInGB must be from 1 to ${largestVolume}, not ${size}.`);
  if (type.mustHaveIops && iops === undefined) throw validationException(`${at}.Iops: IOPS setting is required for volume type ${name}.`);
  checkRange(iops, type.iops, `${at}.Iops`, name);
  checkRange(throughput, type.throughput, `${at}.Throughput`, name);
}

function checkRange(value: number | undefined, range: [number, number] | undefined, at: string, type: string): void {
  if (value === undefined) return;
  if (!range) throw validationException(`${at}: the setting is not supported for volume type ${type}.`);
  const [least, most] = range;
  if (value < least || value > most)
    throw validationException(`${at} must be from ${least} to ${most} for volume type ${type}, not ${value}.`);
}
