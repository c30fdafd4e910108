// The resource that TagResource and its kin name by ARN. Streams are the only kind that can be made;
// ARNs of consumers, queues and channels are understood and not found.
import { parseArn, parseStreamArn } from '@millrace/wire/arn'
import { WireError } from '@millrace/wire/errors'
import { type Actor, checkAccess } from './resource-access.ts'
import type { Stream } from './stream.ts'
import type { Caller, Streams } from './streams.ts'

export function taggedStream(arn: string, streams: Streams, context: Caller & Actor): Stream {
  if (parseStreamArn(arn) === undefined) {
    checkAccess(arn, parseArn(arn)?.account ?? context.account, context)
    throw new WireError('ResourceNotFoundException', `Resource ${arn} not found.`)
  }
  return streams.forControl({ StreamARN: arn }, context)
}
