import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from './logger.ts'

function lines(format: 'human' | 'json') {
  const written: string[] = []
  const logger = createLogger({ write: (line) => written.push(line), now: () => 0, format })
  return { written, logger }
}

test('JSON lines carry time, level, message and the named values, errors with their stack', () => {
  const { written, logger } = lines('json')
  logger.warn('disk is slow', { ms: 12, offset: 5n, error: new Error('broken') })
  const line = JSON.parse(written[0]!)
  assert.equal(line.time, '1970-01-01T00:00:00.000Z')
  assert.deepEqual(
    [line.level, line.message, line.ms, line.offset],
    ['warn', 'disk is slow', 12, '5'],
  )
  assert.match(line.error, /Error: broken\n\s+at /)
})

test('human lines read as words and values; levels below the wanted one are left out', () => {
  const { written, logger } = lines('human')
  logger.debug('not shown')
  logger.info('sealed', { file: 'a b', blocks: 3 })
  assert.deepEqual(written, ['1970-01-01T00:00:00.000Z info  sealed file=a b blocks=3\n'])
})
