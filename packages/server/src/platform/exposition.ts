// Prometheus' text format: families of samples with a type and one sentence each. Only a scrape pays
// for the text; what is counted is counted elsewhere as plain numbers.

export type Labels = Readonly<Record<string, string>>

export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export class Exposition {
  readonly #lines: string[] = []

  counter(name: string, help: string, samples: Iterable<readonly [number, Labels?]>): void {
    this.#family(name, 'counter', help, samples)
  }

  gauge(name: string, help: string, samples: Iterable<readonly [number, Labels?]>): void {
    this.#family(name, 'gauge', help, samples)
  }

  /** `counts` has one more element than `bounds`: what is above the last. Not cumulative. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    series: Iterable<{
      readonly labels: Labels
      readonly counts: ArrayLike<number>
      readonly sum: number
    }>,
  ): void {
    this.#head(name, 'histogram', help)
    for (const { labels, counts, sum } of series) {
      let count = 0
      for (let i = 0; i <= bounds.length; i++) {
        count += counts[i] ?? 0
        const le = i < bounds.length ? String(bounds[i]) : '+Inf'
        this.#sample(`${name}_bucket`, { ...labels, le }, count)
      }
      this.#sample(`${name}_sum`, labels, sum)
      this.#sample(`${name}_count`, labels, count)
    }
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`
  }

  #family(
    name: string,
    type: string,
    help: string,
    samples: Iterable<readonly [number, Labels?]>,
  ): void {
    this.#head(name, type, help)
    for (const [value, labels = {}] of samples) this.#sample(name, labels, value)
  }

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
  }

  #sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
    this.#lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`)
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
