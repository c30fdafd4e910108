// What producers were told, against what readers see. An acknowledged record must be read exactly once
// per reading, under the number it was acknowledged with, in rising order in its shard; a record nobody
// was told of may be there or not, but whole and at most once.

export interface SeenRecord {
  readonly name: string | undefined
  readonly sequenceNumber: string
}

export class Ledger {
  /** Shard → sequence number → the record's name. */
  readonly #acknowledged = new Map<string, Map<string, string>>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /** As told so far; what is acknowledged later is not in it. */
  copy(): Ledger {
    const copy = new Ledger()
    for (const [shardId, shard] of this.#acknowledged) {
      for (const [sequenceNumber, name] of shard) copy.acknowledge(name, shardId, sequenceNumber)
    }
    return copy
  }

  acknowledge(name: string, shardId: string, sequenceNumber: string): void {
    let shard = this.#acknowledged.get(shardId)
    if (shard === undefined) {
      shard = new Map()
      this.#acknowledged.set(shardId, shard)
    }
    const other = shard.get(sequenceNumber)
    if (other !== undefined) {
      throw new Error(`${sequenceNumber} of ${shardId} was given to ${other} and to ${name}`)
    }
    shard.set(sequenceNumber, name)
    this.#count++
  }

  /** Checks one full reading of a shard; gives how many records nobody was told of. Throws on the first wrong one. */
  check(shardId: string, reading: readonly SeenRecord[]): number {
    const missing = new Map(this.#acknowledged.get(shardId))
    let last = 0n
    const names = new Set<string>()
    let untold = 0
    for (const { name, sequenceNumber } of reading) {
      const at = `${sequenceNumber} of ${shardId}`
      if (BigInt(sequenceNumber) <= last) throw new Error(`${at} comes after ${last}`)
      last = BigInt(sequenceNumber)
      if (name === undefined) throw new Error(`${at} is no whole record`)
      if (names.has(name)) throw new Error(`${name} is there twice, again at ${at}`)
      names.add(name)
      const acknowledged = missing.get(sequenceNumber)
      if (acknowledged === undefined) untold++
      else if (acknowledged !== name) throw new Error(`${at} is ${name}, not ${acknowledged}`)
      missing.delete(sequenceNumber)
    }
    for (const [sequenceNumber, name] of missing) {
      throw new Error(`acknowledged ${name} is lost (${sequenceNumber} of ${shardId})`)
    }
    return untold
  }
}
