// The SDK is installed only for the compat tests, so the type check of the project must not need it.
// biome-ignore-all lint/suspicious/noExplicitAny: the SDK's own types are not installed here
export const PutRecordsCommand: any
export const PutRecordCommand: any
export const GetRecordsCommand: any
export const GetShardIteratorCommand: any
