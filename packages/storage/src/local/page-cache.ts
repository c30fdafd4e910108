// Checked index pages in memory, up to a number of bytes; the one used longest ago goes first.

export class PageCache {
  readonly #bytesMax: number
  readonly #pages = new Map<string, Buffer>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get(key: string): Buffer | undefined {
    const page = this.#pages.get(key)
    if (page === undefined) return undefined
    this.#pages.delete(key)
    this.#pages.set(key, page)
    return page
  }

  put(key: string, page: Buffer): void {
    this.#bytes += page.length - (this.#pages.get(key)?.length ?? 0)
    this.#pages.delete(key)
    this.#pages.set(key, page)
    for (const [oldest, { length }] of this.#pages) {
      if (this.#bytes <= this.#bytesMax) return
      this.#pages.delete(oldest)
      this.#bytes -= length
    }
  }
}
