// What the kinesis slice is told from outside: the process's settings as far as they concern it.

export interface KinesisSettings {
  /** `none` lifts rates and quotas, never validation. */
  readonly limits: 'aws' | 'none'
  /** How long CREATING, UPDATING and DELETING can be seen, ms. */
  readonly transitionMs: number
  /** The account of callers whose access key isn't one itself, 12 digits. */
  readonly account: string
  readonly region: string
  /** 32 bytes that seal iterators and page tokens; kept beside the data, so that they outlive a restart. */
  readonly iteratorKey: Buffer
}
