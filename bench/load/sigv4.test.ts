import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorization, timestampOf } from './sigv4.ts'

test('signs the ListUsers example of the AWS documentation as printed there', () => {
  const header = authorization(
    {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      region: 'us-east-1',
      service: 'iam',
    },
    {
      method: 'GET',
      path: '/',
      query: 'Action=ListUsers&Version=2010-05-08',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        host: 'iam.amazonaws.com',
        'x-amz-date': '20150830T123600Z',
      },
      body: [],
      timestamp: '20150830T123600Z',
    },
  )
  assert.equal(
    header,
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, ' +
      'SignedHeaders=content-type;host;x-amz-date, ' +
      'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  )
})

test('spells a date in the basic form without milliseconds', () => {
  assert.equal(timestampOf(new Date(Date.UTC(2026, 10, 20, 1, 2, 3, 456))), '20261120T010203Z')
})
