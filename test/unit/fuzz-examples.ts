/**
 * Requests that would be carried out, of operations that are not reached by chance: the fuzzer breaks them in one place or another. `known` names
 * what is there. An operation that is not here is fuzzed all the same, from its model alone.
 */
import type { Known } from "./fuzz-world.ts";

const allow = {
  Version: "2012-10-17",
  Statement: [{ Sid: "a", Effect: "Allow", Action: ["s3:Get*"], Resource: "*", Condition: { StringLike: { "aws:username": "a*" } } }],
};
const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] };
const step = {
  Name: "s",
  ActionOnFailure: "CONTINUE",
  HadoopJarStep: {
    Jar: "command-runner.jar",
    MainClass: "a.B",
    Args: ["spark-submit", "s3://b/a.py"],
    Properties: [{ Key: "k", Value: "v" }],
  },
};
const rule = {
  Name: "out",
  Description: "more",
  Action: { SimpleScalingPolicyConfiguration: { AdjustmentType: "CHANGE_IN_CAPACITY", ScalingAdjustment: 1, CoolDown: 300 } },
  Trigger: {
    CloudWatchAlarmDefinition: {
      ComparisonOperator: "LESS_THAN",
      EvaluationPeriods: 1,
      MetricName: "M",
      Period: 300,
      Threshold: 15,
      Dimensions: [{ Key: "JobFlowId", Value: "${emr.clusterId}" }],
    },
  },
};
const fleet = {
  TargetOnDemandCapacity: 2,
  TargetSpotCapacity: 1,
  InstanceTypeConfigs: [{ InstanceType: "m5.xlarge", WeightedCapacity: 2, BidPrice: "0.1", Priority: 1 }],
  LaunchSpecifications: {
    SpotSpecification: { TimeoutDurationMinutes: 5, TimeoutAction: "SWITCH_TO_ON_DEMAND", AllocationStrategy: "diversified" },
    OnDemandSpecification: { AllocationStrategy: "prioritized" },
  },
  ResizeSpecifications: { SpotResizeSpecification: { TimeoutDurationMinutes: 5 } },
};
const kms = "arn:aws:kms:us-east-1:123456789012:key/1";
const security = {
  EncryptionConfiguration: {
    EnableInTransitEncryption: true,
    EnableAtRestEncryption: true,
    InTransitEncryptionConfiguration: { TLSCertificateConfiguration: { CertificateProviderType: "PEM", S3Object: "s3://b/c.zip" } },
    AtRestEncryptionConfiguration: {
      S3EncryptionConfiguration: { EncryptionMode: "SSE-KMS", AwsKmsKey: kms, Overrides: [{ BucketName: "b", EncryptionMode: "SSE-S3" }] },
      LocalDiskEncryptionConfiguration: { EnableEbsEncryption: true, EncryptionKeyProviderType: "AwsKms", AwsKmsKey: kms },
    },
  },
  AuthorizationConfiguration: {
    EmrFsConfiguration: { RoleMappings: [{ Role: "arn:aws:iam::123456789012:role/r", IdentifierType: "User", Identifiers: ["u"] }] },
  },
  InstanceMetadataServiceConfiguration: { MinimumInstanceMetadataServiceVersion: 1, HttpPutResponseHopLimit: 2 },
};

/** Texts that are JSON are broken from within, too. */
export function examplesOf(service: string, known: Known): Record<string, object> {
  const one = (member: string) => known(member)[0] ?? "";
  const another = (member: string) => known(member)[1] ?? "";
  if (service === "elasticmapreduce")
    return {
      RunJobFlow: {
        Name: "n",
        LogUri: "s3://b/logs/",
        ReleaseLabel: "emr-7.13.0",
        Instances: {
          InstanceGroups: [
            { Name: "m", InstanceRole: "MASTER", InstanceType: "m5.xlarge", InstanceCount: 1 },
            {
              InstanceRole: "CORE",
              InstanceType: "m5.xlarge",
              InstanceCount: 2,
              Market: "SPOT",
              BidPrice: "0.1",
              Configurations: [{ Classification: "yarn-site", Properties: { "yarn.nodemanager.vmem-check-enabled": "false" } }],
              EbsConfiguration: {
                EbsBlockDeviceConfigs: [{ VolumeSpecification: { VolumeType: "gp3", SizeInGB: 32, Iops: 3000 }, VolumesPerInstance: 2 }],
              },
            },
          ],
          KeepJobFlowAliveWhenNoSteps: true,
          Placement: { AvailabilityZone: "us-east-1a" },
        },
        Steps: [step],
        BootstrapActions: [{ Name: "b", ScriptBootstrapAction: { Path: "s3://b/a.sh", Args: ["x"] } }],
        Applications: [{ Name: "Spark" }],
        Configurations: [
          { Classification: "hadoop-env", Configurations: [{ Classification: "export", Properties: { A: "b" } }] },
          { Classification: "core-site", Properties: { "io.file.buffer.size": "77824" } },
        ],
        ScaleDownBehavior: "TERMINATE_AT_TASK_COMPLETION",
        StepConcurrencyLevel: 2,
        EbsRootVolumeSize: 20,
        Tags: [{ Key: "k", Value: "v" }],
        SecurityConfiguration: "name",
      },
      AddInstanceFleet: { ClusterId: one("FleetClusterId"), InstanceFleet: { ...fleet, InstanceFleetType: "TASK" } },
      ModifyInstanceFleet: {
        ClusterId: one("FleetClusterId"),
        InstanceFleet: { InstanceFleetId: one("InstanceFleetId"), TargetSpotCapacity: 1, InstanceTypeConfigs: fleet.InstanceTypeConfigs },
      },
      AddJobFlowSteps: { JobFlowId: one("JobFlowId"), Steps: [step] },
      PutAutoScalingPolicy: {
        ClusterId: one("ClusterId"),
        InstanceGroupId: another("InstanceGroupId"),
        AutoScalingPolicy: { Constraints: { MinCapacity: 1, MaxCapacity: 5 }, Rules: [rule] },
      },
      PutManagedScalingPolicy: {
        ClusterId: another("ClusterId"),
        ManagedScalingPolicy: {
          ComputeLimits: {
            UnitType: "Instances",
            MinimumCapacityUnits: 1,
            MaximumCapacityUnits: 4,
            MaximumOnDemandCapacityUnits: 2,
            MaximumCoreCapacityUnits: 2,
          },
          ScalingStrategy: "ADVANCED",
          UtilizationPerformanceIndex: 50,
        },
      },
      CreateSecurityConfiguration: { Name: "another", SecurityConfiguration: JSON.stringify(security) },
      DescribeSecurityConfiguration: { Name: "name" },
      TerminateJobFlows: { JobFlowIds: known("JobFlowIds").slice(0, 2) },
      SetTerminationProtection: { JobFlowIds: known("JobFlowIds").slice(0, 2), TerminationProtected: true },
      AddTags: { ResourceId: one("ClusterId"), Tags: [{ Key: "k", Value: "v" }, { Key: "l" }] },
      ListSteps: { ClusterId: one("ClusterId"), StepStates: ["PENDING"] },
    };
  if (service === "iam")
    return {
      CreatePolicy: { PolicyName: "p", Path: "/a/", PolicyDocument: JSON.stringify(allow), Tags: [{ Key: "k", Value: "v" }] },
      CreateRole: {
        RoleName: "r",
        AssumeRolePolicyDocument: JSON.stringify(trust),
        MaxSessionDuration: 3600,
        Tags: [{ Key: "k", Value: "v" }],
      },
      CreatePolicyVersion: { PolicyArn: one("OwnPolicyArn"), PolicyDocument: JSON.stringify(allow), SetAsDefault: true },
      PutRolePolicy: { RoleName: one("RoleName"), PolicyName: "p", PolicyDocument: JSON.stringify(allow) },
      GetRolePolicy: { RoleName: one("RoleName"), PolicyName: "p" },
      UpdateAssumeRolePolicy: { RoleName: one("RoleName"), PolicyDocument: JSON.stringify(trust) },
      PutUserPermissionsBoundary: { UserName: "name", PermissionsBoundary: "arn:aws:iam::aws:policy/AdministratorAccess" },
      SimulateCustomPolicy: { PolicyInputList: [JSON.stringify(allow)], ActionNames: ["s3:GetObject"], ResourceArns: ["arn:aws:s3:::b/k"] },
      SimulatePrincipalPolicy: { PolicySourceArn: one("RoleArn"), ActionNames: ["s3:GetObject"] },
    };
  if (service === "sts")
    return {
      AssumeRole: {
        RoleArn: one("RoleArn"),
        RoleSessionName: "s",
        Policy: JSON.stringify(allow),
        DurationSeconds: 900,
        Tags: [{ Key: "k", Value: "v" }],
      },
    };
  if (service === "glue") {
    const column = { Name: "c", Type: "string", Comment: "c", Parameters: { a: "b" } };
    const StorageDescriptor = {
      Columns: [column],
      Location: "s3://b/t/",
      InputFormat: "i",
      OutputFormat: "o",
      SerdeInfo: { SerializationLibrary: "l", Parameters: { a: "b" } },
      SortColumns: [{ Column: "c", SortOrder: 1 }],
    };
    const table = {
      Name: "t",
      TableType: "EXTERNAL_TABLE",
      StorageDescriptor,
      PartitionKeys: [{ Name: "k", Type: "int" }],
      Parameters: { a: "b" },
    };
    const ofTable = { DatabaseName: "d", TableName: "p" };
    return {
      CreateDatabase: { DatabaseInput: { Name: "another", LocationUri: "s3://b/", Parameters: { a: "b" } } },
      GetDatabase: { Name: "d" },
      UpdateDatabase: { Name: "d", DatabaseInput: { Name: "d", Description: "text" } },
      CreateTable: { DatabaseName: "d", TableInput: table },
      GetTable: { DatabaseName: "d", Name: "p" },
      GetTables: { DatabaseName: "d", Expression: "p.*|q", MaxResults: 1 },
      UpdateTable: { DatabaseName: "d", TableInput: { ...table, Name: "p" } },
      CreatePartition: { ...ofTable, PartitionInput: { Values: ["1"], StorageDescriptor } },
      BatchCreatePartition: { ...ofTable, PartitionInputList: [{ Values: ["2"], StorageDescriptor }, { Values: ["2"] }] },
      GetPartitions: { ...ofTable, Expression: "k > 1 AND k IN (1, '2')", Segment: { SegmentNumber: 0, TotalSegments: 2 } },
      GetPartition: { ...ofTable, PartitionValues: ["7"] },
      UpdatePartition: { ...ofTable, PartitionValueList: ["7"], PartitionInput: { Values: ["7"], Parameters: { a: "b" } } },
      BatchUpdatePartition: { ...ofTable, Entries: [{ PartitionValueList: ["7"], PartitionInput: { Values: ["7"] } }] },
      BatchGetPartition: { ...ofTable, PartitionsToGet: [{ Values: ["7"] }] },
      BatchDeletePartition: { ...ofTable, PartitionsToDelete: [{ Values: ["2"] }] },
    };
  }
  if (service === "ec2") {
    const permission = { IpProtocol: "tcp", FromPort: 1, ToPort: 2, IpRanges: [{ CidrIp: "10.0.0.0/8", Description: "d" }] };
    return {
      CreateVpc: { CidrBlock: "10.0.0.0/16" },
      CreateSubnet: { VpcId: one("VpcId"), CidrBlock: "172.31.128.0/24", AvailabilityZone: "us-east-1a" },
      AuthorizeSecurityGroupIngress: { GroupId: one("GroupId"), IpPermissions: [permission] },
      AuthorizeSecurityGroupEgress: { GroupId: one("GroupId"), IpPermissions: [{ ...permission, FromPort: 3, ToPort: 4 }] },
      RevokeSecurityGroupIngress: { GroupId: one("GroupId"), IpPermissions: [permission] },
      CreateRoute: { RouteTableId: one("RouteTableId"), DestinationCidrBlock: "10.1.0.0/16", GatewayId: one("InternetGatewayId") },
      ImportKeyPair: { KeyName: "k", PublicKeyMaterial: "c3NoLXJzYSBBQUFB" },
      DescribeVpcs: { Filters: [{ Name: "cidr", Values: ["172.31.0.0/16"] }], MaxResults: 5 },
    };
  }
  return {};
}
