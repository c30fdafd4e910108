import assert from 'node:assert/strict'
import test from 'node:test'
import { seededRandom } from '@millrace/base/random'
import { type FaultRule, Faults, readRules } from './faults.ts'

const known = { operations: new Set(['PutRecord', 'PutRecords']), random: seededRandom(1) }
const read = (...rules: unknown[]) => readRules({ rules }, known)

function faultsWith(...rules: unknown[]): Faults {
  const faults = new Faults()
  faults.set(read(...rules) as FaultRule[])
  return faults
}

test('without rules nothing goes wrong', () => {
  assert.equal(new Faults().before('kinesis', 'PutRecord', {}), undefined)
})

test('a rule strikes the operations and the stream that it names, by name or ARN', () => {
  const faults = faultsWith({ operations: ['PutRecord'], stream: 'orders', kind: 'throttle' })
  const arn = 'arn:aws:kinesis:us-east-1:000000000000:stream/orders'
  assert.deepEqual(faults.before('kinesis', 'PutRecord', { StreamName: 'orders' }), {
    kind: 'throttle',
  })
  assert.equal(faults.before('kinesis', 'PutRecord', { StreamARN: arn })?.kind, 'throttle')
  assert.equal(
    faults.before('kinesis', 'PutRecord', { ConsumerARN: `${arn}/consumer/c:1` })?.kind,
    'throttle',
  )
  assert.equal(faults.before('kinesis', 'PutRecord', { StreamName: 'events' }), undefined)
  assert.equal(faults.before('kinesis', 'PutRecords', { StreamName: 'orders' }), undefined)
  assert.equal(faults.before('kinesis', 'PutRecord', undefined), undefined)
  assert.equal(faults.rules()[0]?.hits, 3)
})

test('each kind says what is to happen', () => {
  const fault = (rule: unknown) => faultsWith(rule).before('kinesis', 'PutRecord', {})
  assert.deepEqual(fault({ kind: 'lag', ms: 200 }), { kind: 'lag', ms: 200 })
  assert.deepEqual(fault({ kind: 'cut' }), { kind: 'cut', isAfterRun: false })
  assert.deepEqual(fault({ kind: 'cut', afterRun: true }), { kind: 'cut', isAfterRun: true })
  assert.deepEqual(
    fault({ kind: 'error', error: 'InternalFailure', message: 'so it is', status: 500 }),
    { kind: 'error', type: 'InternalFailure', message: 'so it is', status: 500 },
  )
  assert.deepEqual(fault({ kind: 'error', error: 'KMSThrottlingException' }), {
    kind: 'error',
    type: 'KMSThrottlingException',
  })
})

test('a rate strikes that share of requests, and a seed the same ones again', () => {
  const strikes = (seed: number) => {
    const faults = faultsWith({ kind: 'throttle', rate: 0.05, seed })
    return Array.from({ length: 10_000 }, () => faults.before('k', 'PutRecord', {}) !== undefined)
  }
  const first = strikes(7)
  assert.deepEqual(first, strikes(7))
  assert.notDeepEqual(first, strikes(8))
  const count = first.filter(Boolean).length
  assert(count > 400 && count < 600, `${count} of 10000 at a rate of 0.05`)
})

test('the first rule that strikes decides', () => {
  const faults = faultsWith({ kind: 'throttle', rate: 0 }, { kind: 'cut' }, { kind: 'throttle' })
  assert.equal(faults.before('kinesis', 'PutRecord', {})?.kind, 'cut')
  assert.deepEqual(
    faults.rules().map(({ hits }) => hits),
    [0, 1, 0],
  )
})

test('a seed that was not given is chosen and shown', () => {
  const [rule] = faultsWith({ kind: 'throttle' }).rules()
  assert(Number.isInteger(rule?.seed))
  assert.equal(rule?.rate, 1)
})

test('a rule that is not understood is answered with what is wrong', () => {
  const bad: [unknown, RegExp][] = [
    ['throttle', /^Rule 1: it must be an object/],
    [{}, /^Rule 1: "kind" must be "throttle", "error", "lag" or "cut"\.$/],
    [{ kind: 'explode' }, /"kind" must be "throttle"/],
    [{ kind: 'throttle', rates: 1 }, /there is no member "rates"; there are operations, stream/],
    [{ kind: 'throttle', constructor: 1 }, /there is no member "constructor"/],
    [{ kind: 'throttle', rate: 2 }, /"rate" must be a number from 0 to 1\.$/],
    [{ kind: 'throttle', operations: 'PutRecord' }, /"operations" must be a list/],
    [{ kind: 'throttle', operations: ['PutRecrd'] }, /there is no operation PutRecrd\.$/],
    [{ kind: 'throttle', stream: 1 }, /"stream" must be a stream's name/],
    [{ kind: 'throttle', ms: 1 }, /"ms" belongs to kind "lag" only/],
    [{ kind: 'lag' }, /"lag" needs "ms"/],
    [{ kind: 'lag', ms: -1 }, /"ms" must be a whole number from 0 to 3600000/],
    [{ kind: 'error' }, /"error" needs "error", its name/],
    [{ kind: 'error', error: 'a b' }, /"error" must be an error's short name/],
    [{ kind: 'error', error: 'X', status: 200 }, /"status" must be an HTTP status/],
    [{ kind: 'throttle', seed: 1.5 }, /"seed" must be a whole number/],
  ]
  for (const [rule, words] of bad) assert.match(read(rule) as string, words)
  assert.match(read({ kind: 'cut' }, {}) as string, /^Rule 2: /)
  assert.equal(readRules({}, known), '"rules" must be a list of rules.')
  assert.equal(readRules({ rules: [], x: 1 }, known), 'There is no member "x" beside "rules".')
  assert.match(read(...Array(101).fill({ kind: 'cut' })) as string, /100 rules at most/)
})
