// The JavaScript SDK as installed in this folder, for programs that live elsewhere in compat.
export * from '@aws-sdk/client-kinesis'
export { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler'
