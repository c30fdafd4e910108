// How figures are written: three significant digits, no exponent, thousands set apart.

export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (value >= 1000) return thousands(Number(value.toPrecision(value >= 100_000 ? 3 : 4)))
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value.toFixed(value >= 0.1 || value === 0 ? 2 : 3)
}

export function ratio(value: number | undefined): string {
  return value === undefined ? '–' : `${figure(value)} ×`
}

export function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${Math.round(share * 100)} %`
}

function thousands(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
}
