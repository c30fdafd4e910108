// The resource that TagResource and its kin name by ARN. Streams are the only kind that can be made;
// ARNs of consumers, queues and channels are understood and not found.
import { parseStreamArn } from '@millrace/wire/arn'
import { WireError } from '@millrace/wire/errors'
import type { Stream } from './stream.ts'
import type { Caller, Streams } from './streams.ts'

export function taggedStream(arn: string, streams: Streams, context: Caller): Stream {
  if (parseStreamArn(arn) === undefined) {
    throw new WireError('ResourceNotFoundException', `Resource ${arn} not found.`)
  }
  return streams.forControl({ StreamARN: arn }, context)
}
