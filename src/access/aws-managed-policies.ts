/**
 * AWS's managed policies that EMR's users name, under their AWS names: EMR's own whole, as the AWS managed policy reference lists them
 * (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/), the general ones where they are of a few words, and ReadOnlyAccess for the
 * services that Howdah has. They belong to AWS's account: nobody changes them.
 */
import { createHash } from "node:crypto";

export interface AwsManagedPolicy {
  name: string;
  path: string;
  arn: string;
  /** ANPA… */
  id: string;
  description: string;
  /** The version that AWS's reference shows; the only one here. */
  version: number;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
  /** JSON. */
  document: string;
}

interface Statement {
  Sid?: string;
  Effect?: "Allow";
  Action?: string | string[];
  NotAction?: string[];
  Resource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

/** `actions("ec2", "RunInstances CreateTags")` → ["ec2:RunInstances", "ec2:CreateTags"]. */
const actions = (service: string, names: string): string[] => names.split(/\s+/).map((name) => `${service}:${name}`);

const everything = "*";
const servicePath = "/service-role/";

/** The tag by which AmazonEMRServicePolicy_v2 knows what it may use. */
const tag = "for-use-with-amazon-emr-managed-policies";
const resourceTagged = { StringEquals: { [`aws:ResourceTag/${tag}`]: "true" } };
const requestTagged = { StringEquals: { [`aws:RequestTag/${tag}`]: "true" } };
const ec2Arns = (...kinds: string[]): string[] => kinds.map((kind) => `arn:aws:ec2:*:*:${kind}`);

const passRole = (Sid: string, role: string, service: string): Statement => ({
  Sid,
  Action: "iam:PassRole",
  Resource: `arn:aws:iam::*:role/${role}`,
  Condition: { StringLike: { "iam:PassedToService": `${service}*` } },
});

const emrServiceNames = ["elasticmapreduce.amazonaws.com", "elasticmapreduce.amazonaws.com.cn"];

const emrReadActions = `DescribeCluster DescribeEditor DescribeJobFlows DescribeSecurityConfiguration DescribeStep DescribeReleaseLabel
  GetBlockPublicAccessConfiguration GetManagedScalingPolicy GetAutoTerminationPolicy ListBootstrapActions ListClusters ListEditors
  ListInstanceFleets ListInstanceGroups ListInstances ListSecurityConfigurations ListSteps ListSupportedInstanceTypes
  ViewEventsFromAllClustersInConsole`;

const emrServiceV2: Statement[] = [
  {
    Sid: "CreateInTaggedNetwork",
    Action: actions("ec2", "CreateNetworkInterface RunInstances CreateFleet CreateLaunchTemplate CreateLaunchTemplateVersion"),
    Resource: ec2Arns("subnet/*", "security-group/*"),
    Condition: resourceTagged,
  },
  {
    Sid: "CreateWithEMRTaggedLaunchTemplate",
    Action: actions("ec2", "CreateFleet RunInstances CreateLaunchTemplateVersion"),
    Resource: "arn:aws:ec2:*:*:launch-template/*",
    Condition: resourceTagged,
  },
  {
    Sid: "CreateEMRTaggedLaunchTemplate",
    Action: "ec2:CreateLaunchTemplate",
    Resource: "arn:aws:ec2:*:*:launch-template/*",
    Condition: requestTagged,
  },
  {
    Sid: "CreateEMRTaggedInstancesAndVolumes",
    Action: actions("ec2", "RunInstances CreateFleet"),
    Resource: ec2Arns("instance/*", "volume/*"),
    Condition: requestTagged,
  },
  {
    Sid: "ResourcesToLaunchEC2",
    Action: actions("ec2", "RunInstances CreateFleet CreateLaunchTemplate CreateLaunchTemplateVersion"),
    Resource: [
      "arn:aws:ec2:*:*:network-interface/*",
      "arn:aws:ec2:*::image/ami-*",
      ...ec2Arns("key-pair/*", "capacity-reservation/*", "placement-group/EMR_*", "fleet/*", "dedicated-host/*"),
      "arn:aws:resource-groups:*:*:group/*",
    ],
  },
  {
    Sid: "ManageEMRTaggedResources",
    Action: actions(
      "ec2",
      "CreateLaunchTemplateVersion DeleteLaunchTemplate DeleteNetworkInterface ModifyInstanceAttribute TerminateInstances",
    ),
    Resource: everything,
    Condition: resourceTagged,
  },
  {
    Sid: "ManageTagsOnEMRTaggedResources",
    Action: actions("ec2", "CreateTags DeleteTags"),
    Resource: ec2Arns("instance/*", "volume/*", "network-interface/*", "launch-template/*"),
    Condition: resourceTagged,
  },
  {
    Sid: "CreateNetworkInterfaceNeededForPrivateSubnet",
    Action: ["ec2:CreateNetworkInterface"],
    Resource: ec2Arns("network-interface/*"),
    Condition: requestTagged,
  },
  {
    Sid: "TagOnCreateTaggedEMRResources",
    Action: ["ec2:CreateTags"],
    Resource: ec2Arns("network-interface/*", "instance/*", "volume/*", "launch-template/*"),
    Condition: { StringEquals: { "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate", "CreateNetworkInterface"] } },
  },
  { Sid: "TagPlacementGroups", Action: actions("ec2", "CreateTags DeleteTags"), Resource: ec2Arns("placement-group/EMR_*") },
  {
    Sid: "ListActionsForEC2Resources",
    Action: actions(
      "ec2",
      `DescribeAccountAttributes DescribeCapacityReservations DescribeDhcpOptions DescribeImages DescribeInstances DescribeInstanceTypeOfferings
       DescribeLaunchTemplates DescribeNetworkAcls DescribeNetworkInterfaces DescribePlacementGroups DescribeRouteTables DescribeSecurityGroups
       DescribeSubnets DescribeVolumes DescribeVolumeStatus DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcs`,
    ),
    Resource: everything,
  },
  {
    Sid: "CreateDefaultSecurityGroupWithEMRTags",
    Action: ["ec2:CreateSecurityGroup"],
    Resource: ec2Arns("security-group/*"),
    Condition: requestTagged,
  },
  {
    Sid: "CreateDefaultSecurityGroupInVPCWithEMRTags",
    Action: ["ec2:CreateSecurityGroup"],
    Resource: ec2Arns("vpc/*"),
    Condition: resourceTagged,
  },
  {
    Sid: "TagOnCreateDefaultSecurityGroupWithEMRTags",
    Action: ["ec2:CreateTags"],
    Resource: "arn:aws:ec2:*:*:security-group/*",
    Condition: { StringEquals: { [`aws:RequestTag/${tag}`]: "true", "ec2:CreateAction": "CreateSecurityGroup" } },
  },
  {
    Sid: "ManageSecurityGroups",
    Action: actions(
      "ec2",
      "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
    ),
    Resource: everything,
    Condition: resourceTagged,
  },
  { Sid: "CreateEMRPlacementGroups", Action: ["ec2:CreatePlacementGroup"], Resource: "arn:aws:ec2:*:*:placement-group/EMR_*" },
  { Sid: "DeletePlacementGroups", Action: ["ec2:DeletePlacementGroup"], Resource: everything },
  {
    Sid: "AutoScaling",
    Action: actions(
      "application-autoscaling",
      "DeleteScalingPolicy DeregisterScalableTarget DescribeScalableTargets DescribeScalingPolicies PutScalingPolicy RegisterScalableTarget",
    ),
    Resource: everything,
  },
  { Sid: "ResourceGroupsForCapacityReservations", Action: ["resource-groups:ListGroupResources"], Resource: everything },
  {
    Sid: "AutoScalingCloudWatch",
    Action: actions("cloudwatch", "PutMetricAlarm DeleteAlarms DescribeAlarms"),
    Resource: "arn:aws:cloudwatch:*:*:alarm:*_EMR_Auto_Scaling",
  },
  passRole("PassRoleForAutoScaling", "EMR_AutoScaling_DefaultRole", "application-autoscaling.amazonaws.com"),
  passRole("PassRoleForEC2", "EMR_EC2_DefaultRole", "ec2.amazonaws.com"),
];

const emrFullAccessV2: Statement[] = [
  { Sid: "RunJobFlowExplicitlyWithEMRManagedTag", Action: ["elasticmapreduce:RunJobFlow"], Resource: everything, Condition: requestTagged },
  {
    Sid: "ElasticMapReduceActions",
    Action: actions(
      "elasticmapreduce",
      `AddInstanceFleet AddInstanceGroups AddJobFlowSteps AddTags CancelSteps CreateEditor CreatePersistentAppUI CreateSecurityConfiguration
       DeleteEditor DeleteSecurityConfiguration DescribePersistentAppUI GetPersistentAppUIPresignedURL ModifyCluster ModifyInstanceFleet
       ModifyInstanceGroups OpenEditorInConsole PutAutoScalingPolicy PutBlockPublicAccessConfiguration PutManagedScalingPolicy
       RemoveAutoScalingPolicy RemoveManagedScalingPolicy RemoveTags SetTerminationProtection StartEditor StopEditor TerminateJobFlows
       ${emrReadActions}`,
    ),
    Resource: everything,
  },
  { Sid: "ViewMetricsInEMRConsole", Action: ["cloudwatch:GetMetricStatistics"], Resource: everything },
  passRole("PassRoleForElasticMapReduce", "EMR_DefaultRole_V2", "elasticmapreduce.amazonaws.com"),
  passRole("PassRoleForEC2", "EMR_EC2_DefaultRole", "ec2.amazonaws.com"),
  passRole("PassRoleForAutoScaling", "EMR_AutoScaling_DefaultRole", "application-autoscaling.amazonaws.com"),
  {
    Sid: "ElasticMapReduceServiceLinkedRole",
    Action: "iam:CreateServiceLinkedRole",
    Resource: "arn:aws:iam::*:role/aws-service-role/elasticmapreduce.amazonaws.com*/AWSServiceRoleForEMRCleanup*",
    Condition: { StringEquals: { "iam:AWSServiceName": emrServiceNames } },
  },
  {
    Sid: "ConsoleUIActions",
    Action: [
      ...actions(
        "ec2",
        `DescribeAccountAttributes DescribeAvailabilityZones DescribeImages DescribeKeyPairs DescribeNatGateways DescribeRouteTables
         DescribeSecurityGroups DescribeSubnets DescribeVpcs DescribeVpcEndpoints`,
      ),
      "s3:ListAllMyBuckets",
      "iam:ListRoles",
    ],
    Resource: everything,
  },
];

const emrServiceV1: Statement[] = [
  {
    Action: [
      ...actions(
        "ec2",
        `AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CancelSpotInstanceRequests CreateFleet CreateLaunchTemplate
         CreateNetworkInterface CreateSecurityGroup CreateTags DeleteLaunchTemplate DeleteNetworkInterface DeleteSecurityGroup DeleteTags
         DescribeAvailabilityZones DescribeAccountAttributes DescribeDhcpOptions DescribeImages DescribeInstanceStatus DescribeInstances
         DescribeKeyPairs DescribeLaunchTemplates DescribeNetworkAcls DescribeNetworkInterfaces DescribePrefixLists DescribeRouteTables
         DescribeSecurityGroups DescribeSpotInstanceRequests DescribeSpotPriceHistory DescribeSubnets DescribeTags DescribeVpcAttribute
         DescribeVpcEndpoints DescribeVpcEndpointServices DescribeVpcs DetachNetworkInterface ModifyImageAttribute ModifyInstanceAttribute
         RequestSpotInstances RevokeSecurityGroupEgress RunInstances TerminateInstances DeleteVolume DescribeVolumeStatus DescribeVolumes
         DetachVolume`,
      ),
      ...actions("iam", "GetRole GetRolePolicy ListInstanceProfiles ListRolePolicies PassRole"),
      ...actions("s3", "CreateBucket Get* List*"),
      ...actions("sdb", "BatchPutAttributes Select"),
      ...actions("sqs", "CreateQueue Delete* GetQueue* PurgeQueue ReceiveMessage"),
      ...actions("cloudwatch", "PutMetricAlarm DescribeAlarms DeleteAlarms"),
      ...actions(
        "application-autoscaling",
        "RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy DeleteScalingPolicy Describe*",
      ),
    ],
    Resource: everything,
  },
  {
    Action: "iam:CreateServiceLinkedRole",
    Resource: "arn:aws:iam::*:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot*",
    Condition: { StringLike: { "iam:AWSServiceName": "spot.amazonaws.com" } },
  },
];

const emrEc2V1: Statement[] = [
  {
    Action: [
      "cloudwatch:*",
      "dynamodb:*",
      "ec2:Describe*",
      ...actions("elasticmapreduce", "Describe* ListBootstrapActions ListClusters ListInstanceGroups ListInstances ListSteps"),
      ...actions("kinesis", "CreateStream DeleteStream DescribeStream GetRecords GetShardIterator MergeShards PutRecord SplitShard"),
      "rds:Describe*",
      "s3:*",
      "sdb:*",
      "sns:*",
      "sqs:*",
      ...actions(
        "glue",
        `CreateDatabase UpdateDatabase DeleteDatabase GetDatabase GetDatabases CreateTable UpdateTable DeleteTable GetTable GetTables
         GetTableVersions CreatePartition BatchCreatePartition UpdatePartition DeletePartition BatchDeletePartition GetPartition GetPartitions
         BatchGetPartition CreateUserDefinedFunction UpdateUserDefinedFunction DeleteUserDefinedFunction GetUserDefinedFunction
         GetUserDefinedFunctions`,
      ),
    ],
    Resource: everything,
  },
];

const emrFullAccessV1: Statement[] = [
  {
    Action: [
      "cloudwatch:*",
      ...actions("cloudformation", "CreateStack DescribeStackEvents"),
      ...actions(
        "ec2",
        `AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress CancelSpotInstanceRequests CreateRoute CreateSecurityGroup CreateTags
         DeleteRoute DeleteTags DeleteSecurityGroup DescribeAvailabilityZones DescribeAccountAttributes DescribeInstances DescribeKeyPairs
         DescribeRouteTables DescribeSecurityGroups DescribeSpotInstanceRequests DescribeSpotPriceHistory DescribeSubnets DescribeVpcAttribute
         DescribeVpcs DescribeNetworkAcls CreateVpcEndpoint ModifyImageAttribute ModifyInstanceAttribute RequestSpotInstances
         RevokeSecurityGroupEgress RunInstances TerminateInstances`,
      ),
      "elasticmapreduce:*",
      ...actions("iam", "GetPolicy GetPolicyVersion ListRoles PassRole"),
      "kms:List*",
      "s3:*",
      "sdb:*",
    ],
    Resource: everything,
  },
  {
    Action: "iam:CreateServiceLinkedRole",
    Resource: everything,
    Condition: { StringLike: { "iam:AWSServiceName": emrServiceNames } },
  },
];

const allow = (...Action: string[]): Statement[] => [{ Action, Resource: everything }];

/** name, path, description, version, created, updated, statements */
type Entry = [string, string, string, number, string, string, Statement[]];

const entries: Entry[] = [
  [
    "AmazonElasticMapReduceRole",
    servicePath,
    "Default policy for the Amazon Elastic MapReduce service role.",
    10,
    "2015-02-06T18:41:20Z",
    "2020-06-24T22:24:20Z",
    emrServiceV1,
  ],
  [
    "AmazonElasticMapReduceforEC2Role",
    servicePath,
    "Default policy for the Amazon Elastic MapReduce for EC2 service role.",
    3,
    "2015-02-06T18:41:21Z",
    "2017-08-11T23:57:30Z",
    emrEc2V1,
  ],
  [
    "AmazonElasticMapReduceforAutoScalingRole",
    servicePath,
    "Amazon Elastic MapReduce for Auto Scaling. Role to allow Auto Scaling to add and remove instances from your EMR cluster.",
    1,
    "2016-11-18T01:09:10Z",
    "2016-11-18T01:09:10Z",
    allow("cloudwatch:DescribeAlarms", "elasticmapreduce:ListInstanceGroups", "elasticmapreduce:ModifyInstanceGroups"),
  ],
  [
    "AmazonEMRServicePolicy_v2",
    servicePath,
    "This policy is used by Amazon EMR to provision resources that carry its tag.",
    3,
    "2021-03-12T01:11:03Z",
    "2024-05-02T18:43:30Z",
    emrServiceV2,
  ],
  [
    "AmazonEMRCleanupPolicy",
    "/aws-service-role/",
    "Allows the actions that EMR requires to terminate and delete AWS EC2 resources if the EMR service role has lost that ability.",
    3,
    "2017-09-26T23:54:19Z",
    "2020-09-29T21:11:54Z",
    allow(
      ...actions(
        "ec2",
        `DescribeInstances DescribeLaunchTemplates DescribeSpotInstanceRequests DeleteLaunchTemplate ModifyInstanceAttribute TerminateInstances
         CancelSpotInstanceRequests DeleteNetworkInterface DescribeInstanceAttribute DescribeVolumeStatus DescribeVolumes DetachVolume
         DeleteVolume DescribePlacementGroups DeletePlacementGroup`,
      ),
    ),
  ],
  [
    "AmazonElasticMapReduceFullAccess",
    "/",
    "Provides full access to Amazon Elastic MapReduce and underlying services that it requires such as EC2 and S3.",
    7,
    "2015-02-06T18:40:22Z",
    "2019-10-11T15:19:30Z",
    emrFullAccessV1,
  ],
  [
    "AmazonElasticMapReduceReadOnlyAccess",
    "/",
    "Provides read only access to Amazon Elastic MapReduce.",
    3,
    "2015-02-06T18:40:23Z",
    "2020-07-29T23:14:09Z",
    allow(
      ...actions("elasticmapreduce", "Describe* List* GetBlockPublicAccessConfiguration ViewEventsFromAllClustersInConsole"),
      ...actions("s3", "GetObject ListAllMyBuckets ListBucket"),
      "sdb:Select",
      "cloudwatch:GetMetricStatistics",
    ),
  ],
  [
    "AmazonEMRFullAccessPolicy_v2",
    "/",
    "Provides full access to Amazon EMR, for clusters that carry its tag.",
    5,
    "2021-03-12T01:50:29Z",
    "2025-03-27T22:07:07Z",
    emrFullAccessV2,
  ],
  [
    "AmazonEMRReadOnlyAccessPolicy_v2",
    "/",
    "Provides read only access to Amazon EMR and its CloudWatch metrics.",
    3,
    "2021-03-12T01:39:13Z",
    "2023-08-02T19:15:33Z",
    [
      { Sid: "ElasticMapReduceActions", Action: actions("elasticmapreduce", emrReadActions), Resource: everything },
      { Sid: "ViewMetricsInEMRConsole", Action: ["cloudwatch:GetMetricStatistics"], Resource: everything },
    ],
  ],
  [
    "AdministratorAccess",
    "/",
    "Provides full access to AWS services and resources.",
    1,
    "2015-02-06T18:39:46Z",
    "2015-02-06T18:39:46Z",
    [{ Action: "*", Resource: everything }],
  ],
  [
    "PowerUserAccess",
    "/",
    "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
    12,
    "2015-02-06T18:39:47Z",
    "2026-02-12T17:59:14Z",
    [
      { NotAction: ["iam:*", "organizations:*", "account:*"], Resource: everything },
      ...allow(
        ...actions("account", "GetAccountInformation GetGovCloudAccountInformation GetPrimaryEmail ListRegions"),
        ...actions("iam", "CreateServiceLinkedRole DeleteServiceLinkedRole ListRoles"),
        ...actions("organizations", "DescribeEffectivePolicy DescribeOrganization"),
      ),
    ],
  ],
  [
    "ReadOnlyAccess",
    "/",
    "Provides read-only access to the services that Howdah has. AWS's own has many more.",
    1,
    "2015-02-06T18:39:48Z",
    "2015-02-06T18:39:48Z",
    allow(
      ...actions("cloudtrail", "Describe* Get* List* LookupEvents"),
      ...actions("cloudwatch", "Describe* Get* List*"),
      ...actions("ec2", "Describe* Get* List* SearchTransitGatewayRoutes"),
      ...actions("elasticmapreduce", "Describe* GetBlockPublicAccessConfiguration List* ViewEventsFromAllClustersInConsole"),
      ...actions("iam", "Generate* Get* List* Simulate*"),
      ...actions("kms", "Describe* Get* List*"),
      ...actions("logs", "Describe* FilterLogEvents Get* ListTagsLogGroup StartQuery StopQuery TestMetricFilter"),
      ...actions("s3", "DescribeJob Get* List*"),
      ...actions("sts", "GetAccessKeyInfo GetCallerIdentity GetSessionToken"),
      ...actions("tag", "Get*"),
    ),
  ],
  [
    "AmazonS3FullAccess",
    "/",
    "Provides full access to all buckets via the AWS Management Console.",
    2,
    "2015-02-06T18:40:58Z",
    "2021-09-27T20:16:37Z",
    allow("s3:*", "s3-object-lambda:*"),
  ],
  [
    "AmazonS3ReadOnlyAccess",
    "/",
    "Provides read only access to all buckets via the AWS Management Console.",
    3,
    "2015-02-06T18:40:59Z",
    "2023-08-10T21:31:39Z",
    allow(...actions("s3", "Get* List* Describe*"), ...actions("s3-object-lambda", "Get* List*")),
  ],
  [
    "AmazonEC2FullAccess",
    "/",
    "Provides full access to Amazon EC2 via the AWS Management Console.",
    5,
    "2015-02-06T18:40:15Z",
    "2018-11-27T02:16:56Z",
    [
      ...allow("ec2:*"),
      ...allow("elasticloadbalancing:*"),
      ...allow("cloudwatch:*"),
      ...allow("autoscaling:*"),
      {
        Action: "iam:CreateServiceLinkedRole",
        Resource: everything,
        Condition: {
          StringEquals: {
            "iam:AWSServiceName": ["autoscaling", "ec2scheduled", "elasticloadbalancing", "spot", "spotfleet", "transitgateway"].map(
              (service) => `${service}.amazonaws.com`,
            ),
          },
        },
      },
    ],
  ],
  [
    "IAMFullAccess",
    "/",
    "Provides full access to IAM via the AWS Management Console.",
    2,
    "2015-02-06T18:40:38Z",
    "2019-06-21T19:40:00Z",
    allow(
      "iam:*",
      ...actions(
        "organizations",
        `DescribeAccount DescribeOrganization DescribeOrganizationalUnit DescribePolicy ListChildren ListParents ListPoliciesForTarget
         ListRoots ListPolicies ListTargetsForPolicy`,
      ),
    ),
  ],
  [
    "IAMReadOnlyAccess",
    "/",
    "Provides read only access to IAM via the AWS Management Console.",
    4,
    "2015-02-06T18:40:39Z",
    "2018-01-25T19:11:27Z",
    allow(
      ...actions(
        "iam",
        "GenerateCredentialReport GenerateServiceLastAccessedDetails Get* List* SimulateCustomPolicy SimulatePrincipalPolicy",
      ),
    ),
  ],
];

/** A unique id in IAM's form that is the same in every Howdah. */
function policyId(name: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return `ANPA${[...createHash("sha256").update(name).digest()].slice(0, 17).reduce((text, byte) => text + alphabet[byte % 32], "")}`;
}

function policy([name, path, description, version, created, updated, statements]: Entry): AwsManagedPolicy {
  const Statement = statements.map(({ Sid, ...rest }) => ({ ...(Sid ? { Sid } : {}), Effect: "Allow", ...rest }));
  return {
    name,
    path,
    arn: `arn:aws:iam::aws:policy${path}${name}`,
    id: policyId(name),
    description,
    version,
    createdAt: Date.parse(created),
    updatedAt: Date.parse(updated),
    document: JSON.stringify({ Version: "2012-10-17", Statement }),
  };
}

/** By name. */
export const awsManagedPolicies: readonly AwsManagedPolicy[] = entries.map(policy).toSorted((a, b) => (a.name < b.name ? -1 : 1));

const byArn = new Map(awsManagedPolicies.map((one) => [one.arn, one]));

export const awsManagedPolicy = (arn: string): AwsManagedPolicy | undefined => byArn.get(arn);
