// Shard ids and the numbers behind them: `shardId-000000000003` is shard 3.

const NUMBER_MAX = 2147483647

/** Negative numbers occur in sequence numbers that nobody gave out; AWS prints them so (observed). */
export function shardId(number: number): string {
  if (number < 0) return `shardId--${String(-number).padStart(11, '0')}`
  return `shardId-${String(number).padStart(12, '0')}`
}

/**
 * The number a shard id means, or undefined when it means none. AWS reads ids leniently (observed):
 * what follows the first `-`, or else all of it, is a decimal number: `0`, `-0`, `a-00000000000` and
 * `shardId-0` are shard 0.
 */
export function parseShardId(text: string): number | undefined {
  const dash = text.indexOf('-')
  const digits = dash < 0 ? text : text.slice(dash + 1)
  if (!/^\d+$/.test(digits)) return undefined
  const number = Number(digits)
  return number <= NUMBER_MAX ? number : undefined
}
