// Printed by scripts/generate-contract.ts from models/kinesis.json (botocore 1.44.5). Do not edit.
import model from '../../models/kinesis.json' with { type: 'json' }
import { operationContract, type ServiceContract, type ServiceModel } from '../contract.ts'
import type { Payload } from '../payload.ts'

export interface AcknowledgeDeadLetterQueueRecordsErrorEntry {
  ReceiptHandle: string
  ErrorCode: string
  ErrorMessage?: string
}

export interface AcknowledgeDeadLetterQueueRecordsInput {
  QueueARN: string
  Entries: readonly AcknowledgeDeadLetterQueueRecordsRequestEntry[]
}

export interface AcknowledgeDeadLetterQueueRecordsOutput {
  Successful: readonly AcknowledgeDeadLetterQueueRecordsResultEntry[]
  Failed: readonly AcknowledgeDeadLetterQueueRecordsErrorEntry[]
}

export interface AcknowledgeDeadLetterQueueRecordsRequestEntry {
  ReceiptHandle: string
}

export interface AcknowledgeDeadLetterQueueRecordsResultEntry {
  ReceiptHandle: string
}

export interface AcknowledgeQueueRecordsErrorEntry {
  ReceiptHandle: string
  ErrorCode: string
  ErrorMessage?: string
}

export interface AcknowledgeQueueRecordsInput {
  QueueARN: string
  Entries: readonly AcknowledgeQueueRecordsRequestEntry[]
}

export interface AcknowledgeQueueRecordsOutput {
  Successful: readonly AcknowledgeQueueRecordsResultEntry[]
  Failed: readonly AcknowledgeQueueRecordsErrorEntry[]
}

export interface AcknowledgeQueueRecordsRequestEntry {
  ReceiptHandle: string
}

export interface AcknowledgeQueueRecordsResultEntry {
  ReceiptHandle: string
}

export interface AddTagsToStreamInput {
  StreamName?: string
  Tags: { [key: string]: string }
  StreamARN?: string
  StreamId?: string
}

export interface ChannelDescription {
  ChannelName: string
  ChannelARN: string
  ChannelId: string
  ChannelStatus: ChannelStatus
  ChannelStatusReason?: string
  ChannelCreationTimestamp: number
  ServiceExecutionRoleARN: string
  StreamConfigurationList: readonly ChannelStreamDescription[]
  S3DestinationConfiguration?: S3DestinationDescription
  S3TablesDestinationConfiguration?: S3TablesDestinationDescription
  EncryptionConfiguration?: ChannelEncryptionConfiguration
  LoggingConfiguration: ChannelLoggingConfiguration
}

export type ChannelDestinationType = 'S3' | 'S3_TABLES'

export interface ChannelEncryptionConfiguration {
  EncryptionType: ChannelEncryptionType
  KeyId: string
}

export type ChannelEncryptionType = 'KMS'

export interface ChannelLoggingConfiguration {
  CloudWatchLogs: CloudWatchLogs
}

export interface ChannelLoggingUpdateInput {
  CloudWatchLogs: CloudWatchLogsUpdateInput
}

export type ChannelStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING' | 'FAILED'

export interface ChannelStreamConfiguration {
  StreamARN: string
  RecordConfiguration: RecordConfiguration
}

export interface ChannelStreamDescription {
  StreamARN: string
  StreamCreationTimestamp: number
  RecordConfiguration: RecordConfiguration
}

export interface ChannelStreamIdentifier {
  StreamARN: string
  StreamCreationTimestamp: number
}

export interface ChannelSummary {
  ChannelName: string
  ChannelARN: string
  ChannelId: string
  ChannelStatus: ChannelStatus
  ChannelStatusReason?: string
  ChannelCreationTimestamp: number
  ChannelDestinationType: ChannelDestinationType
  Streams: readonly ChannelStreamIdentifier[]
}

export interface ChildShard {
  ShardId: string
  ParentShards: readonly string[]
  HashKeyRange: HashKeyRange
}

export interface CloudWatchLogs {
  Enabled: boolean
  LogGroupName?: string
  LogStreamName?: string
}

export interface CloudWatchLogsUpdateInput {
  Enabled: boolean
  LogGroupName?: string
  LogStreamName?: string
}

export interface Consumer {
  ConsumerName: string
  ConsumerARN: string
  ConsumerStatus: ConsumerStatus
  ConsumerCreationTimestamp: number
}

export interface ConsumerDescription {
  ConsumerName: string
  ConsumerARN: string
  ConsumerStatus: ConsumerStatus
  ConsumerCreationTimestamp: number
  StreamARN: string
}

export type ConsumerStatus = 'CREATING' | 'DELETING' | 'ACTIVE'

export interface CreateChannelInput {
  ChannelName: string
  ServiceExecutionRoleARN: string
  StreamConfigurationList: readonly ChannelStreamConfiguration[]
  S3DestinationConfiguration?: S3DestinationConfiguration
  S3TablesDestinationConfiguration?: S3TablesDestinationConfiguration
  EncryptionConfiguration?: ChannelEncryptionConfiguration
  Tags?: { [key: string]: string }
  LoggingConfiguration?: ChannelLoggingConfiguration
}

export interface CreateChannelOutput {
  ChannelDescription: ChannelDescription
}

export interface CreateQueueInput {
  QueueName: string
  StreamConfigurationList: readonly QueueStreamConfiguration[]
  QueueAttributes?: QueueAttributes
  Tags?: { [key: string]: string }
}

export interface CreateQueueOutput {
  QueueDescription: QueueDescription
}

export interface CreateStreamInput {
  StreamName: string
  ShardCount?: number
  StreamModeDetails?: StreamModeDetails
  Tags?: { [key: string]: string }
  WarmThroughputMiBps?: number
  MaxRecordSizeInKiB?: number
  RecordDistributionStrategy?: RecordDistributionStrategy
}

export interface DeadLetterConfiguration {
  TargetType: TargetType
  MaxReceiveCount?: number
}

export interface DeadLetterQueueS3Configuration {
  BucketARN: string
  ExpectedBucketOwner: string
  ErrorOutputPrefix?: string
}

export interface DecreaseStreamRetentionPeriodInput {
  StreamName?: string
  RetentionPeriodHours: number
  StreamARN?: string
  StreamId?: string
}

export interface DeleteChannelInput {
  ChannelARN: string
}

export interface DeleteQueueInput {
  QueueARN: string
}

export interface DeleteResourcePolicyInput {
  ResourceARN: string
  StreamId?: string
}

export interface DeleteStreamInput {
  StreamName?: string
  EnforceConsumerDeletion?: boolean
  StreamARN?: string
  StreamId?: string
}

export interface DeregisterStreamConsumerInput {
  StreamARN?: string
  ConsumerName?: string
  ConsumerARN?: string
  StreamId?: string
}

export type DescribeAccountSettingsInput = { [member: string]: never }

export interface DescribeAccountSettingsOutput {
  MinimumThroughputBillingCommitment?: MinimumThroughputBillingCommitmentOutput
}

export interface DescribeChannelInput {
  ChannelARN: string
}

export interface DescribeChannelOutput {
  ChannelDescription: ChannelDescription
}

export type DescribeLimitsInput = { [member: string]: never }

export interface DescribeLimitsOutput {
  ShardLimit: number
  OpenShardCount: number
  OnDemandStreamCount: number
  OnDemandStreamCountLimit: number
  ChannelCount?: number
  ChannelCountLimit?: number
}

export interface DescribeQueueInput {
  QueueARN: string
}

export interface DescribeQueueOutput {
  QueueDescription: QueueDescription
}

export interface DescribeStreamConsumerInput {
  StreamARN?: string
  ConsumerName?: string
  ConsumerARN?: string
  StreamId?: string
}

export interface DescribeStreamConsumerOutput {
  ConsumerDescription: ConsumerDescription
}

export interface DescribeStreamInput {
  StreamName?: string
  Limit?: number
  ExclusiveStartShardId?: string
  StreamARN?: string
  StreamId?: string
}

export interface DescribeStreamOutput {
  StreamDescription: StreamDescription
}

export interface DescribeStreamSummaryInput {
  StreamName?: string
  StreamARN?: string
  StreamId?: string
}

export interface DescribeStreamSummaryOutput {
  StreamDescriptionSummary: StreamDescriptionSummary
}

export interface DisableEnhancedMonitoringInput {
  StreamName?: string
  ShardLevelMetrics: readonly MetricsName[]
  StreamARN?: string
  StreamId?: string
}

export interface EnableEnhancedMonitoringInput {
  StreamName?: string
  ShardLevelMetrics: readonly MetricsName[]
  StreamARN?: string
  StreamId?: string
}

export type EncryptionType = 'NONE' | 'KMS'

export interface EnhancedMetrics {
  ShardLevelMetrics?: readonly MetricsName[]
}

export interface EnhancedMonitoringOutput {
  StreamName?: string
  CurrentShardLevelMetrics?: readonly MetricsName[]
  DesiredShardLevelMetrics?: readonly MetricsName[]
  StreamARN?: string
}

export interface GetRecordsInput {
  ShardIterator: string
  Limit?: number
  StreamARN?: string
  StreamId?: string
  DryRun?: boolean
}

export interface GetRecordsOutput {
  Records: readonly Record[]
  NextShardIterator?: string
  MillisBehindLatest?: number
  ChildShards?: readonly ChildShard[]
}

export interface GetResourcePolicyInput {
  ResourceARN: string
  StreamId?: string
}

export interface GetResourcePolicyOutput {
  Policy: string
}

export interface GetShardIteratorInput {
  StreamName?: string
  ShardId: string
  ShardIteratorType: ShardIteratorType
  StartingSequenceNumber?: string
  Timestamp?: number
  StreamARN?: string
  StreamId?: string
  DryRun?: boolean
}

export interface GetShardIteratorOutput {
  ShardIterator?: string
}

export interface HashKeyRange {
  StartingHashKey: string
  EndingHashKey: string
}

export interface IncreaseStreamRetentionPeriodInput {
  StreamName?: string
  RetentionPeriodHours: number
  StreamARN?: string
  StreamId?: string
}

export interface ListChannelsInput {
  StreamFilter?: readonly StreamFilter[]
  MaxResults?: number
  NextToken?: string
}

export interface ListChannelsOutput {
  ChannelSummaries: readonly ChannelSummary[]
  NextToken?: string
}

export interface ListQueuesInput {
  MaxResults?: number
  NextToken?: string
  StreamFilter?: readonly QueueStreamFilter[]
}

export interface ListQueuesOutput {
  QueueSummaries: readonly QueueSummary[]
  NextToken?: string
}

export interface ListShardsInput {
  StreamName?: string
  NextToken?: string
  ExclusiveStartShardId?: string
  MaxResults?: number
  StreamCreationTimestamp?: number
  ShardFilter?: ShardFilter
  StreamARN?: string
  StreamId?: string
}

export interface ListShardsOutput {
  Shards?: readonly Shard[]
  NextToken?: string
}

export interface ListStreamConsumersInput {
  StreamARN: string
  NextToken?: string
  MaxResults?: number
  StreamCreationTimestamp?: number
  StreamId?: string
}

export interface ListStreamConsumersOutput {
  Consumers?: readonly Consumer[]
  NextToken?: string
}

export interface ListStreamsInput {
  Limit?: number
  ExclusiveStartStreamName?: string
  NextToken?: string
}

export interface ListStreamsOutput {
  StreamNames: readonly string[]
  HasMoreStreams: boolean
  NextToken?: string
  StreamSummaries?: readonly StreamSummary[]
}

export interface ListTagsForResourceInput {
  ResourceARN: string
  StreamId?: string
}

export interface ListTagsForResourceOutput {
  Tags?: readonly Tag[]
}

export interface ListTagsForStreamInput {
  StreamName?: string
  ExclusiveStartTagKey?: string
  Limit?: number
  StreamARN?: string
  StreamId?: string
}

export interface ListTagsForStreamOutput {
  Tags: readonly Tag[]
  HasMoreTags: boolean
}

export interface MergeShardsInput {
  StreamName?: string
  ShardToMerge: string
  AdjacentShardToMerge: string
  StreamARN?: string
  StreamId?: string
}

export type MetricsName =
  | 'IncomingBytes'
  | 'IncomingRecords'
  | 'OutgoingBytes'
  | 'OutgoingRecords'
  | 'WriteProvisionedThroughputExceeded'
  | 'ReadProvisionedThroughputExceeded'
  | 'IteratorAgeMilliseconds'
  | 'ALL'

export interface MinimumThroughputBillingCommitmentInput {
  Status: MinimumThroughputBillingCommitmentInputStatus
}

export type MinimumThroughputBillingCommitmentInputStatus = 'ENABLED' | 'DISABLED'

export interface MinimumThroughputBillingCommitmentOutput {
  Status: MinimumThroughputBillingCommitmentOutputStatus
  StartedAt?: number
  EndedAt?: number
  EarliestAllowedEndAt?: number
}

export type MinimumThroughputBillingCommitmentOutputStatus =
  | 'ENABLED'
  | 'DISABLED'
  | 'ENABLED_UNTIL_EARLIEST_ALLOWED_END'

export interface PartitionField {
  Transform: PartitionTransform
  SourceName: string
}

export interface PartitionSpec {
  PartitionFields: readonly PartitionField[]
}

export type PartitionTransform = 'TIME_HOUR'

export interface PutRecordInput {
  StreamName?: string
  Data: Payload
  PartitionKey?: string
  ExplicitHashKey?: string
  SequenceNumberForOrdering?: string
  StreamARN?: string
  StreamId?: string
  DryRun?: boolean
}

export interface PutRecordOutput {
  ShardId: string
  SequenceNumber: string
  EncryptionType?: EncryptionType
}

export interface PutRecordsInput {
  Records: readonly PutRecordsRequestEntry[]
  StreamName?: string
  StreamARN?: string
  StreamId?: string
  DryRun?: boolean
}

export interface PutRecordsOutput {
  FailedRecordCount?: number
  Records: readonly PutRecordsResultEntry[]
  EncryptionType?: EncryptionType
}

export interface PutRecordsRequestEntry {
  Data: Payload
  ExplicitHashKey?: string
  PartitionKey?: string
}

export interface PutRecordsResultEntry {
  SequenceNumber?: string
  ShardId?: string
  ErrorCode?: string
  ErrorMessage?: string
}

export interface PutResourcePolicyInput {
  ResourceARN: string
  StreamId?: string
  Policy: string
}

export interface QueueAttributes {
  VisibilityTimeoutSeconds?: number
  DeadLetterConfiguration?: DeadLetterConfiguration
}

export interface QueueDescription {
  QueueName: string
  QueueARN: string
  QueueStatus: QueueStatus
  QueueCreationTimestamp: number
  StreamConfigurationList: readonly QueueStreamConfiguration[]
  QueueAttributes?: QueueAttributes
}

export interface QueueRecord {
  ReceiptHandle: string
  RecordId: string
  PartitionKey?: string
  Data: Payload
  ApproximateArrivalTimestamp: number
  FirstReceiveTimestamp: number
  ReceiveCount: number
}

export interface QueueStartingPosition {
  Type: QueueStartingPositionType
  Timestamp?: number
}

export type QueueStartingPositionType = 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP'

export type QueueStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING'

export interface QueueStreamConfiguration {
  StreamARN: string
  StartingPosition?: QueueStartingPosition
}

export interface QueueStreamFilter {
  StreamARN: string
  StreamCreationTimestamp?: number
}

export interface QueueStreamIdentifier {
  StreamARN: string
  StreamCreationTimestamp: number
}

export interface QueueSummary {
  QueueName: string
  QueueARN: string
  QueueStatus: QueueStatus
  QueueCreationTimestamp: number
  Streams: readonly QueueStreamIdentifier[]
}

export interface ReceiveDeadLetterQueueRecordsInput {
  QueueARN: string
  Limit?: number
  WaitTimeSeconds?: number
  VisibilityTimeoutSeconds?: number
}

export interface ReceiveDeadLetterQueueRecordsOutput {
  QueueRecords: readonly QueueRecord[]
}

export interface ReceiveQueueRecordsInput {
  QueueARN: string
  Limit?: number
  WaitTimeSeconds?: number
  VisibilityTimeoutSeconds?: number
}

export interface ReceiveQueueRecordsOutput {
  QueueRecords: readonly QueueRecord[]
}

export interface Record {
  SequenceNumber: string
  ApproximateArrivalTimestamp?: number
  Data: Payload
  PartitionKey?: string
  EncryptionType?: EncryptionType
}

export interface RecordConfiguration {
  RecordFormatType: RecordFormatType
  GSRSchemaARN?: string
}

export type RecordDistributionStrategy = 'AUTO' | 'USER_PARTITION_KEY'

export type RecordFormatType = 'GSR_JSON' | 'JSON' | 'STRING' | 'BYTE_ARRAY'

export interface RegisterStreamConsumerInput {
  StreamARN: string
  ConsumerName: string
  StreamId?: string
  Tags?: { [key: string]: string }
}

export interface RegisterStreamConsumerOutput {
  Consumer: Consumer
}

export interface RemoveTagsFromStreamInput {
  StreamName?: string
  TagKeys: readonly string[]
  StreamARN?: string
  StreamId?: string
}

export interface RestoreDeadLetterQueueRecordsErrorEntry {
  ReceiptHandle: string
  ErrorCode: string
  ErrorMessage?: string
}

export interface RestoreDeadLetterQueueRecordsInput {
  QueueARN: string
  Entries: readonly RestoreDeadLetterQueueRecordsRequestEntry[]
}

export interface RestoreDeadLetterQueueRecordsOutput {
  Successful: readonly RestoreDeadLetterQueueRecordsResultEntry[]
  Failed: readonly RestoreDeadLetterQueueRecordsErrorEntry[]
}

export interface RestoreDeadLetterQueueRecordsRequestEntry {
  ReceiptHandle: string
}

export interface RestoreDeadLetterQueueRecordsResultEntry {
  ReceiptHandle: string
}

export type S3CompressionType = 'NONE' | 'GZIP' | 'ZSTD'

export interface S3DestinationConfiguration {
  DataFreshnessInSeconds?: number
  DeadLetterQueueS3Configuration?: DeadLetterQueueS3Configuration
  StorageConfiguration: S3StorageConfiguration
}

export interface S3DestinationDescription {
  DataFreshnessInSeconds: number
  DeadLetterQueueS3Configuration: DeadLetterQueueS3Configuration
  StorageConfiguration: S3StorageConfiguration
}

export interface S3DestinationUpdateInput {
  DataFreshnessInSeconds: number
}

export type S3StorageClass = 'STANDARD' | 'INTELLIGENT_TIERING' | 'GLACIER_IR'

export interface S3StorageConfiguration {
  BucketARN: string
  ExpectedBucketOwner: string
  OutputKeyTemplate?: string
  StorageClass?: S3StorageClass
  CompressionType: S3CompressionType
}

export type S3TablesCompressionType = 'NONE' | 'ZSTD' | 'SNAPPY'

export interface S3TablesConfiguration {
  TableBucketARN: string
  Namespace: string
  TableName: string
  CompressionType: S3TablesCompressionType
  PartitionSpec?: PartitionSpec
}

export interface S3TablesDestinationConfiguration {
  DataFreshnessInSeconds?: number
  DeadLetterQueueS3Configuration: DeadLetterQueueS3Configuration
  S3TablesConfigurationList: readonly S3TablesConfiguration[]
}

export interface S3TablesDestinationDescription {
  DataFreshnessInSeconds: number
  DeadLetterQueueS3Configuration: DeadLetterQueueS3Configuration
  S3TablesConfigurationList: readonly S3TablesConfiguration[]
}

export interface S3TablesDestinationUpdateInput {
  DataFreshnessInSeconds: number
}

export type ScalingType = 'UNIFORM_SCALING'

export interface SequenceNumberRange {
  StartingSequenceNumber: string
  EndingSequenceNumber?: string
}

export interface Shard {
  ShardId: string
  ParentShardId?: string
  AdjacentParentShardId?: string
  HashKeyRange: HashKeyRange
  SequenceNumberRange: SequenceNumberRange
}

export interface ShardFilter {
  Type: ShardFilterType
  ShardId?: string
  Timestamp?: number
}

export type ShardFilterType =
  | 'AFTER_SHARD_ID'
  | 'AT_TRIM_HORIZON'
  | 'FROM_TRIM_HORIZON'
  | 'AT_LATEST'
  | 'AT_TIMESTAMP'
  | 'FROM_TIMESTAMP'

export type ShardIteratorType =
  | 'AT_SEQUENCE_NUMBER'
  | 'AFTER_SEQUENCE_NUMBER'
  | 'TRIM_HORIZON'
  | 'LATEST'
  | 'AT_TIMESTAMP'

export interface SplitShardInput {
  StreamName?: string
  ShardToSplit: string
  NewStartingHashKey: string
  StreamARN?: string
  StreamId?: string
}

export interface StartStreamEncryptionInput {
  StreamName?: string
  EncryptionType: EncryptionType
  KeyId: string
  StreamARN?: string
  StreamId?: string
}

export interface StartingPosition {
  Type: ShardIteratorType
  SequenceNumber?: string
  Timestamp?: number
}

export interface StopStreamEncryptionInput {
  StreamName?: string
  EncryptionType: EncryptionType
  KeyId: string
  StreamARN?: string
  StreamId?: string
}

export interface StreamDescription {
  StreamName: string
  StreamARN: string
  StreamStatus: StreamStatus
  StreamModeDetails?: StreamModeDetails
  Shards: readonly Shard[]
  HasMoreShards: boolean
  RetentionPeriodHours: number
  StreamCreationTimestamp: number
  EnhancedMonitoring: readonly EnhancedMetrics[]
  EncryptionType?: EncryptionType
  KeyId?: string
}

export interface StreamDescriptionSummary {
  StreamName: string
  StreamARN: string
  StreamId?: string
  StreamStatus: StreamStatus
  StreamModeDetails?: StreamModeDetails
  RetentionPeriodHours: number
  StreamCreationTimestamp: number
  EnhancedMonitoring: readonly EnhancedMetrics[]
  EncryptionType?: EncryptionType
  KeyId?: string
  OpenShardCount: number
  ConsumerCount?: number
  WarmThroughput?: WarmThroughputObject
  MaxRecordSizeInKiB?: number
  ChannelCount?: number
  RecordDistributionStrategy?: RecordDistributionStrategy
  QueueCount?: number
}

export interface StreamFilter {
  StreamARN: string
  StreamCreationTimestamp?: number
}

export type StreamMode = 'PROVISIONED' | 'ON_DEMAND'

export interface StreamModeDetails {
  StreamMode: StreamMode
}

export type StreamStatus = 'CREATING' | 'DELETING' | 'ACTIVE' | 'UPDATING'

export interface StreamSummary {
  StreamName: string
  StreamARN: string
  StreamStatus: StreamStatus
  StreamModeDetails?: StreamModeDetails
  StreamCreationTimestamp?: number
}

export interface SubscribeToShardEvent {
  Records: readonly Record[]
  ContinuationSequenceNumber: string
  MillisBehindLatest: number
  ChildShards?: readonly ChildShard[]
}

export interface SubscribeToShardEventStream {
  SubscribeToShardEvent: SubscribeToShardEvent
}

export interface SubscribeToShardInput {
  ConsumerARN: string
  StreamId?: string
  ShardId: string
  StartingPosition: StartingPosition
  DryRun?: boolean
}

export interface SubscribeToShardOutput {
  EventStream: AsyncIterable<SubscribeToShardEventStream>
}

export interface Tag {
  Key: string
  Value?: string
}

export interface TagResourceInput {
  Tags: { [key: string]: string }
  ResourceARN: string
  StreamId?: string
}

export type TargetType = 'BUILT_IN' | 'NONE'

export interface UntagResourceInput {
  TagKeys: readonly string[]
  ResourceARN: string
  StreamId?: string
}

export interface UpdateAccountSettingsInput {
  MinimumThroughputBillingCommitment: MinimumThroughputBillingCommitmentInput
}

export interface UpdateAccountSettingsOutput {
  MinimumThroughputBillingCommitment?: MinimumThroughputBillingCommitmentOutput
}

export interface UpdateChannelInput {
  ChannelARN: string
  S3DestinationConfiguration?: S3DestinationUpdateInput
  S3TablesDestinationConfiguration?: S3TablesDestinationUpdateInput
  LoggingConfiguration?: ChannelLoggingUpdateInput
}

export interface UpdateChannelOutput {
  ChannelDescription: ChannelDescription
}

export interface UpdateDeadLetterQueueRecordsVisibilityErrorEntry {
  ReceiptHandle: string
  ErrorCode: string
  ErrorMessage?: string
}

export interface UpdateDeadLetterQueueRecordsVisibilityInput {
  QueueARN: string
  Entries: readonly UpdateDeadLetterQueueRecordsVisibilityRequestEntry[]
}

export interface UpdateDeadLetterQueueRecordsVisibilityOutput {
  Successful: readonly UpdateDeadLetterQueueRecordsVisibilityResultEntry[]
  Failed: readonly UpdateDeadLetterQueueRecordsVisibilityErrorEntry[]
}

export interface UpdateDeadLetterQueueRecordsVisibilityRequestEntry {
  ReceiptHandle: string
  VisibilityTimeoutSeconds: number
}

export interface UpdateDeadLetterQueueRecordsVisibilityResultEntry {
  ReceiptHandle: string
}

export interface UpdateMaxRecordSizeInput {
  StreamARN?: string
  StreamId?: string
  MaxRecordSizeInKiB: number
}

export interface UpdateQueueInput {
  QueueARN: string
  QueueAttributes: QueueAttributes
}

export interface UpdateQueueOutput {
  QueueDescription: QueueDescription
}

export interface UpdateQueueRecordsVisibilityErrorEntry {
  ReceiptHandle: string
  ErrorCode: string
  ErrorMessage?: string
}

export interface UpdateQueueRecordsVisibilityInput {
  QueueARN: string
  Entries: readonly UpdateQueueRecordsVisibilityRequestEntry[]
}

export interface UpdateQueueRecordsVisibilityOutput {
  Successful: readonly UpdateQueueRecordsVisibilityResultEntry[]
  Failed: readonly UpdateQueueRecordsVisibilityErrorEntry[]
}

export interface UpdateQueueRecordsVisibilityRequestEntry {
  ReceiptHandle: string
  VisibilityTimeoutSeconds: number
}

export interface UpdateQueueRecordsVisibilityResultEntry {
  ReceiptHandle: string
}

export interface UpdateShardCountInput {
  StreamName?: string
  TargetShardCount: number
  ScalingType: ScalingType
  StreamARN?: string
  StreamId?: string
}

export interface UpdateShardCountOutput {
  StreamName?: string
  CurrentShardCount?: number
  TargetShardCount?: number
  StreamARN?: string
}

export interface UpdateStreamModeInput {
  StreamARN: string
  StreamId?: string
  StreamModeDetails: StreamModeDetails
  WarmThroughputMiBps?: number
}

export interface UpdateStreamRecordDistributionStrategyInput {
  StreamARN: string
  StreamId?: string
  RecordDistributionStrategy: RecordDistributionStrategy
}

export interface UpdateStreamWarmThroughputInput {
  StreamARN?: string
  StreamName?: string
  StreamId?: string
  WarmThroughputMiBps: number
}

export interface UpdateStreamWarmThroughputOutput {
  StreamARN?: string
  StreamName?: string
  WarmThroughput?: WarmThroughputObject
}

export interface WarmThroughputObject {
  TargetMiBps?: number
  CurrentMiBps?: number
}

const service: ServiceContract = { name: 'kinesis', model: model as unknown as ServiceModel }

export const kinesis = {
  service,
  AcknowledgeDeadLetterQueueRecords: operationContract<
    AcknowledgeDeadLetterQueueRecordsInput,
    AcknowledgeDeadLetterQueueRecordsOutput
  >(service, 'AcknowledgeDeadLetterQueueRecords'),
  AcknowledgeQueueRecords: operationContract<
    AcknowledgeQueueRecordsInput,
    AcknowledgeQueueRecordsOutput
  >(service, 'AcknowledgeQueueRecords'),
  AddTagsToStream: operationContract<AddTagsToStreamInput, void>(service, 'AddTagsToStream'),
  CreateChannel: operationContract<CreateChannelInput, CreateChannelOutput>(
    service,
    'CreateChannel',
  ),
  CreateQueue: operationContract<CreateQueueInput, CreateQueueOutput>(service, 'CreateQueue'),
  CreateStream: operationContract<CreateStreamInput, void>(service, 'CreateStream'),
  DecreaseStreamRetentionPeriod: operationContract<DecreaseStreamRetentionPeriodInput, void>(
    service,
    'DecreaseStreamRetentionPeriod',
  ),
  DeleteChannel: operationContract<DeleteChannelInput, void>(service, 'DeleteChannel'),
  DeleteQueue: operationContract<DeleteQueueInput, void>(service, 'DeleteQueue'),
  DeleteResourcePolicy: operationContract<DeleteResourcePolicyInput, void>(
    service,
    'DeleteResourcePolicy',
  ),
  DeleteStream: operationContract<DeleteStreamInput, void>(service, 'DeleteStream'),
  DeregisterStreamConsumer: operationContract<DeregisterStreamConsumerInput, void>(
    service,
    'DeregisterStreamConsumer',
  ),
  DescribeAccountSettings: operationContract<
    DescribeAccountSettingsInput,
    DescribeAccountSettingsOutput
  >(service, 'DescribeAccountSettings'),
  DescribeChannel: operationContract<DescribeChannelInput, DescribeChannelOutput>(
    service,
    'DescribeChannel',
  ),
  DescribeLimits: operationContract<DescribeLimitsInput, DescribeLimitsOutput>(
    service,
    'DescribeLimits',
  ),
  DescribeQueue: operationContract<DescribeQueueInput, DescribeQueueOutput>(
    service,
    'DescribeQueue',
  ),
  DescribeStream: operationContract<DescribeStreamInput, DescribeStreamOutput>(
    service,
    'DescribeStream',
  ),
  DescribeStreamConsumer: operationContract<
    DescribeStreamConsumerInput,
    DescribeStreamConsumerOutput
  >(service, 'DescribeStreamConsumer'),
  DescribeStreamSummary: operationContract<DescribeStreamSummaryInput, DescribeStreamSummaryOutput>(
    service,
    'DescribeStreamSummary',
  ),
  DisableEnhancedMonitoring: operationContract<
    DisableEnhancedMonitoringInput,
    EnhancedMonitoringOutput
  >(service, 'DisableEnhancedMonitoring'),
  EnableEnhancedMonitoring: operationContract<
    EnableEnhancedMonitoringInput,
    EnhancedMonitoringOutput
  >(service, 'EnableEnhancedMonitoring'),
  GetRecords: operationContract<GetRecordsInput, GetRecordsOutput>(service, 'GetRecords'),
  GetResourcePolicy: operationContract<GetResourcePolicyInput, GetResourcePolicyOutput>(
    service,
    'GetResourcePolicy',
  ),
  GetShardIterator: operationContract<GetShardIteratorInput, GetShardIteratorOutput>(
    service,
    'GetShardIterator',
  ),
  IncreaseStreamRetentionPeriod: operationContract<IncreaseStreamRetentionPeriodInput, void>(
    service,
    'IncreaseStreamRetentionPeriod',
  ),
  ListChannels: operationContract<ListChannelsInput, ListChannelsOutput>(service, 'ListChannels'),
  ListQueues: operationContract<ListQueuesInput, ListQueuesOutput>(service, 'ListQueues'),
  ListShards: operationContract<ListShardsInput, ListShardsOutput>(service, 'ListShards'),
  ListStreamConsumers: operationContract<ListStreamConsumersInput, ListStreamConsumersOutput>(
    service,
    'ListStreamConsumers',
  ),
  ListStreams: operationContract<ListStreamsInput, ListStreamsOutput>(service, 'ListStreams'),
  ListTagsForResource: operationContract<ListTagsForResourceInput, ListTagsForResourceOutput>(
    service,
    'ListTagsForResource',
  ),
  ListTagsForStream: operationContract<ListTagsForStreamInput, ListTagsForStreamOutput>(
    service,
    'ListTagsForStream',
  ),
  MergeShards: operationContract<MergeShardsInput, void>(service, 'MergeShards'),
  PutRecord: operationContract<PutRecordInput, PutRecordOutput>(service, 'PutRecord'),
  PutRecords: operationContract<PutRecordsInput, PutRecordsOutput>(service, 'PutRecords'),
  PutResourcePolicy: operationContract<PutResourcePolicyInput, void>(service, 'PutResourcePolicy'),
  ReceiveDeadLetterQueueRecords: operationContract<
    ReceiveDeadLetterQueueRecordsInput,
    ReceiveDeadLetterQueueRecordsOutput
  >(service, 'ReceiveDeadLetterQueueRecords'),
  ReceiveQueueRecords: operationContract<ReceiveQueueRecordsInput, ReceiveQueueRecordsOutput>(
    service,
    'ReceiveQueueRecords',
  ),
  RegisterStreamConsumer: operationContract<
    RegisterStreamConsumerInput,
    RegisterStreamConsumerOutput
  >(service, 'RegisterStreamConsumer'),
  RemoveTagsFromStream: operationContract<RemoveTagsFromStreamInput, void>(
    service,
    'RemoveTagsFromStream',
  ),
  RestoreDeadLetterQueueRecords: operationContract<
    RestoreDeadLetterQueueRecordsInput,
    RestoreDeadLetterQueueRecordsOutput
  >(service, 'RestoreDeadLetterQueueRecords'),
  SplitShard: operationContract<SplitShardInput, void>(service, 'SplitShard'),
  StartStreamEncryption: operationContract<StartStreamEncryptionInput, void>(
    service,
    'StartStreamEncryption',
  ),
  StopStreamEncryption: operationContract<StopStreamEncryptionInput, void>(
    service,
    'StopStreamEncryption',
  ),
  SubscribeToShard: operationContract<SubscribeToShardInput, SubscribeToShardOutput>(
    service,
    'SubscribeToShard',
  ),
  TagResource: operationContract<TagResourceInput, void>(service, 'TagResource'),
  UntagResource: operationContract<UntagResourceInput, void>(service, 'UntagResource'),
  UpdateAccountSettings: operationContract<UpdateAccountSettingsInput, UpdateAccountSettingsOutput>(
    service,
    'UpdateAccountSettings',
  ),
  UpdateChannel: operationContract<UpdateChannelInput, UpdateChannelOutput>(
    service,
    'UpdateChannel',
  ),
  UpdateDeadLetterQueueRecordsVisibility: operationContract<
    UpdateDeadLetterQueueRecordsVisibilityInput,
    UpdateDeadLetterQueueRecordsVisibilityOutput
  >(service, 'UpdateDeadLetterQueueRecordsVisibility'),
  UpdateMaxRecordSize: operationContract<UpdateMaxRecordSizeInput, void>(
    service,
    'UpdateMaxRecordSize',
  ),
  UpdateQueue: operationContract<UpdateQueueInput, UpdateQueueOutput>(service, 'UpdateQueue'),
  UpdateQueueRecordsVisibility: operationContract<
    UpdateQueueRecordsVisibilityInput,
    UpdateQueueRecordsVisibilityOutput
  >(service, 'UpdateQueueRecordsVisibility'),
  UpdateShardCount: operationContract<UpdateShardCountInput, UpdateShardCountOutput>(
    service,
    'UpdateShardCount',
  ),
  UpdateStreamMode: operationContract<UpdateStreamModeInput, void>(service, 'UpdateStreamMode'),
  UpdateStreamRecordDistributionStrategy: operationContract<
    UpdateStreamRecordDistributionStrategyInput,
    void
  >(service, 'UpdateStreamRecordDistributionStrategy'),
  UpdateStreamWarmThroughput: operationContract<
    UpdateStreamWarmThroughputInput,
    UpdateStreamWarmThroughputOutput
  >(service, 'UpdateStreamWarmThroughput'),
}
