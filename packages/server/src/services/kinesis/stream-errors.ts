// Errors about streams, with AWS's texts (observed replies, as noted where they aren't documented).
import { WireError } from '@millrace/wire/errors'

/** Always prints the name, also when the caller gave an ARN (observed). */
export function streamNotFound(name: string, account: string): WireError {
  return new WireError(
    'ResourceNotFoundException',
    `Stream ${name} under account ${account} not found.`,
  )
}

export function streamExists(name: string, account: string): WireError {
  return new WireError(
    'ResourceInUseException',
    `Stream ${name} under account ${account} already exists.`,
  )
}

export function streamNotActive(name: string, account: string, status: string): WireError {
  return new WireError(
    'ResourceInUseException',
    `Stream ${name} under account ${account} not ACTIVE, instead in state ${status}`,
  )
}

export function invalidArgument(message: string): WireError {
  return new WireError('InvalidArgumentException', message)
}

export function validation(message: string): WireError {
  return new WireError('ValidationException', message)
}

export function limitExceeded(message: string): WireError {
  return new WireError('LimitExceededException', message)
}

/** For ids of shards that the stream doesn't have, printed as the caller wrote them (observed). */
export function shardNotFound(id: string, stream: string, account: string): WireError {
  return new WireError(
    'ResourceNotFoundException',
    `Could not find shard ${id} in stream ${stream} under account ${account}.`,
  )
}
