// Who may use a resource: callers of the account that it belongs to. What a caller's own policies say is
// asked at the door (access/); this is the other half, what the owner lets callers of other accounts do.
// Only a resource policy can say yes to that, and none can be attached yet: once they can, this is where
// they are asked. AWS decides from the ARN alone, before it looks the resource up, so that a stranger
// doesn't learn what exists.
import { partitionOf } from '@millrace/wire/arn'
import { WireError } from '@millrace/wire/errors'
import type { RequestContext } from '../../platform/operation.ts'

/** Who wants what. */
export type Actor = Pick<RequestContext, 'account' | 'accessKeyId' | 'region' | 'operation'>

/** Throws AccessDeniedException unless the caller may do the operation on this account's resource. */
export function checkAccess(resourceArn: string, owner: string, actor: Actor): void {
  if (owner === actor.account) return
  const action = `kinesis:${actor.operation}`
  // IAM's sentence for a denial that nobody spoke out, as Kinesis prints it with `identity-based` (seen in
  // logs); across accounts other services name the resource's side whatever the caller's says (observed).
  throw new WireError(
    'AccessDeniedException',
    `User: ${userArn(actor)} is not authorized to perform: ${action} on resource: ${resourceArn} ` +
      `because no resource-based policy allows the ${action} action`,
  )
}

/** An access key that is an account's number stands for the account itself. */
function userArn({ account, accessKeyId, region }: Actor): string {
  const user = accessKeyId === account ? 'root' : `user/${accessKeyId}`
  return `arn:${partitionOf(region)}:iam::${account}:${user}`
}
