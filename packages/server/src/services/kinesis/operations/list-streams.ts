// ListStreams: an account's streams in a region by name, at most 100 a page. A page goes on after a
// name or, for callers that page by tokens, with NextToken, which wins when both are given: SDK
// paginators repeat the first call's members beside it.
import { streamArn } from '@millrace/wire/arn'
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation, type RequestContext } from '../../../platform/operation.ts'
import { BOUNDS } from '../limits.ts'
import { openNextToken, sealNextToken } from '../next-token.ts'
import type { KinesisParts } from '../parts.ts'
import { invalidArgument } from '../stream-errors.ts'
import { creationTimestampMs, streamStatus } from '../stream-status.ts'

const NAME = kinesis.ListStreams.name

/** What a token remembers. */
interface Position {
  readonly account: string
  readonly region: string
  /** The last name given. */
  readonly after: string
}

export const listStreams = operation(
  kinesis.ListStreams,
  ({ input, context }, parts: KinesisParts) => {
    const after =
      input.NextToken === undefined
        ? input.ExclusiveStartStreamName
        : readToken(input.NextToken, context, parts)
    const found = parts.streams.list(context, after)
    const limit = Math.min(input.Limit ?? BOUNDS.listStreamsMax, BOUNDS.listStreamsMax)
    const page = found.slice(0, limit)
    const last = page.at(-1)
    return {
      StreamNames: page.map((facts) => facts.name),
      HasMoreStreams: found.length > limit,
      ...(found.length > limit && last !== undefined
        ? { NextToken: makeToken(last.name, context, parts) }
        : {}),
      StreamSummaries: page.map((facts) => ({
        StreamName: facts.name,
        StreamARN: streamArn(facts.region, facts.account, facts.name),
        StreamStatus: streamStatus(facts, context.nowMs),
        StreamModeDetails: { StreamMode: facts.mode },
        StreamCreationTimestamp: creationTimestampMs(facts),
      })),
    }
  },
)

function makeToken(
  after: string,
  { account, region, nowMs }: RequestContext,
  parts: KinesisParts,
): string {
  const position: Position = { account, region, after }
  return sealNextToken(NAME, position, nowMs, parts)
}

/** A token goes on with the listing it came from, and that is of one account and region. */
function readToken(
  token: string,
  { account, region, nowMs }: RequestContext,
  { settings }: KinesisParts,
): string {
  const position = openNextToken(NAME, token, nowMs, settings) as Position
  if (position.account !== account || position.region !== region) {
    throw invalidArgument('Invalid NextToken.')
  }
  return position.after
}
