import {
  connectionRestored,
  followHints,
  pushConnection,
  syncAll,
  syncConnection,
} from '../../src/runtime/cycle.ts'
import { takeSide } from '../../src/runtime/inbox/conflict.ts'
import { listItems } from '../../src/store/inbox.ts'
import { storeEvent } from '../../src/store/webhook-events.ts'
import { HELD_ABOVE } from './configuration.ts'
import { ALL, type ConnectionName } from './ground.ts'
import { sortMail } from './mail/desk-steps.ts'
import { MAIL } from './mail/mail-ground.ts'
import { REPS } from './mail/moods.ts'
import type { Doom } from './mortal.ts'
import type { Run } from './run.ts'
import { editAtMailchimp, editAtStripe, type Step } from './vendor-steps.ts'
import type { Struck } from './weather.ts'

export const syncOne: Step = async (run) => {
  const name = run.chance.pick(run.ground.names)
  const mode = run.chance.maybe(0.2) ? 'sweep' : 'changes'
  if (run.chance.maybe(0.3)) intrude(run)
  await run.work(`${mode} ${name}`, (hub) => syncConnection(hub, name, mode))
  return null
}

export const syncEverything: Step = async (run) => {
  const names = run.chance.shuffled(run.ground.names)
  await run.work('sync all', (hub) => syncAll(hub, names, 'changes'))
  return null
}

export const pushOne: Step = async (run) => {
  const name = run.chance.pick(ALL)
  await run.work(`push ${name}`, (hub) => pushConnection(hub, name))
  return null
}

/** Somebody edits while the hub reads: before one of its listings is answered. */
function intrude(run: Run): void {
  let left = run.chance.int(0, 4)
  run.ground.onRequest.act = (method, path) => {
    const isListing =
      method === 'GET' && /(members|customers|events|history|messages\/\w+|messages\/delta)$/.test(path)
    if (!isListing || left-- > 0) return
    run.ground.onRequest.act = null
    const edit = path.startsWith('/3.0')
      ? editAtMailchimp
      : path.includes('messages') || path.includes('history')
        ? sortMail
        : editAtStripe
    void Promise.resolve(edit(run)).then((line) => line !== null && run.note(`meanwhile ${line}`))
  }
}

const DOOMS: readonly Doom['at'][] = [
  'before a request',
  'after a request',
  'before a transaction',
  'instead of a commit',
  'after a commit',
]

/** A pass in which the process dies. */
export const crash: Step = async (run) => {
  run.doom(run.chance.pick(DOOMS), run.chance.int(0, 14))
  return syncEverything(run)
}

/** Two workers, each at a connection of its own. Files are read in their own time, which no turn can order. */
export const race: Step = async (run) => {
  const { strict } = run.ground.turns
  const able: readonly ConnectionName[] = strict
    ? run.ground.names.filter((name) => name !== 'csv')
    : run.ground.names
  const [one = 'mailchimp', two = 'stripe'] = run.chance.shuffled<ConnectionName>(able)
  const other = await run.ground.start()
  const both = async () => {
    const mine = run.process.mortal.live(() => syncConnection(run.process.hub, one, 'changes'))
    const theirs = other.mortal.live(() => syncConnection(other.hub, two, 'changes'))
    return Promise.all([mine, theirs])
  }
  const passed = await both()
  run.note(`race: ${passed.map((pass) => `${pass.connection} ${pass.seen}/${pass.sent}`).join(' against ')}`)
  await other.mortal.bury()
  await run.ground.plant?.afterPass?.(run.ground.sql)
  return null
}

export const passTime: Step = (run) => {
  const { clock } = run.ground
  const minutes = run.chance.weighted({ 1: 5, 10: 5, 120: 4, 1500: 3, 4500: 1, 46000: 1.2 })
  clock.now += Number(minutes) * 60_000
  if (Number(minutes) > 30 * 24 * 60) run.fired('expired cursor')
  // Google's history lasts for a week.
  if (Number(minutes) > 3 * 24 * 60) for (const rep of REPS) run.post?.gaps.add(rep)
  return `${minutes} minutes pass`
}

const struck = ({ ground }: Run): readonly Struck[] => [
  'mailchimp',
  'stripe',
  ...(ground.mail === null ? [] : MAIL),
]

export const weather: Step = (run) => {
  if (run.chance.maybe(0.4)) {
    run.ground.weather.clear()
    return 'calm'
  }
  return `storm at ${run.ground.weather.brew(run.chance.pick(struck(run)))}`
}

export const exportRows: Step = (run) => {
  run.ground.clock.now += 1000
  run.ground.source.export(run.ground.clock.now)
  return 'csv: export'
}

/** An export that lacks many rows, as of a wrong filter. */
export const massVanish: Step = (run) => {
  const { source } = run.ground
  if (source.broken.some(({ hidesId }) => hidesId)) return null
  const ids = [...source.rows.contacts.keys()].filter((id) => run.oracle.met.has(`csv ${id}`))
  if (ids.length <= HELD_ABOVE + 1 || source.hidden.size > 0) return null
  for (const id of run.chance.shuffled(ids).slice(0, HELD_ABOVE + 1)) {
    source.hidden.add(id)
    run.vanished.add(id)
  }
  void exportRows(run)
  return `csv: an export without ${[...source.hidden].join(', ')}`
}

export const revoke: Step = (run) => {
  const name = run.chance.pick(['mailchimp', 'stripe'] as const)
  const { keys, mailchimp, stripe } = run.ground
  keys[name] = name === 'mailchimp' ? `${run.oracle.fresh('key')}-us1` : run.oracle.fresh('sk_test_')
  Object.assign(name === 'mailchimp' ? mailchimp.state : stripe.state, { apiKey: keys[name] })
  run.fired('credentials revoked')
  return `${name}: the key is revoked`
}

export const authorise: Step = async (run) => {
  for (const name of run.ground.names) {
    await run.ground.save(name)
    await run.work(`authorise ${name}`, (hub) => connectionRestored(hub, name))
  }
  return null
}

export const answerConflict: Step = async (run) => {
  const items = await listItems(run.ground.sql, { state: 'open', kind: 'conflict', limit: 50 })
  if (items.length === 0) return null
  const { id } = run.chance.pick(items.toSorted((a, b) => a.id - b.id))
  const side = run.chance.pick(['hub', 'remote'] as const)
  await run.work(`inbox ${id}: ${side}`, (hub) => takeSide(hub, id, { side }, 'user:ann'))
  return null
}

export const webhooks: Step = async (run) => {
  const found = [...fromStripe(run), ...fromMailchimp(run), ...(await fromMail(run))]
  const deliveries = run.chance.shuffled(found)
  if (deliveries.length > 1) run.fired('webhook shuffled')
  const told = new Set<ConnectionName>()
  for (const delivery of deliveries) {
    if (run.chance.maybe(0.2)) {
      run.fired('webhook dropped')
      continue
    }
    if (await deliver(run, delivery)) told.add(delivery.connection)
    if (!run.chance.maybe(0.2)) continue
    run.fired('webhook repeated')
    await deliver(run, delivery)
  }
  for (const name of told) await run.work(`hints ${name}`, (hub) => followHints(hub, name))
  return deliveries.length === 0 ? null : `${deliveries.length} webhooks`
}

type Delivery = {
  readonly connection: Exclude<ConnectionName, 'csv'>
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** It is refused, whatever it says. */
  readonly isForged: boolean
  readonly lateMs: number
}

function fromStripe(run: Run): readonly Delivery[] {
  const { stripe } = run.ground
  return stripe.pendingWebhooks.splice(0).flatMap((pending): Delivery[] => {
    const signed = stripe.signWebhook(pending)
    if (signed === null) return []
    const { url, headers, body } = signed
    const delivery: Delivery = { connection: 'stripe', url, headers, body, isForged: false, lateMs: 0 }
    if (run.chance.maybe(0.05)) {
      run.fired('webhook forged')
      return [{ ...delivery, body: `${body} `, isForged: true }]
    }
    if (run.chance.maybe(0.05)) {
      run.fired('webhook too late')
      return [{ ...delivery, isForged: true, lateMs: 400_000 }]
    }
    return [delivery]
  })
}

function fromMailchimp(run: Run): readonly Delivery[] {
  return run.ground.mailchimp.pendingWebhooks.splice(0).map(({ url, headers, body }): Delivery => {
    const isForged = run.chance.maybe(0.05)
    if (isForged) run.fired('webhook forged')
    return { connection: 'mailchimp', url: isForged ? `${url}x` : url, headers, body, isForged, lateMs: 0 }
  })
}

async function fromMail(run: Run): Promise<readonly Delivery[]> {
  const posts = (await run.ground.mail?.posts()) ?? []
  return posts.map(({ connection, url, headers, body }): Delivery => {
    const isForged = run.chance.maybe(0.05)
    if (!isForged) return { connection, url, headers, body, isForged, lateMs: 0 }
    run.fired('webhook forged')
    const { authorization } = headers
    return {
      connection,
      url,
      headers: authorization === undefined ? headers : { ...headers, authorization: `${authorization}x` },
      body: body.replaceAll('"clientState":"', '"clientState":"x'),
      isForged,
      lateMs: 0,
    }
  })
}

/** As the HTTP side does: verified on the raw bytes, stored once, answered. */
async function deliver(run: Run, delivery: Delivery): Promise<boolean> {
  const { connection, url, headers, body, isForged, lateMs } = delivery
  const { ground } = run
  const { now } = ground.clock
  const raw = {
    method: 'POST',
    url,
    headers: new Headers(headers),
    body: new TextEncoder().encode(body),
  }
  const settings = connection === 'gmail' || connection === 'outlook' ? ground.mail?.settings[connection] : {}
  const keys = connection === 'gmail' ? ((await ground.mail?.googleKeys()) ?? null) : null
  const receive = ground.connectors[connection]?.webhooks?.receive
  const context = { settings: settings ?? {}, keys }
  const receipt = await receive?.(raw, ground.webhookSecrets[connection], now + lateMs, context)
  if (receipt?.kind !== 'hints') {
    if (isForged) return false
    throw new Error(`a real webhook of ${connection} was refused: ${JSON.stringify(receipt)}`)
  }
  if (isForged) throw new Error('a forged webhook was taken')
  return storeEvent(ground.sql, connection, receipt.eventId, receipt.hints, now)
}
