// ISO-8601 durations such as PT25H, P1DT12H or PT0.5S, as milliseconds. Years and months are refused,
// since they have no fixed length.

const DURATION =
  /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,3}))?S)?)?$/
const MS = [7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000] as const

/** Milliseconds, or undefined when the text is no duration of weeks, days, hours, minutes, seconds. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null || text === 'P') return undefined
  const fraction = Number((match[6] ?? '').padEnd(3, '0'))
  return MS.reduce((sum, ms, i) => sum + Number(match[i + 1] ?? 0) * ms, fraction)
}
