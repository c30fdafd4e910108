// Amazon resource names of streams and of what belongs to them, both ways. A name is only text with
// fixed places: `arn:aws:kinesis:us-east-1:123456789012:stream/orders`.

export interface Arn {
  readonly partition: string
  readonly service: string
  readonly region: string
  /** 12 digits. */
  readonly account: string
  /** All that follows the account, e.g. `stream/orders`. */
  readonly resource: string
}

/** The places of an ARN, or undefined when the text isn't one. */
export function parseArn(text: string): Arn | undefined {
  const parts = text.split(':')
  if (parts.length < 6 || parts[0] !== 'arn') return undefined
  const [, partition = '', service = '', region = '', account = ''] = parts
  const resource = parts.slice(5).join(':')
  return resource === '' ? undefined : { partition, service, region, account, resource }
}

/** AWS groups its regions into partitions; names tell them apart. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  return 'aws'
}

export function streamArn(region: string, account: string, name: string): string {
  return `arn:${partitionOf(region)}:kinesis:${region}:${account}:stream/${name}`
}

const STREAM_RESOURCE = /^stream\/([a-zA-Z0-9_.-]{1,128})$/

/** The parts of a stream's ARN, or undefined when it is another resource's or no ARN at all. */
export function parseStreamArn(
  text: string,
): { region: string; account: string; name: string } | undefined {
  const arn = parseArn(text)
  if (arn === undefined || arn.service !== 'kinesis') return undefined
  const name = STREAM_RESOURCE.exec(arn.resource)?.[1]
  return name === undefined ? undefined : { region: arn.region, account: arn.account, name }
}
