// The answer of GetRecords, shaped by hand: each record goes from the buffer it was stored or read in
// straight into the body. It promises the bytes that the codec would write for the same values, and lets
// storage have its buffers back as soon as the body is made.
import { assert } from '@millrace/base/assert'
import type { Protocol } from '@millrace/wire/codec'
import type { PreparedReply } from '../../platform/operation.ts'
import { cborPage } from './cbor-page.ts'
import { jsonPage } from './json-page.ts'
import type { Page, PageEnd } from './page.ts'
import type { Shard } from './shard.ts'

export class PageReply implements PreparedReply {
  readonly isPrepared = true
  readonly #shard: Shard
  readonly #end: PageEnd
  #page: Page | undefined

  constructor(shard: Shard, page: Page, end: PageEnd) {
    this.#shard = shard
    this.#page = page
    this.#end = end
  }

  /** Once only: afterwards the page's buffers are storage's again. */
  encode(protocol: Protocol): Uint8Array {
    const page = this.#page
    assert(page !== undefined, 'a page is encoded once')
    this.#page = undefined
    try {
      const write = protocol === 'json' ? jsonPage : cborPage
      return write(this.#shard, page, this.#end)
    } finally {
      page.release()
    }
  }
}
