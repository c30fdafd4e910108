// A quicker way to read the JSON body of a PutRecords of large records: its texts are slices of one string,
// and data is only looked at once, as base64, which has no character that means anything else in JSON.
// It promises what JSON.parse, and base64Payload for the data, would make of the same bytes; or undefined
// for whatever isn't plain, to be parsed the ordinary way: escapes, characters outside ASCII, members
// unknown, repeated, missing or null, data that isn't base64, small records, anything wrong at all. So no
// error or oddity is known here.
import { validBase64Payload } from '../base64.ts'
import type { Base64Payload } from '../payload.ts'

const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d
const BLANK = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPENING_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d
const DELETE = 0x7f

/** Base64 characters of the first record's data from which on a body is tried. */
const DATA_CHARACTERS_MIN = 400

/** The first record's data must begin within so many bytes. */
const PROBE_BYTES = 800

const STREAM_NAMES = ['StreamName', 'StreamARN'] as const

interface Request {
  Records?: Entry[]
  StreamName?: string
  StreamARN?: string
}

interface Entry {
  readonly Data: Base64Payload
  readonly PartitionKey: string
  readonly ExplicitHashKey?: string
}

/** The request with its data checked already; undefined: to be parsed the ordinary way. */
export function scanPutRecords(body: Buffer): Record<string, unknown> | undefined {
  if (!hasLargeRecords(body)) return undefined
  return new Scan(body).request() as Record<string, unknown> | undefined
}

/** A guess by the first record, cheap enough to be made for each request. */
function hasLargeRecords(body: Buffer): boolean {
  if (body.length < DATA_CHARACTERS_MIN) return false
  const probe = body.latin1Slice(0, Math.min(body.length, PROBE_BYTES + DATA_CHARACTERS_MIN))
  const name = probe.indexOf('"Data"')
  const start = probe.indexOf('"', name + 6) + 1
  if (name === -1 || start === 0 || start > PROBE_BYTES) return false
  const end = probe.indexOf('"', start)
  return end === -1 || end - start >= DATA_CHARACTERS_MIN
}

/** One body on its way. Each step passes over what it returns; undefined is the end of the attempt. */
class Scan {
  readonly #body: Buffer
  /** A character per byte. Where all are ASCII, that is the same text as in UTF-8. */
  readonly #text: string
  #at = 0

  constructor(body: Buffer) {
    this.#body = body
    this.#text = body.latin1Slice(0, body.length)
  }

  request(): Request | undefined {
    const request: Request = {}
    if (this.#next() !== OPENING_BRACE) return undefined
    for (;;) {
      if (this.#name('Records')) {
        if (request.Records !== undefined) return undefined
        const records = this.#records()
        if (records === undefined) return undefined
        request.Records = records
      } else {
        const name = STREAM_NAMES.find((each) => this.#name(each))
        if (name === undefined || request[name] !== undefined) return undefined
        const end = this.#stringEnd()
        if (end === -1) return undefined
        // Its own string: what remembers a stream's name must not keep the whole body with it.
        request[name] = this.#body.latin1Slice(this.#at, end)
        this.#at = end + 1
      }
      const after = this.#next()
      if (after === COMMA) continue
      return after === CLOSING_BRACE && Number.isNaN(this.#next()) ? request : undefined
    }
  }

  #records(): Entry[] | undefined {
    const records: Entry[] = []
    if (this.#next() !== OPENING_BRACKET) return undefined
    for (;;) {
      const entry = this.#entry()
      if (entry === undefined) return undefined
      records.push(entry)
      const after = this.#next()
      if (after === COMMA) continue
      return after === CLOSING_BRACKET ? records : undefined
    }
  }

  #entry(): Entry | undefined {
    let data: Base64Payload | undefined
    let key: string | undefined
    let hashKey: string | undefined
    if (this.#next() !== OPENING_BRACE) return undefined
    for (;;) {
      if (data === undefined && this.#name('Data')) {
        data = this.#data()
        if (data === undefined) return undefined
      } else if (key === undefined && this.#name('PartitionKey')) {
        key = this.#string()
        if (key === undefined) return undefined
      } else if (hashKey === undefined && this.#name('ExplicitHashKey')) {
        hashKey = this.#string()
        if (hashKey === undefined) return undefined
      } else return undefined
      const after = this.#next()
      if (after === COMMA) continue
      if (after !== CLOSING_BRACE || data === undefined || key === undefined) return undefined
      return hashKey === undefined
        ? { Data: data, PartitionKey: key }
        : { Data: data, PartitionKey: key, ExplicitHashKey: hashKey }
    }
  }

  /** The next character that isn't white space; NaN behind the end. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at++)
      if (code !== BLANK && code !== LINE_FEED && code !== RETURN && code !== TAB) return code
    }
  }

  /** Passes over the member's name and its colon, or over nothing if something else is next. */
  #name(name: string): boolean {
    const start = this.#at
    if (
      this.#next() === QUOTE &&
      this.#text.startsWith(name, this.#at) &&
      this.#text.charCodeAt(this.#at + name.length) === QUOTE
    ) {
      this.#at += name.length + 1
      if (this.#next() === COLON) return true
    }
    this.#at = start
    return false
  }

  #data(): Base64Payload | undefined {
    if (this.#next() !== QUOTE) return undefined
    const end = this.#text.indexOf('"', this.#at)
    if (end === -1) return undefined
    const data = this.#text.slice(this.#at, end)
    this.#at = end + 1
    return validBase64Payload(data)
  }

  #string(): string | undefined {
    const end = this.#stringEnd()
    if (end === -1) return undefined
    const string = this.#text.slice(this.#at, end)
    this.#at = end + 1
    return string
  }

  /** Passes over a string's first quote and says where its last one is; -1: it isn't plain. */
  #stringEnd(): number {
    if (this.#next() !== QUOTE) return -1
    for (let at = this.#at; ; at++) {
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) return at
      // NaN, behind the end, isn't within the bounds either.
      if (!(code >= BLANK && code < DELETE) || code === BACKSLASH) return -1
    }
  }
}
