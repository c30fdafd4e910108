import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger } from './ledger.ts'

function ledger(): Ledger {
  const told = new Ledger()
  told.acknowledge('p:0', 's', '10')
  told.acknowledge('p:1', 's', '12')
  return told
}
const seen = (name: string | undefined, sequenceNumber: string) => ({ name, sequenceNumber })

test('a whole reading passes and untold records are counted', () => {
  assert.equal(ledger().check('s', [seen('p:0', '10'), seen('q:7', '11'), seen('p:1', '12')]), 1)
})
test('a lost, doubled, torn, misordered or exchanged record is found', () => {
  assert.throws(() => ledger().check('s', [seen('p:0', '10')]), /p:1 is lost/)
  const whole = [seen('p:0', '10'), seen('p:1', '12')]
  assert.throws(() => ledger().check('s', [...whole, seen('p:1', '13')]), /twice/)
  assert.throws(() => ledger().check('s', [...whole, seen(undefined, '13')]), /no whole record/)
  assert.throws(() => ledger().check('s', [seen('p:1', '12'), seen('p:0', '10')]), /comes after/)
  assert.throws(
    () => ledger().check('s', [seen('p:1', '10'), seen('p:0', '12')]),
    /is p:1, not p:0/,
  )
  assert.throws(() => ledger().acknowledge('p:2', 's', '10'), /given to p:0 and to p:2/)
})
