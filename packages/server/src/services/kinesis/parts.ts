// What the operations of the kinesis slice work on.
import type { Clock } from '@millrace/base/clock'
import type { Random } from '@millrace/base/random'
import type { Engine } from '@millrace/storage/engine'
import type { Iterators } from './iterators.ts'
import type { KinesisSettings } from './settings.ts'
import type { Streams } from './streams.ts'

export interface KinesisParts {
  readonly streams: Streams
  readonly engine: Engine
  readonly iterators: Iterators
  readonly clock: Clock
  readonly random: Random
  readonly settings: KinesisSettings
}
