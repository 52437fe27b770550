import { expect, it } from 'vitest'
import { alarmsOf } from '../../../src/core/alarms/alarms.ts'
import type { HubFacts, StreamFacts } from '../../../src/core/alarms/facts.ts'
import { DEFAULT_ALERTS } from '../../../src/core/alerts.ts'

const NOW = Date.parse('2026-03-02T12:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const STREAM: StreamFacts = {
  id: 1,
  label: 'mailchimp/members',
  connection: 'mailchimp',
  problem: null,
  held: false,
  checkedAt: NOW,
  everyMs: 5 * MINUTE,
  quiet: { kind: 'learned' },
  moves: [],
  comparisons: [],
  waiting: null,
  unknown: null,
}
const FACTS: HubFacts = {
  now: NOW,
  connections: [{ name: 'mailchimp', state: 'ready', problem: null, notBefore: null }],
  streams: [STREAM],
  items: [],
  plans: [],
  inbox: null,
}

const kinds = (facts: Partial<HubFacts>, limits = DEFAULT_ALERTS) =>
  alarmsOf({ ...FACTS, ...facts }, limits).map(({ kind }) => kind)
const ofStream = (stream: Partial<StreamFacts>) => kinds({ streams: [{ ...STREAM, ...stream }] })

it('has nothing to say while all is well', () => {
  expect(kinds({})).toEqual([])
})

it('tells of passes that fail for half an hour, and not of one that did', () => {
  expect(ofStream({ problem: 'HTTP 503', checkedAt: NOW - 20 * MINUTE })).toEqual([])
  expect(ofStream({ problem: 'HTTP 503', checkedAt: NOW - 40 * MINUTE })).toEqual(['stream_failing'])
})

it('tells of passes that do not come, by the schedule of the stream', () => {
  expect(ofStream({ checkedAt: NOW - 40 * MINUTE })).toEqual([])
  expect(ofStream({ checkedAt: NOW - HOUR })).toEqual(['stream_behind'])
  expect(ofStream({ checkedAt: NOW - HOUR, everyMs: 24 * HOUR })).toEqual([])
  expect(ofStream({ checkedAt: null })).toEqual([])
})

it('tells of quiet as configured', () => {
  const moves = [NOW - 3 * HOUR]
  expect(ofStream({ moves, quiet: { kind: 'after', ms: 4 * HOUR } })).toEqual([])
  expect(ofStream({ moves, quiet: { kind: 'after', ms: 2 * HOUR } })).toEqual(['stream_still'])
  expect(ofStream({ moves: [0], quiet: { kind: 'never' } })).toEqual([])
  expect(ofStream({ moves: [0], quiet: { kind: 'after', ms: 2 * HOUR }, held: true })).toEqual([])
})

it('tells of the cause of a silence, and not of the silence', () => {
  const streams = [{ ...STREAM, checkedAt: NOW - 48 * HOUR, waiting: { count: 3, since: 0, why: null } }]
  const refused = {
    name: 'mailchimp',
    state: 'unauthorised',
    problem: 'API key revoked',
    notBefore: null,
  } as const
  expect(kinds({ streams, connections: [refused] })).toEqual(['connection_refused'])
  expect(kinds({ streams, connections: [{ ...refused, state: 'paused' }] })).toEqual(['connection_paused'])
  const rests = { ...refused, state: 'ready', problem: null } as const
  expect(kinds({ streams, connections: [{ ...rests, notBefore: NOW + 2 * HOUR }] })).toEqual([
    'connection_resting',
  ])
  expect(kinds({ streams, connections: [{ ...rests, notBefore: NOW + MINUTE }] })).toEqual([
    'stream_behind',
    'writes_waiting',
  ])
})

it('tells of changes that were missed twice in a row, and of what a comparison left', () => {
  const [missed, clean] = [
    { missed: 2, left: [] },
    { missed: 0, left: [] },
  ]
  expect(ofStream({ comparisons: [missed] })).toEqual([])
  expect(ofStream({ comparisons: [missed, clean] })).toEqual([])
  expect(ofStream({ comparisons: [missed, missed] })).toEqual(['changes_missed'])
  expect(ofStream({ comparisons: [{ missed: 0, left: ['1 listing was not complete'] }] })).toEqual(['drift'])
})

it('tells of writes that wait, with the reason the last attempt gave', () => {
  const waiting = { count: 12, since: NOW - 7 * HOUR, why: 'Mailchimp answered 500' }
  const [alarm] = alarmsOf({ ...FACTS, streams: [{ ...STREAM, waiting }] }, DEFAULT_ALERTS)
  expect(alarm).toMatchObject({
    kind: 'writes_waiting',
    fix: 'The last attempt said: Mailchimp answered 500',
  })
  expect(alarm?.title).toBe('12 changes for mailchimp/members have waited for more than 6 hours')
  expect(ofStream({ waiting: { ...waiting, since: NOW - 5 * HOUR } })).toEqual([])
  expect(
    kinds({ streams: [{ ...STREAM, waiting }], plans: [{ id: 4, connections: ['mailchimp'] }] }),
  ).toEqual(['plan_waiting'])
})

it('tells of outcomes that stay unknown, and of an inbox that nobody looks at, where that is wanted', () => {
  expect(ofStream({ unknown: { count: 1, since: NOW - 2 * HOUR, why: null } })).toEqual(['outcome_unknown'])
  const inbox = { count: 4, since: NOW - 200 * HOUR, why: null }
  expect(kinds({ inbox })).toEqual([])
  expect(kinds({ inbox }, { ...DEFAULT_ALERTS, inboxMs: 168 * HOUR })).toEqual(['inbox_waiting'])
})
