// Types of reader.mjs, which stands on an SDK that is installed only for the compat tests.
// biome-ignore-all lint/suspicious/noExplicitAny: the SDK's own types are not installed here
import type { SeenRecord } from './ledger.ts'

export interface Client {
  readonly kinesis: { send(command: unknown): Promise<any> }
  createStream(name: string, shardCount: number): Promise<void>
  deleteStream(name: string): Promise<void>
  shardIds(name: string): Promise<string[]>
  streamNames(): Promise<string[]>
}
export function createClient(endpoint: string): Client
export function readAll(client: Client, streamName: string, shardId: string): Promise<SeenRecord[]>
