import type { Failure } from '../../../src/connectors/connector.ts'
import type { Fault } from '../../../src/sandbox/faults.ts'
import { list, type Rig } from '../rig.ts'
import { failureFrom, need, short, want, wantSame } from '../verdict.ts'
import type { Check } from './check.ts'
import { faultsOf, settle } from './lost.ts'
import { createOf, send } from './writes.ts'

const NOW = Date.parse('2026-03-01T09:00:00Z')
const MINUTE = 60_000
const BODIES = [
  '',
  '<!DOCTYPE html><html><body>We will be right back</body></html>',
  '{"title":"cut',
  'null',
  '[]',
  '"text"',
  '{"error":null}',
  `{"title":"x","detail":"${'x'.repeat(100_000)}","error":{"message":"${'y'.repeat(100_000)}"}}`,
]

/** What a status means, whatever stands in the body. */
const MEANINGS: readonly (readonly [status: number, kinds: readonly Failure['kind'][]])[] = [
  [400, ['rejected']],
  [401, ['auth']],
  [404, ['missing']],
  [422, ['rejected']],
  [429, ['throttled']],
  [500, ['unavailable']],
  [502, ['unavailable']],
  [503, ['unavailable', 'throttled']],
  [504, ['unavailable']],
]

const ON_READS: readonly Fault[] = [
  { kind: 'html' },
  { kind: 'truncated' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 502, body: '<html>Bad gateway</html>' },
  { kind: 'timeout-before' },
]

export const REPLIES: readonly Check[] = [
  {
    name: 'classify makes of every status what it means, whatever is in the body',
    contract: 'Connector.classify: "What a reply that is not 2xx means. Pure."; it must not throw.',
    per: 'connector',
    async run(rig) {
      for (const [status, kinds] of MEANINGS)
        for (const body of BODIES)
          for (const method of ['GET', 'POST']) {
            const failure = classified(rig, status, body, method)
            const what = `${method} answered with ${status} and ${short(body.slice(0, 40))}`
            want(
              kinds.includes(failure.kind),
              `${what} is classified as ${failure.kind}, not as ${kinds.join(' or ')}`,
            )
            want(
              failure.message !== '' && failure.message.length < 5000,
              `${what} has a message of ${failure.message.length} characters; keep it between 1 and 5,000`,
            )
            want(!failure.message.includes('<html'), `${what}: the message quotes the page of HTML`)
            if (failure.kind !== 'unavailable') continue
            wantSame(
              failure.committed,
              method === 'GET' ? 'no' : 'unknown',
              `${what}: may it have been carried out?`,
            )
          }
    },
  },
  {
    name: 'Retry-After is heeded in both forms, and a bad one is no reason to hurry',
    contract: 'Failure throttled: "retryAt". src/connectors/retry-after.ts reads both forms of RFC 9110.',
    per: 'connector',
    async run(rig) {
      const at = (header: string | null) => {
        const failure = classified(rig, 429, '', 'GET', header === null ? {} : { 'retry-after': header })
        want(failure.kind === 'throttled', `429 is classified as ${failure.kind}`)
        return failure.retryAt - NOW
      }
      wantSame(at('7'), 7000, 'Retry-After: 7')
      wantSame(at(new Date(NOW + 90_000).toUTCString()), 90_000, 'Retry-After with an HTTP date')
      wantSame(at('1.5') >= 1500, true, 'Retry-After: 1.5 should be 1.5 s at least')
      wantSame(at(new Date(NOW - 90_000).toUTCString()) >= 0, true, 'Retry-After in the past')
      for (const odd of [null, '', 'soon', '2 minutes', '-5', '1e3'])
        want(
          at(odd) > 0 && at(odd) <= 10 * MINUTE,
          `429 with Retry-After ${short(odd)} should wait a while of the connector's own, not ${at(odd)} ms`,
        )
    },
  },
  {
    name: 'a read that is answered with nonsense fails as a failure, and works again afterwards',
    contract:
      'VendorError: HTML, cut JSON and 5xx are data for the runtime; anything else that is thrown is a bug.',
    per: 'resource',
    async run(rig) {
      const faults = need(rig.stand.faults, 'the vendor has no switch for faults')
      const ids = await rig.at.seed(2)
      for (const fault of ON_READS) {
        faults.plan = () => fault
        const what = `pull, answered with ${short(fault)},`
        const failure = await failureFrom(() => list(rig), what)
        want(
          failure.kind === 'malformed' || failure.kind === 'unavailable',
          `${what} should be malformed or unavailable, not ${short(failure)}`,
        )
        wantSame(failure.committed, 'no', `${what} may it have been carried out? A read changes nothing`)
        const fetched = await failureFrom(
          () => rig.resource.fetch(rig.io, ids),
          `fetch, answered with ${short(fault)},`,
        )
        want(
          fetched.kind === 'malformed' || fetched.kind === 'unavailable',
          `fetch, answered with ${short(fault)}, should be malformed or unavailable, not ${short(fetched)}`,
        )
        faults.plan = null
      }
      wantSame((await list(rig)).seen.size >= ids.length, true, 'Afterwards the listing should be whole')
    },
  },
  {
    name: 'a create that is throttled waits as long as it is told, and then makes one object',
    contract: 'Io.fetch: "It retries what is safe to send twice"; a throttled request was not carried out.',
    per: 'resource',
    async run(rig) {
      const faults = faultsOf(rig)
      const clock = need(rig.stand.clock, 'the clock is real')
      const forms = [() => '3', () => new Date(Math.ceil(clock.now / 1000) * 1000 + 4000).toUTCString()]
      for (const [n, header] of forms.entries()) {
        const before = await rig.at.count()
        const startedAt = clock.now
        let left = 2
        faults.plan = ({ method }) =>
          method === 'GET' || left-- <= 0
            ? null
            : { kind: 'status', status: 429, headers: { 'retry-after': header() } }
        await send(rig, createOf(rig, n))
        faults.plan = null
        want(
          clock.now - startedAt >= 3000,
          `It waited only ${clock.now - startedAt} ms after Retry-After: ${header()}`,
        )
        await settle(rig, before, n)
      }
    },
  },
]

function classified(
  rig: Rig,
  status: number,
  body: string,
  method: string,
  headers: Record<string, string> = {},
): Failure {
  need(rig.stand.transport, 'the connector makes no requests')
  const url = 'https://vendor.example/objects/1'
  return rig.connector.classify({ status, headers: new Headers(headers), body, method, url }, NOW)
}
