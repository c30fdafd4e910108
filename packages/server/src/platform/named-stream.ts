// Which stream a request is about, as metrics, the log and fault rules name it.

/** The name of the stream that a checked input is about, if any. Must not throw. */
export type StreamOf = (input: unknown) => string | undefined

/** The stream that an input names, by its name or within an ARN. */
export function namedStream(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const { StreamName, StreamARN, ConsumerARN, ResourceARN } = input as Record<string, unknown>
  if (typeof StreamName === 'string') return StreamName
  const arn = StreamARN ?? ConsumerARN ?? ResourceARN
  return typeof arn === 'string' ? /:stream\/([^/]+)/.exec(arn)?.[1] : undefined
}
