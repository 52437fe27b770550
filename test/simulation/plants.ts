import type { Connector, Outcome, Push, Resource, Write } from '../../src/connectors/connector.ts'
import type { Mail, Sighting } from '../../src/connectors/mail.ts'
import type { Sighted } from '../../src/core/mail/message.ts'
import type { Sql } from '../../src/store/database.ts'
import type { Connectors } from './configuration.ts'

/** A bug planted on purpose, from outside: the simulation must find it. */
export type Plant = {
  /** The properties that may be found broken by it. */
  readonly breaks: readonly string[]
  /** What is then said among others. */
  readonly says?: RegExp
  readonly connectors?: (connectors: Connectors) => Connectors
  readonly request?: (request: Request) => Request | Promise<Request>
  /** Steps that are to happen more often, so that the bug is met soon. */
  readonly weights?: Readonly<Record<string, number>>
  /** Of what people do who trust the hub, in place of the usual weights; it shows in those acts only. */
  readonly acts?: Readonly<Record<string, number>>
  /** It shows in mail only. */
  readonly mail?: true
  /** After every pass. */
  readonly afterPass?: (sql: Sql) => Promise<void>
}

function withPushes(connectors: Connectors, change: (push: Push) => Push): Connectors {
  const resource = (plain: Resource): Resource =>
    plain.push === undefined ? plain : { ...plain, push: change(plain.push) }
  const connector = (plain: Connector): Connector => {
    const resources = Object.entries(plain.resources).map(([name, one]) => [name, resource(one)] as const)
    return { ...plain, resources: Object.fromEntries(resources) }
  }
  return Object.fromEntries(Object.entries(connectors).map(([name, one]) => [name, connector(one)]))
}

function withMail(connectors: Connectors, change: (mail: Mail) => Mail): Connectors {
  const connector = (plain: Connector): Connector =>
    plain.mail === undefined ? plain : { ...plain, mail: change(plain.mail) }
  return Object.fromEntries(Object.entries(connectors).map(([name, one]) => [name, connector(one)]))
}

/** Every fourth page that holds anything is lost, and the cursor is behind it all the same. */
function skipping(mail: Mail): Mail {
  let pages = 0
  return {
    ...mail,
    async pull(...given) {
      const page = await mail.pull(...given)
      const isLost = page.sightings.length > 0 && ++pages % 4 === 0
      return isLost ? { ...page, sightings: [], bad: [] } : page
    },
  }
}

/** A message keeps the labels and folders it was first seen with, whatever its owner does with it. */
function withFirstLabels(mail: Mail): Mail {
  const first = new Map<string, Sighted['labels']>()
  const kept = (sighting: Sighting): Sighting => {
    if (sighting.kind === 'gone') return sighting
    const { id, sighted } = sighting
    if (!first.has(id)) first.set(id, sighted.labels)
    return { ...sighting, sighted: { ...sighted, labels: first.get(id) ?? null } }
  }
  return {
    ...mail,
    async pull(...given) {
      const page = await mail.pull(...given)
      return { ...page, sightings: page.sightings.map(kept) }
    },
    async fetch(...given) {
      const found = await mail.fetch(...given)
      return { ...found, sightings: found.sightings.map(kept) }
    },
  }
}

/** The answer to a write is forgotten: what it made of the object is then met as if somebody had edited it. */
function forgetful(write: Write, outcome: Outcome): Outcome {
  if (outcome.kind !== 'applied' || outcome.observation.kind === 'absent' || write.op !== 'update')
    return outcome
  return { kind: 'applied', observation: { ...outcome.observation, version: null, body: write.observed } }
}

async function withStatus(request: Request): Promise<Request> {
  const isProfile = request.method === 'PATCH' && /\/members\/[^/]+$/.test(new URL(request.url).pathname)
  if (!isProfile) return request
  const body: unknown = JSON.parse(await request.clone().text())
  if (typeof body !== 'object' || body === null || 'status' in body) return request
  return new Request(request, { method: 'PATCH', body: JSON.stringify({ ...body, status: 'subscribed' }) })
}

export const PLANTS: Readonly<Record<string, Plant>> = {
  'dropped base': {
    breaks: ['No lost edit', 'Convergence', 'Echo silence'],
    afterPass: async (sql) =>
      void (await sql`update links set base = '{}' where state = 'linked' and base::text <> '{}'`),
  },
  'create sent again': {
    breaks: ['Exactly-once creation'],
    connectors: (connectors) =>
      withPushes(connectors, (push) => ({ ...push, find: async (_io, creates) => creates.map(() => null) })),
    afterPass: async (sql) => {
      await sql`
        update links set state = 'pending', settled = wake - 1, not_before = null
        where id in (select link_id from outbox where op = 'create' and state in ('sending', 'uncertain'))`
      await sql`
        update outbox set state = 'abandoned' where op = 'create' and state in ('sending', 'uncertain')`
    },
  },
  'echo taken for an edit': {
    breaks: ['No lost edit', 'Convergence', 'Echo silence'],
    // It shows where the hub is edited again before it has seen its own write.
    weights: { tug: 60 },
    connectors: (connectors) =>
      withPushes(connectors, (push) => ({
        ...push,
        async send(io, writes) {
          const outcomes = await push.send(io, writes)
          return outcomes.map((outcome, i) => {
            const write = writes[i]
            return write === undefined ? outcome : forgetful(write, outcome)
          })
        },
      })),
  },
  'profile with a status': { breaks: ['Consent'], request: withStatus },
  'unmerge forgets a link': {
    breaks: ['Merge', 'Convergence', 'Nothing lost'],
    acts: { 'merge and unmerge': 1 },
    afterPass: async (sql) => void (await sql`delete from merge_moves where what = 'link'`),
  },
  'undo over a later edit': {
    breaks: ['Undo'],
    acts: { 'import and undo': 1 },
    says: /was made Title\d+ after the import/,
    // One title that a system was given after the bad import had spoilt it counts as the import's own.
    afterPass: async (sql) =>
      void (await sql`
        update history h set run_id = i.run from (
          select o.record_id, max(o.run_id) as run from history o
          join runs r on r.id = o.run_id join streams s on s.id = r.stream_id
          where s.connection = 'csv' and o.kind = 'contact' and o.op = 'update' and o.source = 'csv'
            and o.changes::jsonb -> 'jobTitle' ->> 'after' like 'Wrong%' group by 1
        ) i
        where h.record_id = i.record_id and h.source in ('mailchimp', 'stripe') and h.op = 'update'
          and h.changes::jsonb -> 'jobTitle' ->> 'after' like 'Title%' and h.run_id > i.run`),
  },
  'rejected and done': {
    breaks: ['Guard'],
    acts: { 'decide in part': 1 },
    says: /^blanks: row \w+ was rejected, and it happened$/,
    afterPass: async (sql) =>
      void (await sql`update held_changes set verdict = 'approved' where verdict = 'rejected' and what = 'blanks'`),
  },
  'nobody remembered': {
    breaks: ['Likeness'],
    acts: { 'tell the alike': 1 },
    // Whoever comes later is compared with nobody who was there before.
    afterPass: async (sql) => void (await sql`delete from match_keys`),
  },
  'cursor before its page': {
    breaks: ['Mail'],
    mail: true,
    connectors: (connectors) => withMail(connectors, skipping),
  },
  'labels of the first look': {
    breaks: ['Mail'],
    mail: true,
    connectors: (connectors) => withMail(connectors, withFirstLabels),
  },
}
