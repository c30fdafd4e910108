// What is counted of requests, and the page that shows it beside what the other parts count of
// themselves. Counting costs two lookups and a few additions per request: each operation has its own
// series object, and no text is made until somebody asks for the page.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { EngineMetrics } from '@millrace/storage/engine'
import type { ListenerMetrics } from '../http/listener.ts'
import type { WorkMetrics } from './background.ts'
import type { CatalogMetrics } from './catalog.ts'
import { Exposition, type Labels } from './exposition.ts'
import type { ObservedRequest, RequestObserver } from './ports.ts'

/** Upper bounds of latencies, ms. */
const BOUNDS_MS = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000] as const

interface Series {
  readonly service: string
  readonly operation: string
  succeeded: number
  /** By error type. */
  readonly failed: Map<string, number>
  bytesIn: number
  bytesOut: number
  /** Per latency bound, not cumulative; the last is for what is above all bounds. */
  readonly latencies: Float64Array
  latencySumMs: number
}

export class RequestMetrics implements RequestObserver {
  readonly #services = new Map<string, Map<string, Series>>()

  observed(request: ObservedRequest): void {
    const series = this.#series(request.service, request.operation)
    const { errorType, ms } = request
    // A connection cut on purpose has no error type and status 0.
    const type = errorType ?? (request.status === 0 ? 'Cut' : undefined)
    if (type === undefined) series.succeeded++
    else series.failed.set(type, (series.failed.get(type) ?? 0) + 1)
    series.bytesIn += request.bytesIn
    series.bytesOut += request.bytesOut
    let bucket = 0
    while (bucket < BOUNDS_MS.length && ms > BOUNDS_MS[bucket]!) bucket++
    series.latencies[bucket]!++
    series.latencySumMs += ms
  }

  #series(service: string, operation: string): Series {
    let operations = this.#services.get(service)
    if (operations === undefined) {
      operations = new Map()
      this.#services.set(service, operations)
    }
    let series = operations.get(operation)
    if (series === undefined) {
      series = {
        service,
        operation,
        succeeded: 0,
        failed: new Map(),
        bytesIn: 0,
        bytesOut: 0,
        latencies: new Float64Array(BOUNDS_MS.length + 1),
        latencySumMs: 0,
      }
      operations.set(operation, series)
    }
    return series
  }

  expose(page: Exposition): void {
    const all = [...this.#services.values()].flatMap((operations) => [...operations.values()])
    page.counter(
      'millrace_requests_total',
      'Requests answered, by operation and error type (none when it succeeded).',
      all.flatMap((series) => outcomes(series)),
    )
    page.counter('millrace_request_bytes_total', 'Bytes of request bodies.', bytes(all, 'bytesIn'))
    page.counter('millrace_reply_bytes_total', 'Bytes of reply bodies.', bytes(all, 'bytesOut'))
    page.histogram(
      'millrace_request_duration_seconds',
      'From body read to reply ready.',
      BOUNDS_MS.map((ms) => ms / 1000),
      all.map((series) => ({
        labels: labelsOf(series),
        counts: series.latencies,
        sum: series.latencySumMs / 1000,
      })),
    )
  }
}

function outcomes(series: Series): [number, Labels][] {
  const labels = labelsOf(series)
  return [
    [series.succeeded, { ...labels, error: '' }],
    ...[...series.failed].map(
      ([error, count]) => [count, { ...labels, error }] satisfies [number, Labels],
    ),
  ]
}

function bytes(all: readonly Series[], member: 'bytesIn' | 'bytesOut'): [number, Labels][] {
  return all.map((series) => [series[member], labelsOf(series)])
}

function labelsOf({ service, operation }: Series): Labels {
  return { service, operation }
}

/** What the parts of the process count of themselves. */
export interface MetricsSources {
  readonly version: string
  readonly requests: RequestMetrics
  readonly engine: () => EngineMetrics
  readonly catalog: () => CatalogMetrics
  readonly background: () => readonly WorkMetrics[]
  /** Undefined while nothing listens. */
  readonly listener: () => ListenerMetrics | undefined
  readonly nowMs: () => number
  readonly clockOffsetMs: () => number
  readonly streams: () => number
}

export class MetricsPage {
  readonly #sources: MetricsSources
  /** Measured from the first scrape on, so that nobody pays who doesn't look. */
  #loopDelay: ReturnType<typeof monitorEventLoopDelay> | undefined

  constructor(sources: MetricsSources) {
    this.#sources = sources
  }

  /** The whole page as Prometheus reads it. */
  text(): string {
    const page = new Exposition()
    const { version, requests, nowMs, clockOffsetMs, streams } = this.#sources
    page.gauge('millrace_info', 'The version that runs.', [[1, { version }]])
    requests.expose(page)
    this.#exposeStorage(page)
    this.#exposeCatalog(page)
    this.#exposeWorks(page)
    this.#exposeConnections(page)
    page.gauge('millrace_streams', 'Kinesis streams that exist.', [[streams()]])
    page.gauge('millrace_service_time_seconds', 'Service time.', [[nowMs() / 1000]])
    page.gauge('millrace_clock_offset_seconds', 'Service time ahead of wall time.', [
      [clockOffsetMs() / 1000],
    ])
    this.#exposeProcess(page)
    return page.toString()
  }

  stop(): void {
    this.#loopDelay?.disable()
  }

  #exposeStorage(page: Exposition): void {
    const engine = this.#sources.engine()
    page.counter('millrace_commits_total', 'Commits to the journal.', [[engine.commits]])
    page.counter('millrace_committed_bytes_total', 'Bytes of commits.', [[engine.bytesCommitted]])
    page.gauge(
      'millrace_commit_seconds',
      'How long the latest 1024 commits took to be durable.',
      quantiles(engine.commitMs),
    )
    page.gauge('millrace_disk_bytes', 'Bytes on disk.', [[engine.bytesOnDisk]])
    page.gauge('millrace_unacknowledged_bytes', 'Bytes waiting to be durable.', [
      [engine.bytesUnacknowledged],
    ])
    page.gauge('millrace_cached_bytes', 'Bytes of records in memory.', [[engine.bytesCached]])
    page.gauge('millrace_unsealed_files', 'Journal files that wait to be sealed.', [
      [engine.filesUnsealed],
    ])
    page.gauge('millrace_segments', 'Sealed segment files.', [[engine.segments]])
    page.counter('millrace_disk_reads_total', 'Reads that went to disk.', [[engine.readsFromDisk]])
    // What an engine doesn't know of itself isn't shown: a zero would say that all is well.
    const { oldestUnsealedMs, retentionLagMs, damagedBlocks } = engine
    if (oldestUnsealedMs !== undefined)
      page.gauge(
        'millrace_oldest_unsealed_seconds',
        'Age of the oldest journal file that waits to be sealed.',
        [[oldestUnsealedMs / 1000]],
      )
    if (retentionLagMs !== undefined)
      page.gauge(
        'millrace_retention_lag_seconds',
        'How far past its retention the oldest data still on disk is.',
        [[retentionLagMs / 1000]],
      )
    if (damagedBlocks !== undefined)
      page.gauge('millrace_damaged_blocks', 'Blocks of records damaged or missing.', [
        [damagedBlocks],
      ])
  }

  #exposeCatalog(page: Exposition): void {
    const catalog = this.#sources.catalog()
    page.counter('millrace_catalog_commands_total', 'Catalog commands, by what became of them.', [
      [catalog.commands - catalog.commandsLost, { outcome: 'applied' }],
      [catalog.commandsLost, { outcome: 'lost' }],
    ])
    page.counter('millrace_catalog_snapshots_total', 'Snapshots of the catalog, by outcome.', [
      [catalog.snapshots, { outcome: 'made' }],
      [catalog.snapshotFailures, { outcome: 'failed' }],
    ])
    page.gauge('millrace_catalog_replay_bytes', 'Bytes that the next start replays.', [
      [catalog.bytesSinceSnapshot],
    ])
  }

  #exposeWorks(page: Exposition): void {
    const works = this.#sources.background()
    const nowMs = this.#sources.nowMs()
    page.counter(
      'millrace_background_runs_total',
      'Runs of periodic works, by outcome.',
      works.flatMap(({ name, runs, failures }): [number, Labels][] => [
        [runs - failures, { work: name, outcome: 'done' }],
        [failures, { work: name, outcome: 'failed' }],
      ]),
    )
    page.gauge(
      'millrace_background_lag_seconds',
      'Service time since the last run of a periodic work ended.',
      works
        .filter(({ lastEndedMs }) => lastEndedMs > 0)
        .map(({ name, lastEndedMs }) => [(nowMs - lastEndedMs) / 1000, { work: name }]),
    )
  }

  #exposeConnections(page: Exposition): void {
    const listener = this.#sources.listener()
    if (listener === undefined) return
    page.gauge('millrace_connections', 'Open connections.', [[listener.connectionsOpen]])
    page.gauge('millrace_requests_in_flight', 'Requests under way.', [[listener.requestsInFlight]])
    page.gauge('millrace_event_streams', 'Open event streams.', [[listener.eventStreamsOpen]])
    page.gauge('millrace_body_bytes', 'Bytes of request bodies held.', [[listener.bodyBytesHeld]])
    page.gauge('millrace_requests_waiting', 'Requests whose body waits to be read.', [
      [listener.requestsWaiting],
    ])
  }

  #exposeProcess(page: Exposition): void {
    const memory = process.memoryUsage()
    page.gauge('millrace_memory_bytes', 'Memory of the process, by kind.', [
      [memory.rss, { kind: 'rss' }],
      [memory.heapUsed, { kind: 'heap_used' }],
      [memory.heapTotal, { kind: 'heap_total' }],
      [memory.external, { kind: 'external' }],
      [memory.arrayBuffers, { kind: 'array_buffers' }],
    ])
    const { user, system } = process.cpuUsage()
    page.counter('millrace_cpu_seconds_total', 'CPU time of the process, by mode.', [
      [user / 1e6, { mode: 'user' }],
      [system / 1e6, { mode: 'system' }],
    ])
    page.gauge('millrace_uptime_seconds', 'Since the process started.', [[process.uptime()]])
    page.gauge(
      'millrace_event_loop_delay_seconds',
      'How late the event loop was since the last scrape.',
      this.#loopDelays(),
    )
  }

  #loopDelays(): [number, Labels][] {
    if (this.#loopDelay === undefined) {
      this.#loopDelay = monitorEventLoopDelay({ resolution: 10 })
      this.#loopDelay.enable()
    }
    const delay = this.#loopDelay
    if (delay.count === 0) return []
    const samples = [50, 99, 100].map((percent): [number, Labels] => [
      delay.percentile(percent) / 1e9,
      { quantile: String(percent / 100) },
    ])
    delay.reset()
    return samples
  }
}

function quantiles(valuesMs: readonly number[]): [number, Labels][] {
  if (valuesMs.length === 0) return []
  const sorted = [...valuesMs].sort((a, b) => a - b)
  return [0.5, 0.99, 1].map((quantile) => {
    const index = Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))
    return [sorted[index]! / 1000, { quantile: String(quantile) }]
  })
}
